import Execution
import Graphs
import Tensors
import Testing

/// Results that a few wrong numbers make absurdly large are refused before memory is asked for.
@Suite struct ResultSizeTests {
  private static let huge = Int64(1) << 40
  private static let long = Int64(1) << 20

  struct Example: CustomTestStringConvertible, Sendable {
    let operation: OperatorName
    let inputs: [Tensor?]
    var attributes: [String: AttributeValue] = [:]
    let result: String
    var testDescription: String { "\(operation)" }
  }

  static let examples: [Example] = [
    .init(
      operation: "Expand", inputs: [floats([1]), Tensor([huge])], result: "float32[1099511627776]"),
    .init(
      operation: "Tile", inputs: [floats([1, 2]), Tensor([huge / 2])],
      result: "float32[1099511627776]"),
    .init(
      operation: "Range",
      inputs: [
        Tensor(scalar: Int64(0)), Tensor(scalar: huge), Tensor(scalar: Int64(1)),
      ], result: "int64[1099511627776]"),
    .init(
      operation: "ConstantOfShape", inputs: [Tensor([long, long])],
      result: "float32[1048576, 1048576]"),
    .init(
      operation: "Resize",
      inputs: [floats([1], [1, 1, 1, 1]), nil, nil, Tensor([1, 1, long, long])],
      result: "float32[1, 1, 1048576, 1048576]"),
    .init(
      operation: "Pad", inputs: [floats([1], [1, 1]), Tensor([0, 0, long - 1, long - 1])],
      result: "float32[1048576, 1048576]"),
    .init(
      operation: "Add",
      inputs: [
        Tensor.zeros([Int(long), 1], .float32), Tensor.zeros([1, Int(long)], .float32),
      ], result: "float32[1048576, 1048576]"),
    .init(
      operation: "MatMul",
      inputs: [
        Tensor.zeros([Int(long), 1], .float32), Tensor.zeros([1, Int(long)], .float32),
      ], result: "float32[1048576, 1048576]"),
    .init(
      operation: "Conv",
      inputs: [floats([1], [1, 1, 1, 1]), floats([1], [1, 1, 1, 1])],
      attributes: ["pads": .ints([1 << 20, 1 << 20, 1 << 20, 1 << 20])],
      result: "float32[1, 1, 2097153, 2097153]"),
  ]

  @Test(arguments: examples) func isRefused(_ example: Example) {
    let message = problem(example.operation, example.inputs, example.attributes)
    #expect(message.hasPrefix("node: the result would be \(example.result), more than the "))
    #expect(message.hasSuffix(" MiB that a value may take"))
  }
}
