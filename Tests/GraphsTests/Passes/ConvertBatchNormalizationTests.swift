import Graphs
import Tensors
import Testing

@Suite struct ConvertBatchNormalizationTests {
  private func model(x: ValueType, variance: [Float] = [1, 4, 0.25]) throws -> Model {
    try example(
      [
        Node(
          "BatchNormalization", name: "norm", inputs: ["x", "gamma", "beta", "mean", "variance"],
          outputs: ["y"], attributes: ["epsilon": .float(0)])
      ], x: x,
      constants: [
        "gamma": Tensor([Float(2), 3, 1]), "beta": Tensor([Float(0), 1, -1]),
        "mean": Tensor([Float(1), 2, 3]), "variance": Tensor(variance),
      ]
    ).applying([ConvertBatchNormalization()])
  }

  @Test func givenResult() throws {
    let model = try model(x: ValueType(.float32, [2, 3, 8, 8]))
    #expect(model.lines == ["y = Conv(x, gamma_scale, beta_shift)"])
    #expect(model.floats("gamma_scale") == [2, 1.5, 2])
    #expect(model.graph.constants["gamma_scale"]?.shape == [3, 1, 1, 1])
    #expect(model.floats("beta_shift") == [-2, -2, -7])
    #expect(model.graph.nodes[0].integer("group", default: 1) == 3)
    #expect(model.graph.nodes[0].name == "norm")
  }

  @Test(arguments: [
    ValueType(.float32, [2, 3]), ValueType(.float64, [2, 3, 8]), ValueType(.float32, nil),
  ]) func othersStay(_ type: ValueType) throws {
    #expect(try model(x: type).graph.nodes[0].operation == "BatchNormalization")
  }

  @Test func infiniteFactorsStay() throws {
    let model = try model(x: ValueType(.float32, [2, 3, 8]), variance: [0, 1, 1])
    #expect(model.graph.nodes[0].operation == "BatchNormalization")
  }
}
