import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Execution

/// Chains of element-wise and row-wise operations as one step: bit by bit what their nodes give one by one.
@Suite struct RowProgramTests {
  /// Nodes that compute `y` of `x`, and of `r` of the same shape.
  struct Chain: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let nodes: [Node]
    var constants: [String: Tensor] = [:]
    /// How many steps there are.
    var steps = 1

    static let all: [Chain] = [gelu, gelu2, norm(false), norm(true), layerNorm, scores, others]

    private static let numbers: [String: Tensor] = [
      "half": Tensor(scalar: Float(0.5)), "one": Tensor(scalar: Float(1)),
      "two": Tensor(scalar: Float(2)), "root": Tensor(scalar: Float(1.4142135)),
      "epsilon": Tensor(scalar: Float(1e-12)),
    ]

    private static func binary(_ operation: OperatorName, _ a: String, _ b: String, _ y: String)
      -> Node
    { Node(operation, inputs: [a, b], outputs: [y]) }

    private static let gelu = Chain(
      testDescription: "x · (erf(x / √2) + 1) · 0.5",
      nodes: [
        binary("Div", "x", "root", "a"), Node("Erf", inputs: ["a"], outputs: ["b"]),
        binary("Add", "b", "one", "c"), binary("Mul", "x", "c", "d"),
        binary("Mul", "d", "half", "y"),
      ], constants: numbers)

    private static let gelu2 = Chain(
      testDescription: "(0.5 · x) · (1 + erf(x / √2))",
      nodes: [
        binary("Mul", "half", "x", "d"), binary("Div", "x", "root", "a"),
        Node("Erf", inputs: ["a"], outputs: ["b"]), binary("Add", "one", "b", "c"),
        binary("Mul", "d", "c", "y"),
      ], constants: numbers)

    /// A normalization in single steps; `residual` is told besides where `isTold`.
    private static func norm(_ isTold: Bool) -> Chain {
      let mean = ["axes": AttributeValue.ints([-1])]
      return Chain(
        testDescription: "normalization in nine nodes \(isTold)",
        nodes: [
          binary("Add", "x", "r", "s"),
          Node("ReduceMean", inputs: ["s"], outputs: ["m"], attributes: mean),
          binary("Sub", "s", "m", "d"), binary("Pow", "d", "two", "p"),
          Node("ReduceMean", inputs: ["p"], outputs: ["v"], attributes: mean),
          binary("Add", "v", "epsilon", "e"), Node("Sqrt", inputs: ["e"], outputs: ["q"]),
          binary("Div", "d", "q", "n"), binary("Mul", "n", "gamma", "g"),
          binary("Add", "g", "beta", isTold ? "t" : "y"),
        ]
          + (isTold
            ? [
              Node("Neg", inputs: ["s"], outputs: ["o"]), binary("Add", "t", "o", "y"),
            ] : []),
        constants: numbers, steps: isTold ? 3 : 1)
    }

    private static let layerNorm = Chain(
      testDescription: "residual and LayerNormalization",
      nodes: [
        binary("Add", "r", "x", "s"),
        Node("LayerNormalization", inputs: ["s", "gamma", "beta"], outputs: ["y"]),
      ])

    private static let scores = Chain(
      testDescription: "scale, mask, softmax",
      nodes: [
        binary("Div", "x", "root", "a"), binary("Add", "a", "mask", "b"),
        Node("Softmax", inputs: ["b"], outputs: ["y"]),
      ], constants: numbers)

