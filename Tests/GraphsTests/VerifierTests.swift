import Graphs
import Tensors
import Testing

@Suite struct VerifierTests {
  private func graph(
    _ nodes: [Node], inputs: [String] = ["x"], outputs: [String] = ["y"],
    constants: [String: Tensor] = [:]
  ) -> Graph {
    Graph(
      nodes: nodes, inputs: inputs.map { .init($0, ValueType(nil, nil)) },
      outputs: outputs.map { .init($0, ValueType(nil, nil)) }, constants: constants)
  }

  private func node(
    _ name: String, _ inputs: [String], _ outputs: [String],
    _ attributes: [String: AttributeValue] = [:]
  ) -> Node {
    Node("QuantizeLinear", name: name, inputs: inputs, outputs: outputs, attributes: attributes)
  }

  // MARK: Order

  @Test func keepsAnOrderThatIsRight() throws {
    let nodes = [
      node("b", ["x"], ["b"]), node("a", ["x"], ["a"]), node("c", ["a", "b"], ["y"]),
    ]
    #expect(try graph(nodes).verified().nodes.map(\.name) == ["b", "a", "c"])
  }

  @Test func putsNodesAfterThoseTheyReadFrom() throws {
    let nodes = [
      node("d", ["c"], ["y"]), node("b", ["a"], ["b"]), node("c", ["b", "a"], ["c"]),
      node("a", ["x"], ["a"]),
    ]
    #expect(try graph(nodes).verified().nodes.map(\.name) == ["a", "b", "c", "d"])
    let error = #expect(throws: GraphError.self) { try Model(graph(nodes)).verify() }
    #expect(
      error?.description == "d: reads 'c', which c computes later; put the nodes in order")
  }

  @Test func aLongChainBackwardsIsNoMatterOfTheStack() throws {
    let count = 200_000
    let nodes = (0..<count).reversed().map {
      node("", [$0 == 0 ? "x" : "v\($0 - 1)"], ["v\($0)"])
    }
    let sorted = try graph(nodes, outputs: ["v\(count - 1)"]).verified()
    #expect(sorted.nodes.first?.inputs == ["x"])
    #expect(sorted.nodes.last?.outputs == ["v\(count - 1)"])
  }

  @Test func branchesAreSortedAndTheirReadsCount() throws {
    let branch = graph(
      [node("2", ["inner", "late"], ["out"]), node("1", ["x"], ["inner"])], inputs: [],
      outputs: ["out"])
    let nodes = [
      node("if", ["x"], ["y"], ["then_branch": .graph(branch)]), node("late", ["x"], ["late"]),
    ]
    let sorted = try graph(nodes).verified()
    #expect(sorted.nodes.map(\.name) == ["late", "if"])
    #expect(sorted.nodes[1].subgraphs[0].nodes.map(\.name) == ["1", "2"])
  }

  @Test func namesTheNodesOfACycle() {
    let nodes = [
      node("ok", ["x"], ["o"]), node("a", ["o", "c"], ["a"]), node("b", ["a"], ["b"]),
      node("c", ["b"], ["c"]), node("d", ["c"], ["y"]),
    ]
    let error = #expect(throws: GraphError.self) { try graph(nodes).verified() }
    #expect(error?.code == .cycle)
    #expect(
      error?.description
        == "nodes wait for each other: b → c → a → b; the graph must have no cycle")
  }

  @Test func aNodeThatReadsItself() {
    let error = #expect(throws: GraphError.self) {
      try graph([node("a", ["a"], ["a"])], outputs: ["a"]).verified()
    }
    #expect(
      error?.description == "nodes wait for each other: a → a; the graph must have no cycle")
  }

  @Test func aCycleThroughABranch() {
    let branch = graph([node("n", ["y"], ["out"])], inputs: [], outputs: ["out"])
    let error = #expect(throws: GraphError.self) {
      try graph([node("if", ["x"], ["y"], ["then_branch": .graph(branch)])]).verified()
    }
    #expect(error?.code == .cycle)
  }

  // MARK: Names

  @Test func refusesNamesThatAreAssignedTwiceOrNever() {
    let quantize = node("n", ["x"], ["y"])
    let wrong: [(Graph, String)] = [
      (
        graph([node("n", ["x", "q"], ["y"])]),
        "n: reads 'q', which no node computes and which is neither input nor constant"
      ),
      (
        graph([quantize, node("m", ["x"], ["y"])]),
        "m: computes 'y', which another node computes too or which is an input or constant"
      ),
      (
        graph([quantize], constants: ["y": Tensor(scalar: 1 as Float)]),
        "n: computes 'y', which another node computes too or which is an input or constant"
      ),
      (graph([quantize], inputs: ["x", "x"]), "the input 'x' is another input or a constant too"),
      (
        graph([quantize], constants: ["x": Tensor(scalar: 1 as Float)]),
        "the input 'x' is another input or a constant too"
      ),
      (graph([quantize], inputs: ["x", ""]), "an input has no name; every input must have one"),
      (graph([quantize], outputs: ["z"]), "the output 'z' is computed by no node"),
      (graph([quantize], outputs: ["y", "y"]), "the output 'y' stands twice; name each once"),
    ]
    for (graph, message) in wrong {
      let error = #expect(throws: GraphError.self) { try graph.verified() }
      #expect(error?.code == .invalidName)
      #expect(error?.description == message)
    }
  }

  @Test func namesInsideABranchAreItsOwn() throws {
    let inner = graph([node("n", ["x"], ["v"])], inputs: [], outputs: ["v", "v"])
    let branches: [String: AttributeValue] = [
      "then_branch": .graph(inner), "else_branch": .graph(inner),
    ]
    _ = try graph([node("if", ["x"], ["y"], branches)]).verified()
    let error = #expect(throws: GraphError.self) {
      try graph([node("if", ["x"], ["y"], branches), node("m", ["v"], ["w"])]).verified()
    }
    #expect(error?.path == ["m"])
    let dangling = graph([node("n", ["q"], ["v"])], inputs: [], outputs: ["v"])
    let inside = #expect(throws: GraphError.self) {
      try graph([node("if", ["x"], ["y"], ["then_branch": .graph(dangling)])]).verified()
    }
    #expect(inside?.path == ["if", "n"])
  }

  // MARK: Operators

  @Test func listsAllUnknownOperatorsAtOnce() {
    let branch = graph([Node("Nope", inputs: ["x"], outputs: ["b"])], inputs: [], outputs: ["b"])
    let nodes = [
      Node("Nope", name: "first", inputs: ["x"], outputs: ["a"]),
      Node("Loop2", name: "l", inputs: ["x"], outputs: ["c"], attributes: ["body": .graph(branch)]),
      Node(.microsoft("Never"), name: "last", inputs: ["a"], outputs: ["y"]),
    ]
    let error = #expect(throws: GraphError.self) { try Model(graph(nodes)).verify() }
    #expect(error?.code == .unsupportedOperator)
    #expect(
      error?.description
        == "unsupported operators: Loop2 (l), Nope (first, l › Nope → b), com.microsoft.Never (last); "
        + "replace these nodes or leave the part out")
    _ = try? graph(nodes).verified()
  }

  @Test func namesTheNodeOfAWrongSetting() {
    let nodes = [node("q", ["x", "s"], ["y"], ["axis": .string("1")])]
    let model = Model(graph(nodes, constants: ["s": Tensor(scalar: 1 as Float)]))
    let error = #expect(throws: GraphError.self) { try model.verify() }
    #expect(error?.description == "q: attribute 'axis' is a text; must be an integer")
  }

  @Test func aGraphMustHaveOutputs() {
    let error = #expect(throws: GraphError.self) { try Model(graph([], outputs: [])).verify() }
    #expect(
      error?.description == "the graph has no outputs; it must compute something")
  }
}
