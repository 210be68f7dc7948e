import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Execution

/// Weights are packed once for all plans of a network.
@Suite struct PackedWeightsTests {
  /// A convolution, a depthwise one and a product, whose weights are numbers or codes; any number of images.
  private func model(codes: Bool) -> Model {
    var constants: [String: Tensor] = [
      "s": Tensor(scalar: Float(0.01)), "shape": Tensor([Int64(0), -1]),
      "axes": Tensor([Int64(2), 3]),
    ]
    var nodes: [Node] = []
    for (name, shape) in [
      ("w1", [8, 3, 3, 3]), ("w2", [8, 1, 3, 3]), ("w3", [8, 5]),
    ] as [(String, Shape)] {
      if codes {
        constants[name + "_q"] = .randomCodes(shape, seed: 3)
        nodes.append(Node("DequantizeLinear", inputs: [name + "_q", "s"], outputs: [name]))
      } else {
        constants[name] = .random(shape, seed: 3)
      }
    }
    nodes += [
      Node("Conv", inputs: ["x", "w1"], outputs: ["a"]),
      Node("Conv", inputs: ["a", "w2"], outputs: ["b"], attributes: ["group": .int(8)]),
      Node("ReduceMean", inputs: ["b", "axes"], outputs: ["c"], attributes: ["keepdims": .int(0)]),
      Node("MatMul", inputs: ["c", "w3"], outputs: ["y"]),
    ]
    return Model(
      Graph(
        nodes: nodes,
        inputs: [
          .init("x", .init(.float32, [.named("N"), .fixed(3), .named("H"), .named("W")]))
        ], outputs: [.init("y", .init(.float32, nil))], constants: constants), opset: 18)
  }

  @Test(arguments: [false, true])
  func areSharedByPlans(_ codes: Bool) throws {
    let model = model(codes: codes)
    let compiled = try CompiledModel(model)
    #expect(compiled.packedWeights == (0, 0))
    var sizes: [Int] = []
    for (index, shape)
      in ([[1, 3, 9, 9], [2, 3, 9, 9], [1, 3, 17, 8], [5, 3, 6, 7]] as [Shape])
      .enumerated()
    {
      let inputs = ["x": Tensor.random(shape, seed: 1)]
      let found = try compiled.run(inputs)["y"]!
      #expect(found.isIdentical(to: try CompiledModel(model).run(inputs)["y"]!))
      #expect(compiled.planCount == index + 1)
      #expect(compiled.packedWeights.count == 3)
      sizes.append(compiled.packedWeights.byteCount)
    }
    #expect(Set(sizes).count == 1)
    // 27 × 8 and 8 × 5 numbers in panels of 32 columns, 9 × 8 as they are.
    #expect(sizes[0] == 4 * (27 * 32 + 8 * 32 + 72))
  }

  /// Plans that are given up for others leave weights for those that come.
  @Test func outliveThePlans() throws {
    let compiled = try CompiledModel(model(codes: false))
    for size in 6..<30 {
      _ = try compiled.run(["x": Tensor.random([1, 3, size, size], seed: 1)])
    }
    #expect(compiled.planCount <= 8)
    #expect(compiled.packedWeights.count == 3)
  }

  /// Two nodes that read the same weights in the same layout share them too; in another they do not.
  @Test func areSharedByNodes() throws {
    let nodes = [
      Node("MatMul", inputs: ["x", "w"], outputs: ["a"]),
      Node("MatMul", inputs: ["a", "w"], outputs: ["b"]),
      Node("Gemm", inputs: ["b", "w"], outputs: ["y"], attributes: ["transB": .int(1)]),
    ]
    let w = Tensor.random([4, 4], seed: 1)
    let graph = Graph(
      nodes: nodes, inputs: [.init("x", .init(.float32, [.fixed(3), .fixed(4)]))],
      outputs: [.init("y", .init(.float32, nil))], constants: ["w": w])
    let compiled = try CompiledModel(Model(graph))
    let x = Tensor.random([3, 4], seed: 2)
    let expected = try Interpreter(Model(graph)).run(["x": x])["y"]!
    #expect(largestDifference(try compiled.run(["x": x])["y"]!, expected) < 1e-5)
    #expect(compiled.packedWeights == (2, 2 * 4 * 32 * 4))
  }

