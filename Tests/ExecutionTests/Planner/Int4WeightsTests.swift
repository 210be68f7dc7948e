import Graphs
import NumberFormats
import Tensors
import Testing
import _TestSupport

@testable import Execution

/// Products whose weights a DequantizeLinear makes of codes of 4 bits: they stay codes in memory.
@Suite struct Int4WeightsTests {
  /// How scales lie over the weights.
  enum Sharing: CaseIterable { case tensor, output, group8, group32, wholeGroup }

  private static let outputs = 37

  private func model(
    _ inputs: Int, _ sharing: Sharing, _ type: ElementType, hasZeroPoints: Bool, isGemm: Bool
  ) -> Model {
    let outputs = Self.outputs
    var generator = SeededGenerator(seed: 7)
    let (outputAxis, inputAxis) = isGemm ? (0, 1) : (1, 0)
    var shape = [inputs, outputs]
    if isGemm { shape.reverse() }
    let codes = (0..<inputs * outputs).map { _ in UInt8(generator.index(below: 16)) }
    var attributes: [String: AttributeValue] = ["axis": .int(outputAxis)]
    var scaleShape: [Int] = []
    switch sharing {
    case .tensor: break
    case .output: scaleShape = [outputs]
    case .group8, .group32, .wholeGroup:
      let size = sharing == .group8 ? 8 : sharing == .group32 ? 32 : inputs + 3
      scaleShape = shape
      scaleShape[inputAxis] = (inputs - 1) / size + 1
      attributes = ["axis": .int(inputAxis), "block_size": .int(size)]
    }
    let count = scaleShape.reduce(1, *)
    let scales = (0..<count).map { _ in 0.01 + 0.02 * Float(generator.uniform()) }
    let zeros = (0..<count).map { _ in UInt8(generator.index(below: 16)) }
    var constants: [String: Tensor] = [
      "w_q": Tensor(codes, shape: Shape(shape)).packed(as: type),
      "s": Tensor(scales, shape: Shape(scaleShape)), "b": .random([outputs], seed: 3),
    ]
    if hasZeroPoints {
      constants["z"] = Tensor(zeros, shape: Shape(scaleShape)).packed(as: type)
    }
    let dequantize = Node(
      "DequantizeLinear", inputs: ["w_q", "s"] + (hasZeroPoints ? ["z"] : []), outputs: ["w"],
      attributes: attributes)
    let product =
      isGemm
      ? [Node("Gemm", inputs: ["x", "w", "b"], outputs: ["a"], attributes: ["transB": .int(1)])]
      : [
        Node("MatMul", inputs: ["x", "w"], outputs: ["p"]),
        Node("Add", inputs: ["p", "b"], outputs: ["a"]),
      ]
    return Model(
      Graph(
        nodes: [dequantize] + product + [Node("Relu", inputs: ["a"], outputs: ["y"])],
        inputs: [.init("x", .init(.float32, [.named("N"), .fixed(inputs)]))],
        outputs: [.init("y", .init(.float32, nil))], constants: constants), opset: 21)
  }

  /// The sums of the definition within what the order of additions may change.
  @Test(arguments: Sharing.allCases, [ElementType.int4, .uint4])
  func areTheDefinition(_ sharing: Sharing, _ type: ElementType) throws {
    for (inputs, rows) in [(64, 1), (40, 3), (33, 12), (8, 2)] {
      for (hasZeroPoints, isGemm) in [(false, false), (false, true), (true, false), (true, true)] {
        let model = model(
          inputs, sharing, type, hasZeroPoints: hasZeroPoints, isGemm: isGemm)
        let compiled = try CompiledModel(model)
        let x = Tensor.random([rows, inputs], seed: 1)
        let found = try compiled.run(["x": x])["y"]!
        let expected = try Interpreter(model).run(["x": x])["y"]!
        #expect(largestDifference(found, expected) < 1e-5 * Float(inputs))
        let steps = try #require(try compiled.plan(for: ["x": x])).steps
        #expect(steps.map(\.kind) == ["4-bit product"])
        // Half a byte each, filled up to panels of 32 columns, and their scales.
        #expect(compiled.packedWeights.byteCount < inputs * 64 / 2 + 64 * 8 * (inputs / 8 + 9))
      }
    }
  }

  /// Groups that no whole word ends with, and scales along the inputs, are made numbers.
  @Test func otherGroupsBecomeNumbers() throws {
    let codes = Tensor([UInt8](repeating: 3, count: 40 * 8), shape: [40, 8]).packed(as: .uint4)
    let cases: [(Tensor, [String: AttributeValue])] = [
      (Tensor([Float](repeating: 0.1, count: 40)), ["axis": .int(0)]),
      (
        Tensor([Float](repeating: 0.1, count: 10 * 8), shape: [10, 8]),
        ["axis": .int(0), "block_size": .int(4)]
      ),
      (
        Tensor([Float](repeating: 0.1, count: 40), shape: [40, 1]),
        ["axis": .int(1), "block_size": .int(8)]
      ),
    ]
    for (scales, attributes) in cases {
      let graph = Graph(
        nodes: [
          Node(
            "DequantizeLinear", inputs: ["w_q", "s"], outputs: ["w"], attributes: attributes),
          Node("MatMul", inputs: ["x", "w"], outputs: ["y"]),
        ], inputs: [.init("x", .init(.float32, [.fixed(2), .fixed(40)]))],
        outputs: [.init("y", .init(.float32, nil))], constants: ["w_q": codes, "s": scales])
      let compiled = try CompiledModel(Model(graph, opset: 21))
      let x = Tensor.random([2, 40], seed: 1)
      let expected = try Interpreter(Model(graph, opset: 21)).run(["x": x])["y"]!
      #expect(largestDifference(try compiled.run(["x": x])["y"]!, expected) < 1e-5)
      let steps = try #require(try compiled.plan(for: ["x": x])).steps
      #expect(steps.map(\.kind) == ["float product"])
    }
  }
}
