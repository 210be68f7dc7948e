import Execution
import Graphs
import Tensors
import Testing

@Suite struct ControlFlowTests {
  private static let any = ValueType(nil, nil)

  /// Runs nodes on float inputs `x` and a condition or count `c`.
  private func run(
    _ nodes: [Node], _ inputs: [String: Tensor], outputs: [String]
  ) throws -> [Tensor] {
    let graph = Graph(
      nodes: nodes, inputs: inputs.keys.sorted().map { .init($0, ControlFlowTests.any) },
      outputs: outputs.map { .init($0, ControlFlowTests.any) })
    let found = try Interpreter(Model(graph, opset: 21)).run(inputs)
    return outputs.map { found[$0]! }
  }

  private func branch(_ operation: OperatorName) -> AttributeValue {
    .graph(
      Graph(
        nodes: [Node(operation, inputs: ["x"], outputs: ["inner"])],
        outputs: [.init("inner", ControlFlowTests.any)]))
  }

  @Test(arguments: [true, false]) func conditionsChoose(_ condition: Bool) throws {
    let node = Node(
      "If", inputs: ["c"], outputs: ["y"],
      attributes: ["then_branch": branch("Identity"), "else_branch": branch("Size")])
    let y = try run(
      [node], ["x": counting([3]), "c": Tensor(scalar: condition)], outputs: ["y"])
    #expect(y[0].shape == (condition ? [3] : []))
  }

  /// Doubles a list and stacks it, as long as it is shorter than eight.
  private func doubling() -> Graph {
    Graph(
      nodes: [
        Node("Concat", inputs: ["v", "v"], outputs: ["w"], attributes: ["axis": .int(0)]),
        Node("Size", inputs: ["w"], outputs: ["n"]),
        Node("ReduceSum", inputs: ["w"], outputs: ["s"], attributes: ["keepdims": .int(0)]),
        Node("Cast", inputs: ["s"], outputs: ["t"], attributes: ["to": .int(7)]),
        Node("Identity", inputs: ["c"], outputs: ["more"]),
      ],
      inputs: ["i", "c", "v"].map { .init($0, ControlFlowTests.any) },
      outputs: ["more", "w", "t"].map { .init($0, ControlFlowTests.any) })
  }

  @Test func loopsCarryAndStack() throws {
    let node = Node(
      "Loop", inputs: ["m", "", "x"], outputs: ["y", "stack"],
      attributes: ["body": .graph(doubling())])
    let y = try run(
      [node], ["x": Tensor([Float(1), 2]), "m": Tensor(scalar: Int64(3))],
      outputs: ["y", "stack"])
    #expect(y[0].count == 16)
    #expect(y[1].elements(of: Int64.self) == [6, 12, 24])
  }

  @Test func loopsThatNeverRun() throws {
    let node = Node(
      "Loop", inputs: ["m", "", "x"], outputs: ["y"], attributes: ["body": .graph(doubling())])
    let y = try run(
      [node], ["x": Tensor([Float(1), 2]), "m": Tensor(scalar: Int64(0))], outputs: ["y"])
    #expect(y[0].elements(of: Float.self) == [1, 2])
  }

  @Test(arguments: [false, true]) func scansGoThroughSlices(_ isReversed: Bool) throws {
    let body = Graph(
      nodes: [
        Node(
          "Concat", inputs: ["total", "slice"], outputs: ["both"], attributes: ["axis": .int(0)]),
        Node("ReduceSum", inputs: ["both"], outputs: ["sum"]),
        Node("Identity", inputs: ["sum"], outputs: ["copy"]),
      ],
      inputs: ["total", "slice"].map { .init($0, ControlFlowTests.any) },
      outputs: ["sum", "copy"].map { .init($0, ControlFlowTests.any) })
    let node = Node(
      "Scan", inputs: ["c", "x"], outputs: ["y", "sums"],
      attributes: [
        "body": .graph(body), "num_scan_inputs": .int(1),
        "scan_input_directions": .ints([isReversed ? 1 : 0]),
      ])
    let y = try run(
      [node], ["c": Tensor([Float(10)]), "x": counting([3, 2])], outputs: ["y", "sums"])
    #expect(y[0].elements(of: Float.self) == [25])
    #expect(y[1].shape == [3, 1])
    #expect(y[1].elements(of: Float.self) == (isReversed ? [19, 24, 25] : [11, 16, 25]))
  }

  @Test(arguments: [Int.min, -1, 0, 2, Int.max])
  func asManySlicedInputsAsTheGraphHas(_ count: Int) {
    let body = Graph(
      inputs: [.init("x", ControlFlowTests.any)], outputs: [.init("x", ControlFlowTests.any)])
    let node = Node(
      "Scan", name: "s", inputs: ["x"], outputs: ["y"],
      attributes: ["body": .graph(body), "num_scan_inputs": .int(count)])
    #expect(
      message { _ = try run([node], ["x": counting([3])], outputs: ["y"]) }
        == "s: attribute 'num_scan_inputs' is \(count); the graph has 1 inputs and 1 outputs")
  }

  @Test func unsupportedOperatorsInsideAreNamed() {
    let node = Node(
      "If", name: "choice", inputs: ["c"], outputs: ["y"],
      attributes: ["then_branch": branch("Identity"), "else_branch": branch("RandomNormalLike")])
    let text = message {
      _ = try run([node], ["x": counting([1]), "c": Tensor(scalar: true)], outputs: ["y"])
    }
    #expect(text.hasPrefix("unsupported operator: RandomNormalLike (choice › "))
  }
}