  /// Codes that mean something else in each product are not taken for the same weights.
  @Test func codesOnOtherScalesAreOthers() throws {
    let attributes: [String: AttributeValue] = [
      "K": .int(20), "N": .int(4), "bits": .int(4), "block_size": .int(16),
    ]
    func product(_ scales: String, _ zeros: [String], _ y: String, inputs: Int = 20) -> Node {
      Node(
        .microsoft("MatMulNBits"), inputs: ["x\(inputs)", "w", scales] + zeros, outputs: [y],
        attributes: attributes.merging(["K": .int(inputs)]) { $1 })
    }
    let names = ["a", "b", "c", "d"]
    let graph = Graph(
      nodes: [
        product("s", [], "a"), product("t", [], "b"), product("s", ["z"], "c"),
        product("s", [], "d", inputs: 30),
      ],
      inputs: [.init("x20", .init(.float32, [3, 20])), .init("x30", .init(.float32, [3, 30]))],
      outputs: names.map { .init($0, .init(.float32, nil)) },
      constants: [
        "w": Tensor((0..<64).map { UInt8($0 * 4 + 1) }, shape: [4, 2, 8]),
        "s": .random([8], seed: 1), "t": .random([8], seed: 2),
        "z": Tensor([UInt8](repeating: 0x35, count: 4)),
      ])
    var model = Model(graph)
    model.opsets["com.microsoft"] = 1
    let inputs = ["x20": Tensor.random([3, 20], seed: 3), "x30": .random([3, 30], seed: 4)]
    let found = try CompiledModel(model).run(inputs)
    let expected = try Interpreter(model).run(inputs)
    for name in names {
      #expect(largestDifference(found[name]!, expected[name]!) < 1e-4, "\(name)")
    }
  }

  /// What a reference function reads as numbers is made of codes once as well, and freed with the network.
  @Test func referenceFunctionsShareNumbers() throws {
    let nodes = [
      Node("DequantizeLinear", inputs: ["w_q", "s"], outputs: ["w"]),
      Node("ConvTranspose", inputs: ["x", "w"], outputs: ["y"]),
    ]
    let graph = Graph(
      nodes: nodes,
      inputs: [.init("x", .init(.float32, [.named("N"), .fixed(2), .fixed(4), .fixed(4)]))],
      outputs: [.init("y", .init(.float32, nil))],
      constants: ["w_q": .randomCodes([2, 3, 2, 2], seed: 1), "s": Tensor(scalar: Float(0.1))])
    let compiled = try CompiledModel(Model(graph))
    for images in 1...3 {
      let inputs = ["x": Tensor.random([images, 2, 4, 4], seed: 2)]
      let expected = try Interpreter(Model(graph)).run(inputs)["y"]!
      #expect(try compiled.run(inputs)["y"]!.isIdentical(to: expected))
      #expect(compiled.packedWeights == (1, 4 * 24))
    }
  }

  /// Steps that are left to reference functions take memory from one pool.
  @Test func referenceStepsShareMemory() throws {
    let nodes = (0..<5).map { index in
      Node("Sin", inputs: [index == 0 ? "x" : "v\(index)"], outputs: ["v\(index + 1)"])
    }
    let graph = Graph(
      nodes: nodes, inputs: [.init("x", .init(.float32, [.fixed(1000)]))],
      outputs: [.init("v5", .init(.float32, nil))])
    let compiled = try CompiledModel(Model(graph))
    let inputs = ["x": Tensor.random([1000], seed: 2)]
    let plan = try #require(try compiled.plan(for: inputs))
    #expect(plan.steps.allSatisfy(\.isReference) && plan.steps.count == 5)
    _ = try compiled.run(inputs)
    #expect(plan.pool.keptByteCount == 4000)
  }
}
