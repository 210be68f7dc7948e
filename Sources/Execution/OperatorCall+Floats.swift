import Graphs
import Tensors

extension OperatorCall {
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
