import Graphs
import Tensors

/// The functions of the operators that give elements other axes and leave their order alone.
let reshapingFunctions: [OperatorFunction] = [
  .reshaping(Reshape.self), .reshaping(Flatten.self), .reshaping(Squeeze.self),
  .reshaping(Unsqueeze.self), .reshaping(Identity.self), OperatorFunction(Dropout.self, dropout),
]

extension OperatorFunction {
  /// The first input under the shape that the operator's rule says.
  fileprivate static func reshaping<Op: Operator>(_ type: Op.Type) -> OperatorFunction {
    OperatorFunction(
      type,
      single: { op, call in
        try call.input(0).reshaped(to: try call.outputShape(of: op))
      })
  }
}

private func dropout(_ op: Dropout, _ call: OperatorCall) throws -> [Tensor] {
  let x = try call.input(0)
  if let training = call[2]?.firstTruth, training {
    let ratio = try call[1].map { try $0.firstNumber() } ?? 0.5
    guard ratio == 0 else {
      throw ExecutionError(
        .unsupported, "dropout of \(ratio) in training mode is random; set training_mode to false")
    }
  }
  guard call.outputCount > 1 else { return [x] }
  let mask = call.output(x.shape, .bool) { _ = $0.initializeMemory(as: UInt8.self, repeating: 1) }
  return [x, mask]
}
