import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Execution

/// Concatenations of images along their channels, which steps write into where they can.
@Suite struct ConcatenationTests {
  /// What is put side by side: four branches of one image, of which `same` are quantized as the result.
  struct Case: CustomTestStringConvertible, Sendable {
    var codes: ElementType?
    var same = [true, true, true, true]
    var testDescription: String { "\(codes.map { "\($0)" } ?? "float"), \(same)" }

    static let all: [Case] = [
      .init(), .init(codes: .uint8), .init(codes: .int8),
      .init(codes: .uint8, same: [true, false, true, true]),
      .init(codes: .int8, same: [false, true, false, true]),
      .init(codes: .uint8, same: [false, false, false, false]),
    ]
  }

  private let inputs = ["x": Tensor.random([2, 8, 7, 5], seed: 5)]

  /// Builds nodes, with codes behind each where they are wanted.
  private struct Builder {
    let codes: ElementType?
    var nodes: [Node] = []
    var constants: [String: Tensor] = [:]

    init(codes: ElementType?) {
      self.codes = codes
      constants["zero"] = codes == .int8 ? Tensor(scalar: Int8(-11)) : Tensor(scalar: UInt8(117))
      constants["zeros"] = Tensor(scalar: Int8(0))
      for scale in [20, 31] { constants["s\(scale)"] = Tensor(scalar: Float(scale) / 1000) }
    }

    mutating func quantize(_ from: String, _ to: String, scale: Int = 20) {
      nodes += [
        Node("QuantizeLinear", inputs: [from, "s\(scale)", "zero"], outputs: [to + "q"]),
        Node("DequantizeLinear", inputs: [to + "q", "s\(scale)", "zero"], outputs: [to]),
      ]
    }

    mutating func add(_ node: Node, scale: Int = 20) {
      guard codes != nil else { return nodes.append(node) }
      let output = node.outputs[0]
      var node = node
      node.outputs = [output + "f"]
      nodes.append(node)
      quantize(output + "f", output, scale: scale)
    }

    mutating func convolve(_ from: String, _ to: String, _ weights: Shape, groups: Int, scale: Int)
    {
      let name = to + "w"
      if codes != nil {
        constants[name + "q"] = .randomCodes(weights, seed: UInt64(weights.count))
        constants[name + "s"] = Tensor(scalar: Float(0.002))
        nodes.append(
          Node("DequantizeLinear", inputs: [name + "q", name + "s", "zeros"], outputs: [name]))
      } else {
        constants[name] = .random(weights, seed: UInt64(weights.count), deviation: 0.3)
      }
      let pad = weights[2] / 2
      add(
        Node(
          "Conv", inputs: [from, name], outputs: [to],
          attributes: ["group": .int(groups), "pads": .ints([pad, pad, pad, pad])]), scale: scale)
    }
  }

  /// A pointwise, a depthwise and a wide convolution and a pooling of one image, side by side, and what is read of it.
  private func model(_ test: Case, outputs: [String] = ["y"], concat: [String]? = nil) -> Model {
    var b = Builder(codes: test.codes)
    if test.codes != nil { b.quantize("x", "xd") }
    let x = test.codes == nil ? "x" : "xd"
    let scales = test.same.map { $0 ? 20 : 31 }
    b.convolve(x, "a", [5, 8, 1, 1], groups: 1, scale: scales[0])
    b.convolve(x, "b", [8, 1, 3, 3], groups: 8, scale: scales[1])
    b.convolve(x, "c", [34, 4, 3, 3], groups: 2, scale: scales[2])
    b.add(
      Node(
        "MaxPool", inputs: [x], outputs: ["d"],
        attributes: ["kernel_shape": .ints([3, 3]), "pads": .ints([1, 1, 1, 1])]),
      scale: scales[3])
    b.add(
      Node(
        "Concat", inputs: concat ?? ["a", "b", "c", "d"], outputs: ["e"],
        attributes: ["axis": .int(1)]))
    b.add(
      Node("MaxPool", inputs: ["e"], outputs: ["y"], attributes: ["kernel_shape": .ints([2, 2])]))
    return Model(
      Graph(
        nodes: b.nodes, inputs: [.init("x", .init(.float32, [2, 8, 7, 5]))],
        outputs: outputs.map { .init($0, .init(.float32, nil)) }, constants: b.constants),
      opset: 19)
  }

  /// Runs a model, and the same with the branches kept, which so lie for themselves; gives how many steps put images together.
  private func concatenations(_ model: Model) throws -> Int {
    let compiled = try CompiledModel(model)
    let found = try compiled.run(inputs)
    let apart = try CompiledModel(model, keeping: ["a", "b", "c", "d"])
    for (name, value) in try apart.run(inputs) {
      #expect(found[name]?.isIdentical(to: value) == true, "\(name)")
    }
    for (name, value) in try Interpreter(model).run(inputs) {
      #expect(largestDifference(try #require(found[name]), value) < 0.0311)
    }
    let mapped = try CompiledModel(model.withConstantsAtOddAddresses()).run(inputs)
    for (name, value) in found { #expect(mapped[name]?.isIdentical(to: value) == true) }
    #expect(try count(apart) == 1)
    return try count(compiled)
  }

  private func count(_ model: CompiledModel) throws -> Int {
    try #require(try model.plan(for: inputs)).steps.count { $0.kind == "concat" }
  }

  @Test(arguments: Case.all) func isWrittenInto(_ test: Case) throws {
    #expect(try concatenations(model(test)) == (test.same.contains(false) ? 1 : 0))
  }

  /// A branch that somebody else reads, or that comes twice, is copied.
  @Test(arguments: [nil, ElementType.uint8, .int8])
  func whatIsReadTwiceIsCopied(_ codes: ElementType?) throws {
    let test = Case(codes: codes)
    #expect(try concatenations(model(test, outputs: ["y", "b"])) == 1)
    #expect(try concatenations(model(test, concat: ["a", "b", "c", "d", "b"])) == 1)
    #expect(try concatenations(model(test, concat: ["a", "x", "c", "d", "b"])) == 1)
  }

  /// What lies among other channels is told as what it is.
  @Test(arguments: Case.all) func branchesAreTold(_ test: Case) throws {
    let names: Set = ["a", "b", "c", "d", "e"]
    func told(_ model: CompiledModel) throws -> [String: Tensor] {
      var told: [String: Tensor] = [:]
      _ = try model.run(inputs, observing: names) { told[$0] = $1 }
      return told
    }
    let model = model(test)
    let found = try told(CompiledModel(model))
    #expect(Set(found.keys) == names)
    for (name, value) in try told(CompiledModel(model, keeping: names)) {
      #expect(found[name]?.isIdentical(to: value) == true, "\(name)")
    }
    _ = try CompiledModel(model).run(inputs, viewing: names) { name, value in
      let floats = try #require(value.withFloats { Array($0) })
      let order = try #require(found[name])
      #expect(floats.sorted() == order.elements(of: Float.self).sorted())
    }
  }
}
