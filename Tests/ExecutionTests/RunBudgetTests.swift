import Execution
import Graphs
import Tensors
import Testing

/// Loops that do not end, or whose values grow without bound, end in an error: tested with small limits.
@Suite struct RunBudgetTests {
  private let any = ValueType(nil, nil)

  /// A loop of as many rounds as `m` says over the given nodes, which carries `v` to `w`.
  private func loop(
    _ nodes: [Node], name: String, input: String = "x", _ outputs: [String] = ["y"],
    results: [String] = ["c", "w"]
  ) -> Node {
    let body = Graph(
      nodes: nodes, inputs: ["i", "c", "v"].map { .init($0, any) },
      outputs: results.map { .init($0, any) })
    return Node(
      "Loop", name: name, inputs: ["m", "", input], outputs: outputs,
      attributes: ["body": .graph(body)])
  }

  private func interpreter(_ node: Node, inputs: [String] = ["m", "x"]) throws -> Interpreter {
    let graph = Graph(
      nodes: [node], inputs: inputs.map { .init($0, any) },
      outputs: node.outputs.map { .init($0, any) })
    return try Interpreter(Model(graph, opset: 21))
  }

  private func inputs(rounds: Int64 = .max) -> [String: Tensor] {
    ["m": Tensor(scalar: rounds), "x": Tensor([Float(1), 2])]
  }

  private let copy = Node("Identity", name: "copy", inputs: ["v"], outputs: ["w"])

  private func tooMany(_ limit: Int) -> String {
    "the network has executed \(limit) nodes and is not done: its loops do not end; bound their "
      + "rounds, or give shorter inputs"
  }

  @Test func carriedValuesThatGrow() throws {
    let doubling = Node(
      "Concat", name: "double", inputs: ["v", "v"], outputs: ["w"], attributes: ["axis": .int(0)])
    var interpreter = try interpreter(loop([doubling], name: "loop"))
    interpreter.memoryLimit = 4 << 20
    #expect(
      message { _ = try interpreter.run(inputs()) }
        == "loop › body › double: the values that are needed at once take 6 MiB, of which this "
        + "machine can hold 4; give smaller inputs or fewer at once")
    // 8 bytes doubled 17 times.
    #expect(try interpreter.run(inputs(rounds: 17))["y"]?.byteCount == 1 << 20)
  }

  @Test func stacksThatGrow() throws {
    var interpreter = try interpreter(
      loop([copy], name: "loop", ["y", "stack"], results: ["c", "w", "w"]))
    interpreter.memoryLimit = 1 << 20
    #expect(
      message { _ = try interpreter.run(inputs()) }
        == "loop: the values that are needed at once take 1 MiB, of which this machine can hold 1; "
        + "give smaller inputs or fewer at once")
  }

  /// n rounds of a body of b nodes are 1 + n (1 + b) executions: the loop's own, a round's and a node's count alike.
  @Test(arguments: [0, 1, 2, 7], [0, 1, 3])
  func everyExecutionCounts(_ rounds: Int, _ nodes: Int) throws {
    let chain = (0..<nodes).map {
      Node(
        "Identity", name: "n\($0)", inputs: [$0 == 0 ? "v" : "w\($0 - 1)"], outputs: ["w\($0)"])
    }
    let result = nodes == 0 ? "v" : "w\(nodes - 1)"
    var interpreter = try interpreter(loop(chain, name: "loop", results: ["c", result]))
    interpreter.nodeLimit = 1 + rounds * (1 + nodes)
    #expect(try interpreter.run(inputs(rounds: Int64(rounds)))["y"]?.count == 2)
    // Each run has a budget of its own.
    #expect(try interpreter.run(inputs(rounds: Int64(rounds)))["y"]?.count == 2)
    interpreter.nodeLimit -= 1
    let text = message { _ = try interpreter.run(inputs(rounds: Int64(rounds))) }
    #expect(text.hasSuffix(": " + tooMany(interpreter.nodeLimit)), "\(text)")
  }

  @Test func nestedLoopsOf2ToThe63Rounds() throws {
    let inner = loop([copy], name: "inner", input: "v", ["w"])
    var interpreter = try interpreter(loop([inner], name: "outer"))
    interpreter.nodeLimit = 1002
    // Three are the outer loop, its round and the inner loop; then a round and its node in turns.
    #expect(
      message { _ = try interpreter.run(inputs()) } == "outer › body › inner › body › copy: "
        + tooMany(1002))
    // A body without nodes costs its rounds.
    var empty = try self.interpreter(loop([], name: "loop", results: ["c", "v"]))
    empty.nodeLimit = 1000
    #expect(message { _ = try empty.run(inputs()) } == "loop › body: " + tooMany(1000))
  }

  /// Slices without elements take no memory, however many there are.
  @Test func scansOfManySlices() throws {
    let body = Graph(
      nodes: [Node("Identity", name: "copy", inputs: ["slice"], outputs: ["part"])],
      inputs: [.init("slice", any)], outputs: [.init("part", any)])
    var interpreter = try interpreter(
      Node(
        "Scan", name: "scan", inputs: ["x"], outputs: ["y"],
        attributes: ["body": .graph(body), "num_scan_inputs": .int(1)]), inputs: ["x"])
    interpreter.nodeLimit = 1001
    #expect(
      message { _ = try interpreter.run(["x": Tensor.zeros([1 << 40, 0], .float32)]) }
        == "scan › body: " + tooMany(1001))
  }

  @Test func branchesCount() throws {
    let branch = Graph(
      nodes: [Node("Identity", name: "copy", inputs: ["x"], outputs: ["b"])],
      outputs: [.init("b", any)])
    var interpreter = try interpreter(
      Node(
        "If", name: "if", inputs: ["m"], outputs: ["y"],
        attributes: ["then_branch": .graph(branch), "else_branch": .graph(branch)]))
    let given = ["m": Tensor(scalar: true), "x": Tensor([Float(1), 2])]
    interpreter.nodeLimit = 3
    #expect(try interpreter.run(given)["y"]?.count == 2)
    interpreter.nodeLimit = 2
    #expect(
      message { _ = try interpreter.run(given) } == "if › then_branch › copy: " + tooMany(2))
  }

  @Test func theStandardLimitIsGenerous() {
    #expect(RunBudget.standardNodeLimit == 1 << 31)
  }
}
