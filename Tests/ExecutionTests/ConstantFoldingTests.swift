import Execution
import Graphs
import Tensors
import Testing

@Suite struct ConstantFoldingTests {
  func folded(
    _ nodes: [Node], constants: [String: Tensor] = [:], limit: Int? = nil
  ) throws -> Graph {
    let model = Model(
      Graph(
        nodes: nodes, inputs: [.init("x", ValueType(.float32, ["N", 4, 6]))],
        outputs: [.init("y", ValueType(.float32, nil))], constants: constants))
    return try model.applying([limit.map { ConstantFolding(byteLimit: $0) } ?? ConstantFolding()])
      .graph
  }

  @Test func givenResult() throws {
    let graph = try folded(
      [
        Node("Mul", inputs: ["three", "four"], outputs: ["a"]),
        Node("Concat", inputs: ["two", "a"], outputs: ["s"], attributes: ["axis": .int(0)]),
        Node("Reshape", inputs: ["x", "s"], outputs: ["y"]),
      ],
      constants: [
        "two": Tensor([Int64(2)]), "three": Tensor([Int64(3)]), "four": Tensor([Int64(4)]),
      ])
    #expect(graph.nodes.map(\.operation) == ["Reshape"])
    #expect(graph.constants["s"]?.integers() == [2, 12])
    #expect(graph.constants.count == 1)
  }

  @Test func shapesThatAreKnownAreConstants() throws {
    let graph = try folded(
      [
        Node("Shape", inputs: ["x"], outputs: ["s"], attributes: ["start": .int(1)]),
        Node("ConstantOfShape", inputs: ["s"], outputs: ["z"]),
        Node("Add", inputs: ["x", "z"], outputs: ["y"]),
      ])
    #expect(graph.nodes.map(\.operation) == ["Add"])
    #expect(graph.constants["z"]?.shape == [4, 6])
  }

  @Test func openShapesAreNot() throws {
    let graph = try folded(
      [
        Node("Shape", inputs: ["x"], outputs: ["s"]),
        Node("ConstantOfShape", inputs: ["s"], outputs: ["z"]),
        Node("Add", inputs: ["x", "z"], outputs: ["y"]),
      ])
    #expect(graph.nodes.count == 3)
  }

  @Test func manyLargeResultsStay() throws {
    let fills = (0..<8).map {
      Node("ConstantOfShape", inputs: ["s"], outputs: ["z\($0)"])
    }
    let sums = (0..<8).map {
      Node(
        "Add", inputs: [$0 == 0 ? "x" : "a\($0 - 1)", "z\($0)"], outputs: [$0 == 7 ? "y" : "a\($0)"]
      )
    }
    // 96 bytes each, of which 400 are allowed.
    let graph = try folded(
      fills + sums, constants: ["s": Tensor([Int64(4), 6])], limit: 100)
    #expect(graph.nodes.filter { $0.operation == "ConstantOfShape" }.count == 4)
  }

  @Test func hugeResultsStay() throws {
    let nodes = [
      Node("ConstantOfShape", inputs: ["s"], outputs: ["z"]),
      Node("Add", inputs: ["x", "z"], outputs: ["y"]),
    ]
    let constants = ["s": Tensor([Int64(1) << 40, 4, 6])]
    #expect(try folded(nodes, constants: constants).nodes.count == 2)
    let small = ["s": Tensor([Int64(2), 4, 6])]
    #expect(try folded(nodes, constants: small, limit: 191).nodes.count == 2)
    #expect(try folded(nodes, constants: small, limit: 192).nodes.count == 1)
  }

  @Test func quantizedWeightsStayCodes() throws {
    let graph = try folded(
      [
        Node("DequantizeLinear", inputs: ["w", "s"], outputs: ["d"]),
        Node("Add", inputs: ["x", "d"], outputs: ["y"]),
      ], constants: ["w": Tensor([Int8(3)]), "s": Tensor(scalar: Float(0.5))])
    #expect(graph.nodes.count == 2)
  }

  @Test func whatLeavesTheGraphStaysComputed() throws {
    let graph = try folded(
      [Node("Neg", inputs: ["c"], outputs: ["y"])], constants: ["c": Tensor([Float(1)])])
    #expect(graph.nodes.count == 1)
  }

  @Test func wrongConstantsAreNamed() {
    #expect(throws: (any Error).self) {
      try folded(
        [
          Node("Reshape", name: "bad", inputs: ["c", "s"], outputs: ["r"]),
          Node("Add", inputs: ["x", "r"], outputs: ["y"]),
        ], constants: ["c": Tensor([Float(1), 2]), "s": Tensor([Int64(3)])])
    }
  }
}
