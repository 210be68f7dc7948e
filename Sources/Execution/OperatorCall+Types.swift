import Graphs
import Tensors

extension OperatorCall {
  /// The types of the outputs by the operator's shape rule, from what the inputs really are.
  ///
  /// Throws ``GraphError`` where the inputs can't go together: what follows may rely on that they do.
  func types(of op: some Operator) throws -> [ValueType] {
    try op.outputTypes(
      OperatorInputs(
        types: inputs.map { $0.map { ValueType($0.elementType, $0.shape) } }, constants: inputs,
        outputCount: outputCount))
  }

  /// The shape of the first output by the operator's shape rule. Throws ``GraphError`` as ``types(of:)``, and
  /// ``ExecutionError`` where it has too many elements.
  func shape(of op: some Operator) throws -> Shape {
    let type = try types(of: op)[0]
    guard let shape = type.shape else {
      throw ExecutionError(.invalidValue, "the result would be \(type), which is no shape")
    }
    return shape
  }

  /// The inputs as they must be for float32 arithmetic. Throws ``ExecutionError`` where one is not float32.
  func floats(_ indices: Int...) throws {
    for index in indices {
      guard let tensor = self[index], tensor.elementType != .float32 else { continue }
      throw ExecutionError(
        .unsupported,
        "input \(index) is \(tensor); is computed for float32 only, so put a Cast before it")
    }
  }
}
