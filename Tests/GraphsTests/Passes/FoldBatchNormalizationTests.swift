import Graphs
import Tensors
import Testing

@Suite struct FoldBatchNormalizationTests {
  let pass: [any GraphPass] = [FoldBatchNormalization()]
  let statistics: [String: Tensor] = [
    "g": Tensor([Float(2), 4, 6, 8]), "o": Tensor([Float(1), 2, 3, 4]),
    "m": Tensor([Float(1), 0, -1, 2]), "v": Tensor([Float(4), 4, 4, 16]),
    "b": Tensor([Float(10), 20, 30, 40]),
  ]
  let normalization = Node(
    "BatchNormalization", inputs: ["c", "g", "o", "m", "v"], outputs: ["y"],
    attributes: ["epsilon": .float(0)])

  @Test func givenResult() throws {
    let model = try example(
      [Node("Conv", inputs: ["x", "W", "b"], outputs: ["c"]), normalization],
      constants: statistics.merging(["W": exampleWeights]) { $1 }
    ).applying(pass)
    #expect(model.lines == ["y = Conv(x, W_folded, b_folded)"])
    let factors: [Float] = [1, 2, 3, 2]
    #expect(
      model.floats("W_folded") == (0..<108).map { Float($0 + 1) * factors[$0 / 27] })
    // (b − mean) · gamma / √variance + beta
    #expect(model.floats("b_folded") == [10, 42, 96, 80])
    #expect(model.graph.constants.count == 2)
  }

  @Test func transposedGroupedConvolution() throws {
    let model = try example(
      [
        Node(
          "ConvTranspose", inputs: ["x", "W"], outputs: ["c"], attributes: ["group": .int(2)]),
        normalization,
      ],
      x: ValueType(.float32, [1, 2, 8, 8]),
      constants: statistics.merging([
        "W": Tensor([Float](repeating: 1, count: 4), shape: [2, 2, 1, 1])
      ]) { $1 }
    ).applying(pass)
    #expect(model.lines == ["y = ConvTranspose(x, W_folded, W_bias)"])
    #expect(model.floats("W_folded") == [1, 2, 3, 2])
    #expect(model.floats("W_bias") == [0, 2, 6, 0])
  }

  @Test(arguments: [0, 1]) func gemm(transposed: Int) throws {
    let shape: Shape = transposed == 1 ? [4, 2] : [2, 4]
    let model = try example(
      [
        Node("Gemm", inputs: ["x", "W"], outputs: ["c"], attributes: ["transB": .int(transposed)]),
        normalization,
      ],
      x: ValueType(.float32, [1, 2]),
      constants: statistics.merging(["W": Tensor([Float](repeating: 1, count: 8), shape: shape)]) {
        $1
      }
    ).applying(pass)
    #expect(model.lines == ["y = Gemm(x, W_folded, W_bias)"])
    #expect(
      model.floats("W_folded")
        == (transposed == 1 ? [1, 1, 2, 2, 3, 3, 2, 2] : [1, 2, 3, 2, 1, 2, 3, 2]))
  }

  @Test func staysWhereTheConvolutionIsReadElsewhere() throws {
    let constants = statistics.merging(["W": exampleWeights]) { $1 }
    let nodes = [Node("Conv", inputs: ["x", "W", "b"], outputs: ["c"]), normalization]
    let twice = nodes + [Node("Relu", inputs: ["c"], outputs: ["z"])]
    #expect(
      try example(twice, outputs: ["y", "z"], constants: constants).applying(pass).lines.count == 3)
    #expect(
      try example(nodes, outputs: ["y", "c"], constants: constants).applying(pass).lines.count == 2)
  }

  @Test func staysBehindAnythingElse() throws {
    let nodes = [Node("Relu", inputs: ["x"], outputs: ["c"]), normalization]
    #expect(try example(nodes, constants: statistics).applying(pass).lines.count == 2)
  }
}
