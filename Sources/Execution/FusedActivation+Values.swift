import Graphs
import Tensors

extension FusedActivation {
  /// The activation of each element of a tensor.
  func values(at x: Tensor, _ call: OperatorCall) throws -> Tensor {
    guard let operation else { return x }
    let name = type(of: operation).name
    guard let function = OperatorFunctions.all[name] else {
      throw ExecutionError(.unsupported, "\(name) is not computed")
    }
    let inner = OperatorCall(
      inputs: [x] + bounds, outputCount: 1, pool: call.pool, opsets: call.opsets,
      scope: call.scope)
    return try function.run(operation, inner)[0]
  }
}
