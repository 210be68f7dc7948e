import Graphs
import Tensors
import Testing

@Suite struct ShapeInferenceTests {
  private func infer(
    _ graph: Graph, given: [String: Shape] = [:], evaluate: Graph.Evaluator? = nil
  ) throws -> Graph {
    try graph.inferringTypes(given: given, opsets: ["": 17], evaluate: evaluate)
  }

  /// Computes `Concat` and `Gather` of lists of int64.
  private func evaluate(_ node: Node, _: any Operator, _ inputs: [Tensor?]) -> [Tensor]? {
    let lists = inputs.map { $0!.elements(of: Int64.self) }
    switch node.operation {
    case "Concat": return [Tensor(lists.flatMap { $0 })]
    case "Gather": return [Tensor(lists[1].map { lists[0][Int($0)] })]
    default: return nil
    }
  }

  private static let chain = Graph(
    nodes: [
      Node("Transpose", inputs: ["x"], outputs: ["t"], attributes: ["perm": .ints([1, 0, 2])]),
      Node("Flatten", inputs: ["t"], outputs: ["f"]),
      Node("Mystery", inputs: ["f"], outputs: ["m"]),
      Node("Unsqueeze", inputs: ["f", "axes"], outputs: ["y"]),
    ],
    inputs: [.init("x", ValueType(.float32, ["N", 3, 4]))],
    outputs: [.init("y", ValueType(nil, nil)), .init("m", ValueType(.int8, [2]))],
    constants: ["axes": Tensor([Int64(0)])])

  @Test func namesTravelThroughNodes() throws {
    let graph = try infer(ShapeInferenceTests.chain)
    #expect(graph.valueTypes["t"]?.description == "float32[3, N, 4]")
    #expect(graph.valueTypes["f"]?.description == "float32[3, ?]")
    #expect(graph.outputs[0].type.description == "float32[1, 3, ?]")
  }

  @Test func givenShapesTakeTheNamesPlace() throws {
    let graph = try infer(ShapeInferenceTests.chain, given: ["x": [5, 3, 4]])
    #expect(graph.inputs[0].type.description == "float32[5, 3, 4]")
    #expect(graph.outputs[0].type.description == "float32[1, 3, 20]")
  }

  @Test func unknownOperatorsGiveWhatIsDeclared() throws {
    let graph = try infer(ShapeInferenceTests.chain)
    #expect(graph.valueTypes["m"]?.description == "?[…]")
    #expect(graph.outputs[1].type.description == "int8[2]")
  }

  @Test(
    arguments: [
      (["z": [1]], "unknown input 'z'; the network has 'x'"),
      (["x": [1, 2]], "x: is given as [1, 2]; the network takes float32[N, 3, 4]"),
      (["x": [1, 2, 4]], "x: is given as [1, 2, 4]; the network takes float32[N, 3, 4]"),
    ] as [([String: Shape], String)])
  func wrongShapes(_ given: [String: Shape], _ expected: String) {
    let error = #expect(throws: GraphError.self) {
      try infer(ShapeInferenceTests.chain, given: given)
    }
    #expect(error?.description == expected)
  }

  @Test func oneNameTwoLengths() {
    let graph = Graph(
      inputs: [
        .init("a", ValueType(.float32, ["N"])), .init("b", ValueType(.float32, ["N"])),
      ])
    let error = #expect(throws: GraphError.self) {
      try infer(graph, given: ["a": [2], "b": [3]])
    }
    #expect(error?.description == "b: is given as [3], so that N is both 2 and 3")
  }

  @Test func targetsMadeOfShapesBecomeKnown() throws {
    let graph = Graph(
      nodes: [
        Node("Shape", inputs: ["x"], outputs: ["s"]),
        Node("Gather", inputs: ["s", "zero"], outputs: ["first"]),
        Node(
          "Concat", inputs: ["first", "rest"], outputs: ["target"], attributes: ["axis": .int(0)]),
        Node("Reshape", inputs: ["x", "target"], outputs: ["y"]),
      ],
      inputs: [.init("x", ValueType(.float32, ["N", 3, 4]))],
      outputs: [.init("y", ValueType(nil, nil))],
      constants: ["zero": Tensor([Int64(0)]), "rest": Tensor([Int64(-1)])])
    let known = try infer(graph, given: ["x": [7, 3, 4]], evaluate: evaluate)
    #expect(known.outputs[0].type.description == "float32[7, 12]")
    // The input's value is not known, its shape neither: only the number of axes is.
    let open = try infer(graph, evaluate: evaluate)
    #expect(open.outputs[0].type.description == "float32[?, ?]")
  }

  @Test func errorsNameTheNode() {
    let graph = Graph(
      nodes: [
        Node(
          "Transpose", name: "turn", inputs: ["x"], outputs: ["y"], attributes: ["perm": .ints([0])]
        )
      ],
      inputs: [.init("x", ValueType(.float32, [1, 2]))], outputs: [.init("y", ValueType(nil, nil))])
    let error = #expect(throws: GraphError.self) { try infer(graph) }
    #expect(error?.description == "turn: attribute 'perm' is [0]; the input has 2 axes")
  }

  // MARK: - Control flow

  private func choice(_ constants: [String: Tensor]) -> Graph {
    func branch(_ node: Node) -> AttributeValue {
      .graph(Graph(nodes: [node], outputs: [.init("inner", ValueType(nil, nil))]))
    }
    return Graph(
      nodes: [
        Node(
          "If", inputs: ["c"], outputs: ["y"],
          attributes: [
            // Wrong where the first axis is not 1: then this branch must not run.
            "then_branch": branch(Node("Squeeze", inputs: ["x", "axes"], outputs: ["inner"])),
            "else_branch": branch(Node("Identity", inputs: ["x"], outputs: ["inner"])),
          ])
      ],
      inputs: [
        .init("x", ValueType(.float32, [2, 3])), .init("c", ValueType(.bool, [])),
      ],
      outputs: [.init("y", ValueType(nil, nil))],
      constants: ["axes": Tensor([Int64(0)])].merging(constants) { $1 })
  }

  @Test func branchesThatMayNotRunMayBeWrong() throws {
    let open = try infer(choice([:]))
    #expect(open.outputs[0].type.dimensions == nil)
    let known = try infer(choice(["c": Tensor(scalar: false)]))
    #expect(known.outputs[0].type.description == "float32[2, 3]")
    #expect(throws: GraphError.self) { try infer(choice(["c": Tensor(scalar: true)])) }
  }

  @Test func loopsStackTheirResults() throws {
    let body = Graph(
      nodes: [
        Node("Identity", inputs: ["c"], outputs: ["more"]),
        Node("Identity", inputs: ["v"], outputs: ["next"]),
        Node("Identity", inputs: ["outside"], outputs: ["seen"]),
      ],
      inputs: ["i", "c", "v"].map { .init($0, ValueType(nil, nil)) },
      outputs: ["more", "next", "seen"].map { .init($0, ValueType(nil, nil)) })
    let graph = Graph(
      nodes: [
        Node(
          "Loop", inputs: ["n", "", "v0"], outputs: ["y", "z"], attributes: ["body": .graph(body)])
      ],
      inputs: [
        .init("n", ValueType(.int64, [])), .init("v0", ValueType(.float32, [2])),
        .init("outside", ValueType(.int8, [5])),
      ],
      outputs: ["y", "z"].map { .init($0, ValueType(nil, nil)) })
    let inferred = try infer(graph)
    #expect(inferred.outputs[0].type.description == "float32[?]")
    #expect(inferred.outputs[1].type.description == "int8[?, 5]")
  }
}
