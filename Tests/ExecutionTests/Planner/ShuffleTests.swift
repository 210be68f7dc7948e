import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Execution

/// The shuffle of channels between grouped convolutions.
@Suite struct ShuffleTests {
  /// A pooling of single pixels, which lays images with their channels innermost, then Reshape, Transpose, Reshape.
  private func model(
    split: [Int64], permutation: [Int] = [0, 2, 1, 3, 4], codes: ElementType? = nil,
    scales: [Float] = [0.02, 0.02, 0.02]
  ) -> Model {
    var constants: [String: Tensor] = [
      "split": Tensor(split), "joined": Tensor([Int64(2), 24, 3, 5]),
      "zero": codes == .int8 ? Tensor(scalar: Int8(-11)) : Tensor(scalar: UInt8(117)),
      "s": Tensor(scalar: Float(0.02)),
    ]
    var nodes: [Node] = []
    func add(_ node: Node, _ scale: Int?) {
      let output = node.outputs[0]
      nodes.append(node)
      guard codes != nil, let scale else { return }
      constants["s\(scale)"] = Tensor(scalar: scales[scale])
      nodes[nodes.count - 1].outputs = [output + "f"]
      nodes.append(
        Node(
          "QuantizeLinear", inputs: [output + "f", "s\(scale)", "zero"], outputs: [output + "q"]))
      nodes.append(
        Node("DequantizeLinear", inputs: [output + "q", "s\(scale)", "zero"], outputs: [output]))
    }
    if codes != nil {
      nodes.append(Node("QuantizeLinear", inputs: ["x", "s", "zero"], outputs: ["xq"]))
      nodes.append(Node("DequantizeLinear", inputs: ["xq", "s", "zero"], outputs: ["xd"]))
    }
    add(
      Node(
        "MaxPool", inputs: [codes == nil ? "x" : "xd"], outputs: ["p"],
        attributes: ["kernel_shape": .ints([1, 1])]), 0)
    add(Node("Reshape", inputs: ["p", "split"], outputs: ["a"]), 0)
    add(
      Node(
        "Transpose", inputs: ["a"], outputs: ["b"], attributes: ["perm": .ints(permutation)]), 1)
    add(Node("Reshape", inputs: ["b", "joined"], outputs: ["y"]), 2)
    return Model(
      Graph(
        nodes: nodes, inputs: [.init("x", .init(.float32, [2, 24, 3, 5]))],
        outputs: [.init("y", .init(.float32, nil))], constants: constants), opset: 19)
  }

  private let inputs = ["x": Tensor.random([2, 24, 3, 5], seed: 5)]

  private func kinds(_ model: Model) throws -> [String] {
    let compiled = try CompiledModel(model)
    let expected = try Interpreter(model).run(inputs)["y"]!
    #expect(try compiled.run(inputs)["y"]!.isIdentical(to: expected))
    return try #require(try compiled.plan(for: inputs)).steps.map(\.kind)
  }

  @Test(arguments: [1, 2, 3, 4, 6, 8, 12, 24], [nil, ElementType.uint8, .int8])
  func isOneStep(_ groups: Int, _ codes: ElementType?) throws {
    let split = [2, Int64(groups), Int64(24 / groups), 3, 5]
    let kinds = try kinds(model(split: split, codes: codes))
    #expect(kinds.contains("channel shuffle"), "\(kinds)")
    #expect(!kinds.contains { $0.contains("Transpose") }, "\(kinds)")
  }

  @Test func otherOrdersAreComputedAsTheyAre() throws {
    #expect(
      try !kinds(model(split: [2, 4, 6, 3, 5], permutation: [0, 1, 2, 4, 3]))
        .contains("channel shuffle"))
    #expect(try !kinds(model(split: [2, 2, 12, 5, 3])).contains("channel shuffle"))
    #expect(try !kinds(model(split: [1, 2, 24, 3, 5])).contains("channel shuffle"))
  }

  @Test(arguments: [1, 2])
  func scalesThatChangeOnTheWayAreNotPassedOver(_ where: Int) throws {
    var scales: [Float] = [0.02, 0.02, 0.02]
    scales[`where`] = 0.03
    #expect(
      try !kinds(model(split: [2, 4, 6, 3, 5], codes: .uint8, scales: scales))
        .contains("channel shuffle"))
  }

  /// A value in the middle that is an output, or is to be kept, exists.
  @Test func valuesThatAreWantedAreNotSwallowed() throws {
    var model = model(split: [2, 4, 6, 3, 5])
    model.graph.outputs.append(.init("b", .init(.float32, nil)))
    let found = try CompiledModel(model).run(inputs)
    for (name, value) in try Interpreter(model).run(inputs) {
      #expect(found[name]!.isIdentical(to: value))
    }
  }
}
