import Graphs
import Tensors
import Testing

/// Shape rules of operators that move elements.
@Suite struct MovementOperatorTests {
  private static let n: ValueType = ValueType(.float32, ["N", 3, 4])

  /// The types of the outputs of a node, or the message of the error.
  private func rule(
    _ operation: OperatorName, _ inputs: [ValueType], _ attributes: [String: AttributeValue] = [:],
    constants: [Int: [Int]] = [:], outputCount: Int = 1
  ) -> String {
    let node = Node(
      operation, name: "node", inputs: inputs.indices.map { "x\($0)" },
      outputs: (0..<outputCount).map { "y\($0)" }, attributes: attributes)
    do {
      let decoded = try Operators.decode(node, opsets: ["": 21, "com.microsoft": 1])
      let values = inputs.indices.map { index in
        constants[index].map { Tensor($0.map { Int64($0) }) }
      }
      let types = try decoded.outputTypes(
        OperatorInputs(types: inputs, constants: values, outputCount: outputCount))
      return types.map(\.description).joined(separator: " ")
    } catch {
      return "\(error)"
    }
  }

  private static func list(_ count: Int) -> ValueType { ValueType(.int64, [.fixed(count)]) }

  @Test(arguments: [
    ([0, -1], "float32[N, 12]"), ([-1, 12], "float32[N, 12]"), ([-1], "float32[?]"),
    ([2, 0, -1], "float32[2, 3, ?]"), ([0, 12], "float32[N, 12]"), ([-1, 6], "float32[?, 6]"),
    (
      [5, -1, 0, 0, 0], "target shape [5, -1, 0, 0, 0] keeps the length of axis 3; data has 3 axes"
    ),
    (
      [-1, -1],
      "target shape is [-1, -1]; lengths must be at least 0, and one may be -1 to follow from the rest"
    ),
  ])
  func reshape(_ target: [Int], _ expected: String) {
    #expect(
      rule(
        "Reshape", [MovementOperatorTests.n, MovementOperatorTests.list(target.count)],
        constants: [1: target]) == expected)
  }

  @Test func reshapeOfAKnownShape() {
    let x = ValueType(.float32, [2, 6])
    #expect(
      rule("Reshape", [x, MovementOperatorTests.list(2)], constants: [1: [3, -1]])
        == "float32[3, 4]")
    #expect(
      rule("Reshape", [x, MovementOperatorTests.list(2)], constants: [1: [5, -1]])
        == "?[2, 6] can't be seen as shape [5, -1]: the number of elements differs")
    #expect(rule("Reshape", [x, MovementOperatorTests.list(3)]) == "float32[?, ?, ?]")
  }

  @Test func axesComeAndGo() {
    let x = ValueType(.int8, ["N", 1, 4])
    #expect(
      rule("Squeeze", [x, MovementOperatorTests.list(1)], constants: [1: [-2]]) == "int8[N, 4]")
    #expect(
      rule("Squeeze", [x, MovementOperatorTests.list(1)], constants: [1: [2]])
        == "axis 2 of int8[N, 1, 4] has length 4; must be 1 to be removed")
    #expect(
      rule("Unsqueeze", [x, MovementOperatorTests.list(2)], constants: [1: [0, -1]])
        == "int8[1, N, 1, 4, 1]")
  }

  @Test func concatAddsLengths() {
    let a = ValueType(.float32, ["N", 3])
    let b = ValueType(.float32, [.unknown, 4])
    #expect(rule("Concat", [a, b], ["axis": .int(1)]) == "float32[N, 7]")
    #expect(
      rule("Concat", [a, ValueType(.float32, [2])], ["axis": .int(0)])
        == "inputs have 2 and 1 axes; must be as many")
    #expect(
      rule("Concat", [a, b], ["axis": .int(0)])
        == "inputs differ in axis 1, along which they don't join: 3 and 4")
    #expect(rule("Concat", [a]) == "node: attribute 'axis' is missing; the operator needs it")
  }

  @Test func splitNeedsAFit() {
    let x = ValueType(.float32, [7, 2])
    #expect(
      rule("Split", [x], ["num_outputs": .int(2)], outputCount: 2) == "float32[4, 2] float32[3, 2]")
    #expect(
      rule("Split", [x, MovementOperatorTests.list(2)], constants: [1: [3, 3]], outputCount: 2)
        == "lengths [3, 3] add up to 6; the axis has 7")
  }

  @Test func gatherPutsIndicesInPlace() {
    let indices = ValueType(.int64, ["M", 2])
    #expect(
      rule("Gather", [MovementOperatorTests.n, indices], ["axis": .int(1)])
        == "float32[N, M, 2, 4]")
    #expect(
      rule("Gather", [MovementOperatorTests.n, indices], ["axis": .int(3)])
        == "axis 3 is out of range; must be -3 to 2")
    #expect(
      rule(
        "GatherND", [MovementOperatorTests.n, ValueType(.int64, ["N", 1])], ["batch_dims": .int(1)])
        == "float32[N, 4]")
  }

  @Test func resizeScales() {
    let x = ValueType(.float32, ["N", 3, 10, 10])
    let node = Node("Resize", inputs: ["x", "", "s"], outputs: ["y"])
    let decoded = try? Operators.decode(node, opsets: ["": 19])
    let scales = Tensor([Float(1), 1, 2.55, 0.5])
    let types = try? decoded?.outputTypes(
      OperatorInputs(
        types: [x, nil, ValueType(.float32, [4])], constants: [nil, nil, scales], outputCount: 1))
    #expect(types?.map(\.description) == ["float32[N, 3, 25, 5]"])
  }

  @Test func einsumNamesAxes() {
    let equation: [String: AttributeValue] = ["equation": .string("...ij,...jk->...ik")]
    let a = ValueType(.float32, ["B", 2, 3])
    #expect(rule("Einsum", [a, ValueType(.float32, [3, 5])], equation) == "float32[B, 2, 5]")
  }

  @Test func overflowIsAnError() {
    let x = ValueType(.float32, [.fixed(1 << 40), .fixed(1 << 40)])
    #expect(
      rule("Flatten", [x], ["axis": .int(0)])
        == "shape [1099511627776, 1099511627776] has more elements than can be counted")
    #expect(rule("Flatten", [x], ["axis": .int(3)]) == "axis 3 is out of range; must be -2 to 2")
  }
}
