import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Execution

/// Products of two values that are computed in the run, and the transposes around them.
@Suite struct StackedProductTests {
  private static let shapes: [(Shape, Shape)] = [
    ([1, 1], [1, 1]), ([5, 7], [7, 3]), ([2, 3, 5], [2, 5, 4]), ([2, 3, 5], [5, 4]),
    ([1, 3, 5], [6, 5, 33]), ([2, 1, 4, 40], [1, 3, 40, 35]), ([3, 2, 1, 9], [9, 1]),
    ([2, 3, 67, 13], [2, 3, 13, 67]), ([2, 31, 8, 32], [2, 31, 32, 8]), ([4, 130, 1], [4, 1, 70]),
  ]

  private func model(_ a: Shape, _ b: Shape) -> Model {
    Model(
      Graph(
        nodes: [Node("MatMul", inputs: ["a", "b"], outputs: ["y"])],
        inputs: [.init("a", .init(.float32, a)), .init("b", .init(.float32, b))],
        outputs: [.init("y", .init(.float32, nil))]))
  }

  @Test(arguments: shapes.indices, [1, 2, 5])
  func areThoseOfTheDefinition(_ index: Int, _ threads: Int) throws {
    let (a, b) = Self.shapes[index]
    let inputs = ["a": Tensor.random(a, seed: 1), "b": Tensor.random(b, seed: 2)]
    let model = model(a, b)
    let expected = try Interpreter(model).run(inputs)["y"]!
    let compiled = try CompiledModel(model)
    let before = Threads.count
    defer { Threads.count = before }
    Threads.count = threads
    let found = try compiled.run(inputs)["y"]!
    #expect(found.isIdentical(to: expected))
    let steps = try #require(try compiled.plan(for: inputs)).steps
    #expect(steps.map(\.kind) == ["float product"])
  }

  @Test func ofNothingAreEmptyOrZero() throws {
    for (a, b) in [([2, 0, 3], [2, 3, 4]), ([2, 3, 0], [2, 0, 4]), ([0, 3, 2], [0, 2, 4])]
      as [(Shape, Shape)]
    {
      let inputs = ["a": Tensor.random(a, seed: 1), "b": Tensor.random(b, seed: 2)]
      let model = model(a, b)
      let expected = try Interpreter(model).run(inputs)["y"]!
      #expect(try CompiledModel(model).run(inputs)["y"]!.isIdentical(to: expected))
    }
  }

  // MARK: - Attention

