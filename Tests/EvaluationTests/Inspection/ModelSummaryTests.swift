import Graphs
import Tensors
import Testing

@testable import Evaluation

@Suite struct ModelSummaryTests {
  private var model: Model {
    var model = Model(
      Graph(
        name: "net",
        nodes: [
          Node("Relu", inputs: ["x"], outputs: ["a"]),
          Node("Add", inputs: ["a", "w"], outputs: ["b"]),
          Node("Add", inputs: ["b", "z"], outputs: ["c"]),
          Node("Strange", inputs: ["c"], outputs: ["y"]),
        ],
        inputs: [.init("x", .init(.float32, ["N", 4]))],
        outputs: [.init("y", .init(.float32, nil))],
        constants: [
          "w": Tensor([Float(-1), 0, 1, 2]), "z": Tensor([Float.nan, 1, .infinity, 3]),
          "i": Tensor([Int8(-128), 127]),
        ]))
    model.producer = .init(name: "test", version: "1")
    return model
  }

  @Test func countsOperators() {
    let summary = ModelSummary(model)
    #expect(summary.operators.map(\.count) == [2, 1, 1])
    #expect(summary.operators.map { "\($0.operation)" } == ["Add", "Relu", "Strange"])
    #expect(summary.operators.map(\.isSupported) == [true, true, false])
    #expect(summary.parameterCount == 10)
  }

  @Test func looksAtConstantsInOrderOfUse() throws {
    let tensors = ModelSummary(model).tensors
    #expect(tensors.map(\.name) == ["w", "z", "i"])
    let spread = try #require(tensors[0].spread)
    #expect((spread.minimum, spread.maximum, spread.mean) == (-1, 2, 0.5))
    #expect(spread.deviation == 1.25.squareRoot())
    #expect(spread.histogram.counts.reduce(0, +) == 4)
    #expect(
      tensors[1].nonFinite
        == NonFiniteNumbers(nanCount: 1, infinityCount: 1, first: 0, firstNaN: 0))
    #expect(tensors[1].spread?.maximum == 3)
    #expect(tensors[2].spread?.minimum == -128)
  }

  @Test func textNamesWhatCanNotBeRun() {
    let text = ModelSummary(model).text()
    #expect(text.contains("input       x: float32[N, 4]"))
    #expect(text.contains("producer    test 1"))
    #expect(text.contains("parameters  10 (34 B): float32 8 (32 B), int8 2 (2 B)"))
    #expect(text.contains("│ 1 NaN, 1 infinite"))
    #expect(
      text.split(separator: "\n").contains {
        $0.hasPrefix("Strange (not supported)")
      })
  }

  @Test func emptyConstantsHaveNoSpread() {
    #expect(TensorSummary("e", Tensor([Float]())).spread == nil)
    #expect(TensorSummary("c", Tensor([Float(2), 2])).spread?.histogram.counts.reduce(0, +) == 2)
  }

  /// 5 × 5 numbers of 2 channels, 3 × 3 weights, padded, quantized per channel; then a product.
  private var quantized: Model {
    let codes: [Int8] = (0..<36).map { Int8($0 - 18) }
    return Model(
      Graph(
        nodes: [
          Node("QuantizeLinear", inputs: ["x", "xs", "xz"], outputs: ["xq"]),
          Node("DequantizeLinear", inputs: ["xq", "xs", "xz"], outputs: ["xd"]),
          Node(
            "DequantizeLinear", inputs: ["w", "ws", "wz"], outputs: ["wd"],
            attributes: ["axis": .int(0)]),
          Node(
            "Conv", name: "conv", inputs: ["xd", "wd"], outputs: ["c"],
            attributes: ["pads": .ints([1, 1, 1, 1])]),
          Node("Flatten", inputs: ["c"], outputs: ["f"]),
          Node(
            "Gemm", name: "head", inputs: ["f", "h"], outputs: ["y"],
            attributes: ["transB": .int(1)]),
        ],
        inputs: [.init("x", .init(.float32, ["N", 2, 5, 5]))],
        outputs: [.init("y", .init(.float32, nil))],
        constants: [
          "xs": Tensor(scalar: Float(0.5)), "xz": Tensor(scalar: UInt8(10)),
          "w": Tensor(codes, shape: [2, 2, 3, 3]), "ws": Tensor([Float(0.1), 2]),
          "wz": Tensor([Int8(0), 0]), "h": .zeros([7, 50], .float32),
        ]))
  }

  @Test func countsWorkWithOpenLengthsAs1() {
    let summary = ModelSummary(quantized)
    let work = summary.nodes.map(\.multiplications)
    #expect(work == [0, 0, 0, 2 * 25 * 2 * 9, 0, 50 * 7])
    #expect(summary.multiplications == 900 + 350 && !summary.lacksMultiplications)
    let text = summary.text(listsNodes: true)
    #expect(text.contains("work        1250 multiply-adds a run with N = 1"))
    #expect(text.contains("float32[1, 2, 5, 5]"))
    #expect(ModelSummary(model).lacksMultiplications == false)
  }

  @Test func tellsHowTensorsAreQuantized() throws {
    let summary = ModelSummary(quantized)
    // Scales and zero points stand with the codes, not by themselves.
    #expect(summary.tensors.map(\.name) == ["w", "h"])
    let weights = try #require(summary.tensors.first)
    #expect(weights.quantization?.granularity == "per channel (axis 0)")
    #expect(weights.quantization?.scales == Double(Float(0.1))...2)
    // −18 … −1 times 0.1, 0 … 17 times 2.
    #expect(weights.spread?.minimum == Double(Float(-18) * 0.1) && weights.spread?.maximum == 34)
    let value = try #require(summary.quantizedValues.first)
    #expect(value.name == "x" && value.code == .uint8 && value.granularity == "per tensor")
    #expect(value.range == -5...122.5 && value.zeroPoints == 10...10)
  }
}