    private static let others = Chain(
      testDescription: "others",
      nodes: [
        Node("Sigmoid", inputs: ["x"], outputs: ["a"]), binary("Mul", "a", "x", "b"),
        binary("Max", "b", "r", "c"), Node("Reciprocal", inputs: ["c"], outputs: ["d"]),
        Node("Tanh", inputs: ["d"], outputs: ["e"]), binary("Min", "e", "column", "f"),
        Node("Clip", inputs: ["f", "", "half"], outputs: ["g"]),
        Node("Exp", inputs: ["g"], outputs: ["h"]), binary("Sub", "mask", "h", "y"),
      ], constants: numbers)
  }

  static let shapes: [Shape] = [
    [1], [7], [1, 1], [3, 1], [5, 13], [2, 3, 1], [2, 3, 7], [1, 2, 5, 33], [3, 2, 4, 17],
    [2, 1, 131, 384], [1, 3, 5000],
  ]

  private func model(_ chain: Chain, _ shape: Shape, asConstants: Bool) -> (Model, [String: Tensor])
  {
    var constants = chain.constants
    var inputs = ["x": Tensor.random(shape, seed: 1), "r": Tensor.random(shape, seed: 2)]
    let length = shape[-1]
    constants["gamma"] = .random([length], seed: 3)
    constants["beta"] = .random([length], seed: 4)
    // As masks are: one row for all that share the first index.
    var mask = [Int](repeating: 1, count: shape.rank)
    mask[mask.count - 1] = length
    if shape.rank > 2 { mask[0] = shape[0] }
    let column = Array(shape.dimensions.dropLast()) + [1]
    for (name, shape) in [("mask", Shape(mask)), ("column", Shape(column))] {
      let tensor = Tensor.random(shape, seed: 5)
      if asConstants { constants[name] = tensor } else { inputs[name] = tensor }
    }
    let used = Set(chain.nodes.flatMap(\.inputs))
    inputs = inputs.filter { used.contains($0.key) }
    let graph = Graph(
      nodes: chain.nodes,
      inputs: inputs.keys.sorted().map { .init($0, .init(.float32, inputs[$0]!.shape)) },
      outputs: [.init("y", .init(.float32, nil))],
      constants: constants.filter { used.contains($0.key) })
    return (Model(graph, opset: 17), inputs)
  }

  @Test(arguments: Chain.all, shapes)
  func areBitEqualToTheirNodes(_ chain: Chain, _ shape: Shape) throws {
    for asConstants in [false, true] {
      let (model, inputs) = model(chain, shape, asConstants: asConstants)
      let expected = try Interpreter(model).run(inputs)["y"]!
      let compiled = try CompiledModel(model)
      #expect(try compiled.run(inputs)["y"]!.isIdentical(to: expected))
      let mapped = try CompiledModel(model.withConstantsAtOddAddresses())
      for _ in 0..<3 { #expect(try mapped.run(inputs)["y"]!.isIdentical(to: expected)) }
      let steps = try #require(try compiled.plan(for: inputs)).steps
      #expect(steps.count == chain.steps, "\(steps.map { ($0.label, $0.kind) })")
    }
  }

  @Test func valuesThatAreKeptAreThere() throws {
    let (model, inputs) = model(.all[0], [2, 3, 7], asConstants: true)
    let compiled = try CompiledModel(model, keeping: ["b", "d"])
    var found: [String: Tensor] = [:]
    _ = try compiled.run(inputs, observing: ["a", "b", "c", "d"]) { found[$0] = $1 }
    #expect(found.keys.sorted() == ["b", "d"])
    let expected = try Interpreter(model)
    var all: [String: Tensor] = [:]
    _ = try expected.run(inputs) { all[$0] = $1 }
    for name in found.keys { #expect(found[name]!.isIdentical(to: all[name]!)) }
  }

  /// A node that joins before its turn, since one that does reads it, joins once; others read it where it is.
  @Test func nodesJoinOnce() throws {
    let nodes = [
      Node("Add", inputs: ["x", "c"], outputs: ["a"]),
      Node("ReduceMean", inputs: ["x"], outputs: ["m"], attributes: ["axes": .ints([-1])]),
      Node("Mul", inputs: ["x", "m"], outputs: ["b"]),
      Node("Add", inputs: ["b", "a"], outputs: ["y"]),
      Node("Sin", inputs: ["b"], outputs: ["z"]),
    ]
    let graph = Graph(
      nodes: nodes, inputs: [.init("x", .init(.float32, [4, 9]))],
      outputs: ["y", "b", "z"].map { .init($0, .init(.float32, nil)) },
      constants: ["c": .random([9], seed: 3)])
    let model = Model(graph, opset: 17)
    let inputs = ["x": Tensor.random([4, 9], seed: 1)]
    let compiled = try CompiledModel(model)
    let found = try compiled.run(inputs)
    for (name, value) in try Interpreter(model).run(inputs) {
      #expect(found[name]!.isIdentical(to: value), "\(name)")
    }
    let steps = try #require(try compiled.plan(for: inputs)).steps
    #expect(steps.map(\.kind) == ["element-wise chain", "Sin"])
    #expect(steps[0].writes.count == 2)
  }

  /// Where nodes are told, each is a step of its own, with the same bits.
  @Test(arguments: Chain.all) func nodesAreTold(_ chain: Chain) throws {
    let (model, inputs) = model(chain, [2, 3, 7], asConstants: true)
    let fused = try CompiledModel(model).run(inputs)["y"]!
    let told = try CompiledModel(model, tellingNodes: true)
    #expect(try told.run(inputs)["y"]!.isIdentical(to: fused))
    #expect(try told.existingValues(inputs).isSuperset(of: chain.nodes.flatMap(\.outputs)))
  }

  /// Between codes: read from codes and written as such; a chain of functions of one code is a table.
  @Test(arguments: [ElementType.uint8, .int8], [0, 2, 4])
  func areReadFromAndWrittenAsCodes(_ type: ElementType, _ index: Int) throws {
    let chain = Chain.all[index]
    let zero = type == .int8 ? Tensor(scalar: Int8(-3)) : Tensor(scalar: UInt8(120))
    func pair(_ x: String, _ y: String) -> [Node] {
      [
        Node("QuantizeLinear", inputs: [x, "scale", "zero"], outputs: [y + "/q"]),
        Node("DequantizeLinear", inputs: [y + "/q", "scale", "zero"], outputs: [y]),
      ]
    }
    for shape in [[3, 1], [2, 3, 7], [1, 9, 130]] as [Shape] {
      var (model, inputs) = model(chain, shape, asConstants: true)
      let nodes = chain.nodes.map { node in
        var node = node
        node.outputs = node.outputs.map { $0 == "y" ? "yf" : $0 }
        node.inputs = node.inputs.map { ["x", "r"].contains($0) ? $0 + "d" : $0 }
        return node
      }
      var graph = model.graph
      graph.nodes = graph.inputs.flatMap { pair($0.name, $0.name + "d") } + nodes + pair("yf", "y")
      graph.constants["scale"] = Tensor(scalar: Float(0.04))
      graph.constants["zero"] = zero
      model.graph = graph
      let compiled = try CompiledModel(model)
      let expected = try Interpreter(model).run(inputs)["y"]!
      #expect(try compiled.run(inputs)["y"]!.isIdentical(to: expected))
      let kinds = try #require(try compiled.plan(for: inputs)).steps.map(\.kind)
      let expectedKinds =
        [String](repeating: "quantize", count: inputs.count)
        + [index == 0 ? "table" : index == 2 ? "element-wise chain" : "LayerNormalization chain"]
        + ["dequantize"]
      #expect(kinds == expectedKinds)
    }
  }
}