  /// Heads of queries, keys and values of `[batch, length, heads · size]`: scores, softmax, sums, and heads together again.
  private func attention(
    _ batch: Int, _ length: Int, _ heads: Int, _ size: Int, codes: ElementType?
  ) -> Model {
    var nodes: [Node] = []
    var constants: [String: Tensor] = [
      "split": Tensor([0, 0, Int64(heads), Int64(size)]),
      "join": Tensor([0, 0, Int64(heads * size)]), "root": Tensor(scalar: Float(2.5)),
      "scale": Tensor(scalar: Float(0.03)), "shares": Tensor(scalar: Float(1) / 255),
      "zero": codes == .int8 ? Tensor(scalar: Int8(5)) : Tensor(scalar: UInt8(130)),
      "none": Tensor(scalar: UInt8(0)),
    ]
    func add(_ operation: OperatorName, _ inputs: [String], _ output: String, _ order: [Int]? = nil)
    {
      nodes.append(
        Node(
          operation, inputs: inputs, outputs: [output],
          attributes: order.map { ["perm": .ints($0)] } ?? [:]))
    }
    func pair(_ x: String, _ y: String, _ scale: String = "scale", _ zero: String = "zero") {
      add("QuantizeLinear", [x, scale, zero], y + "/q")
      add("DequantizeLinear", [y + "/q", scale, zero], y)
    }
    let isCoded = codes != nil
    for (name, order) in [("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])] {
      if isCoded { pair(name, name + "0") }
      add("Reshape", [isCoded ? name + "0" : name, "split"], name + "1")
      add("Transpose", [name + "1"], name + "2", order)
    }
    add("MatMul", ["q2", "k2"], "s0")
    add("Div", ["s0", "root"], "s1")
    add("Add", ["s1", "mask"], "s2")
    add("Softmax", ["s2"], isCoded ? "s3" : "s")
    if isCoded { pair("s3", "s", "shares", "none") }
    add("MatMul", ["s", "v2"], "o0")
    if isCoded { pair("o0", "o0d") }
    add("Transpose", [isCoded ? "o0d" : "o0"], "o1", [0, 2, 1, 3])
    add("Reshape", ["o1", "join"], "y")
    if !isCoded { constants = constants.filter { ["split", "join", "root"].contains($0.key) } }
    let shape = Shape([batch, length, heads * size])
    return Model(
      Graph(
        nodes: nodes,
        inputs: ["q", "k", "v"].map { .init($0, .init(.float32, shape)) }
          + [.init("mask", .init(.float32, Shape([batch, 1, 1, length])))],
        outputs: [.init("y", .init(.float32, nil))], constants: constants), opset: 17)
  }

  private func inputs(_ batch: Int, _ length: Int, _ width: Int) -> [String: Tensor] {
    let shape = Shape([batch, length, width])
    return [
      "q": .random(shape, seed: 1), "k": .random(shape, seed: 2), "v": .random(shape, seed: 3),
      "mask": .random([batch, 1, 1, length], seed: 4),
    ]
  }

  private static let attentions = [
    (1, 1, 1, 1), (1, 5, 1, 3), (2, 7, 3, 5), (1, 16, 4, 32), (3, 33, 2, 8), (1, 40, 1, 64),
  ]

  @Test(arguments: attentions.indices)
  func attentionNeedsNoTransposes(_ index: Int) throws {
    let (batch, length, heads, size) = Self.attentions[index]
    let model = attention(batch, length, heads, size, codes: nil)
    let inputs = inputs(batch, length, heads * size)
    let expected = try Interpreter(model).run(inputs)["y"]!
    let compiled = try CompiledModel(model)
    #expect(try compiled.run(inputs)["y"]!.isIdentical(to: expected))
    let mapped = try CompiledModel(model.withConstantsAtOddAddresses())
    #expect(try mapped.run(inputs)["y"]!.isIdentical(to: expected))
    let kinds = try #require(try compiled.plan(for: inputs)).steps.map(\.kind)
    #expect(kinds == ["float product", "Softmax chain", "float product"])
  }

  /// Products of codes as QLinearMatMul computes them, and numbers of the scores.
  @Test(arguments: attentions.indices, [ElementType.uint8, .int8])
  func attentionOfCodes(_ index: Int, _ type: ElementType) throws {
    let (batch, length, heads, size) = Self.attentions[index]
    let model = attention(batch, length, heads, size, codes: type)
    let inputs = inputs(batch, length, heads * size)
    let compiled = try CompiledModel(model)
    var found: [String: Tensor] = [:]
    let names: Set<String> = ["q2", "k2", "s0", "s/q", "v2", "o0d/q", "y"]
    let result = try compiled.run(inputs, observing: names) { found[$0] = $1 }["y"]!
    let kinds = try #require(try compiled.plan(for: inputs)).steps.map(\.kind)
    #expect(kinds.filter { $0 == "int8 product" }.count == 2, "\(kinds)")
    #expect(!kinds.contains("MatMul") && !kinds.contains("Transpose"), "\(kinds)")

    let constants = model.graph.constants
    let (scale, zero) = (constants["scale"]!, constants["zero"]!)
    func codes(_ name: String, _ order: [Int]) throws -> Tensor {
      let codes = try runNode("QuantizeLinear", [inputs[name]!, scale, zero])[0]
      let split = codes.reshaped(to: Shape([batch, length, heads, size]))
      return try runNode("Transpose", [split], ["perm": .ints(order)])[0]
    }
    let (q, k) = (try codes("q", [0, 2, 1, 3]), try codes("k", [0, 2, 3, 1]))
    let sums = try runNode("MatMulInteger", [q, k, zero, zero])[0]
    let scores = sums.elements(of: Int32.self).map { Float($0) * (Float(0.03) * 0.03) }
    let product = Tensor(scores, shape: sums.shape)
    let scaled = try runNode("Div", [product, constants["root"]!])[0]
    let masked = try runNode("Add", [scaled, inputs["mask"]!])[0]
    let shares = try runNode("Softmax", [masked], ["axis": .int(-1)])[0]
    let (unit, none) = (constants["shares"]!, constants["none"]!)
    let p = try runNode("QuantizeLinear", [shares, unit, none])[0]
    let v = try codes("v", [0, 2, 1, 3])
    let o = try runNode("QLinearMatMul", [p, unit, none, v, scale, zero, scale, zero])[0]
    let joined = try runNode("Transpose", [o], ["perm": .ints([0, 2, 1, 3])])[0]
    let expected = try runNode("DequantizeLinear", [joined, scale, zero])[0]
    #expect(result.isIdentical(to: expected.reshaped(to: result.shape)))
  }

  /// A bias behind a product with constant weights of any rank is added on the way.
  @Test(arguments: [false, true]) func biasesAreAddedOnTheWay(_ isFirst: Bool) throws {
    let graph = Graph(
      nodes: [
        Node("MatMul", inputs: ["x", "w"], outputs: ["p"]),
        Node("Add", inputs: isFirst ? ["b", "p"] : ["p", "b"], outputs: ["s"]),
        Node("Relu", inputs: ["s"], outputs: ["y"]),
      ], inputs: [.init("x", .init(.float32, [2, 5, 9]))],
      outputs: [.init("y", .init(.float32, nil))],
      constants: ["w": .random([9, 37], seed: 2), "b": .random([37], seed: 3)])
    let inputs = ["x": Tensor.random([2, 5, 9], seed: 1)]
    let expected = try Interpreter(Model(graph)).run(inputs)["y"]!
    let compiled = try CompiledModel(Model(graph))
    #expect(try compiled.run(inputs)["y"]!.isIdentical(to: expected))
    #expect(
      try #require(try compiled.plan(for: inputs)).steps.map(\.kind) == ["float product"])
  }
}
