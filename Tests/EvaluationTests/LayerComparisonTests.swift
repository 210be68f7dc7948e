import Datasets
import Evaluation
import Execution
import Foundation
import Graphs
import Tensors
import Testing

@testable import Evaluation

/// y = relu(x · w) · v, both products element by element, and its quantized form as the quantizer names values.
private struct Networks {
  let float: Model
  let quantized: Model

  init() {
    let type = ValueType(.float32, ["N", 4])
    let (x, y) = (Graph.Value("x", type), Graph.Value("y", type))
    let constants: [String: Tensor] = [
      "w": Tensor([1, 2, 3, 4] as [Float]), "v": Tensor([0.5, 0.25, 2, 1] as [Float]),
    ]
    float = Model(
      Graph(
        nodes: [
          Node("Mul", name: "first", inputs: ["x", "w"], outputs: ["a"]),
          Node("Relu", name: "clamp", inputs: ["a"], outputs: ["b"]),
          Node("Mul", name: "second", inputs: ["b", "v"], outputs: ["y"]),
        ], inputs: [x], outputs: [y], constants: constants))
    var graph = float.graph
    func pair(_ raw: String, _ result: String, _ scale: String) -> [Node] {
      [
        Node("QuantizeLinear", inputs: [raw, scale, "zero"], outputs: [result + "_codes"]),
        Node("DequantizeLinear", inputs: [result + "_codes", scale, "zero"], outputs: [result]),
      ]
    }
    // The clamp is absorbed: b is what comes out of the pair. y is computed in float and read by nobody.
    graph.nodes =
      pair("x", "x_dequantized", "fine")
      + [Node("Mul", name: "first", inputs: ["x_dequantized", "w"], outputs: ["b_float"])]
      + pair("b_float", "b", "coarse")
      + [Node("Mul", name: "second", inputs: ["b", "v"], outputs: ["y"])]
    graph.constants["fine"] = Tensor(scalar: Float(0.25))
    graph.constants["coarse"] = Tensor(scalar: Float(1))
    graph.constants["zero"] = Tensor(scalar: UInt8(0))
    quantized = Model(graph)
  }
}

@Suite struct LayerComparisonTests {
  private let networks = Networks()

  private func compared(_ rows: [Float]) throws -> NetworkComparison {
    let data = try Dataset(
      ["x": Tensor(rows, shape: [rows.count / 4, 4])], for: networks.float.graph)
    return try compareLayers(of: networks.quantized, with: networks.float, on: data)
  }

  /// The values of a node that computes several are told apart by name.
  @Test func valuesOfOneNodeHaveLabelsOfTheirOwn() throws {
    let type = ValueType(.float32, ["N", 4])
    func model(_ weights: Tensor, name: String) -> Model {
      Model(
        Graph(
          nodes: [
            Node("Mul", inputs: ["x", "w"], outputs: ["a"]),
            Node(
              "Split", name: name, inputs: ["a"], outputs: ["p", "q"],
              attributes: ["axis": .int(1)]),
          ], inputs: [.init("x", type)],
          outputs: ["p", "q"].map { .init($0, ValueType(.float32, ["N", 2])) },
          constants: ["w": weights]), opset: 13)
    }
    for (name, expected) in [("", "Split → "), ("halves", "halves → ")] {
      let float = model(Tensor([1, 2, 3, 4] as [Float]), name: name)
      let data = try Dataset(
        ["x": Tensor([1, 2, 3, 4] as [Float], shape: [1, 4])], for: float.graph)
      let rounded = model(Tensor([1, 2, 3, 4.5] as [Float]), name: name)
      let layers = try compareLayers(of: rounded, with: float, on: data).layers
      #expect(layers.suffix(3).map(\.label) == ["Mul → a", expected + "p", expected + "q"])
      #expect(Set(layers.suffix(2).map(\.node)).count == 1)
    }
  }

  @Test func byHand() throws {
    // x is rounded to quarters: 0.3 → 0.25, 0.5, 1, 2. Then b to ones.
    let comparison = try compared([0.3, 0.5, 1, 2, -1, 0.5, 1, 2])
    #expect(comparison.sampleCount == 2)
    #expect(comparison.layers.map(\.value) == ["x", "b", "y"])
    #expect(comparison.layers.map(\.node) == ["input x", "first", "second"])
    #expect(comparison.layers.map(\.isNode) == [false, true, true])
    let (x, b, y) = (comparison.layers[0], comparison.layers[1], comparison.layers[2])
    // Accumulated: 0.25 · 1 → 0, where float has 0.3; −1 is not in uint8 and becomes 0, where float has relu(−1) = 0.
    #expect(abs(b.accumulated.maxError - 0.3) < 1e-6)
    // Alone: 0.3 · 1 → 0; and relu(−1 · 1) = 0 as well.
    #expect(abs(b.isolated!.maxError - 0.3) < 1e-6)
    // The input alone: 0.3 → 0.25 and −1 → 0.
    #expect(x.isolated!.maxError == 1 && x.isolated == x.accumulated)
    // Nothing in the last layer is quantized.
    #expect(y.isolated == nil && abs(y.accumulated.maxError - 0.15) < 1e-6)
    #expect(comparison.outputs.map(\.name) == ["y"] && comparison.outputs[0].error == y.accumulated)
    #expect(b.floatByteCount == 16 && b.quantizedByteCount == 16 + 4 + 1)
    #expect(comparison.ranked.map(\.value) == ["x", "b"])
  }

  @Test func identical() throws {
    let data = try Dataset(["x": .zeros([3, 4], .float32)], for: networks.float.graph)
    let comparison = try compareLayers(of: networks.float, with: networks.float, on: data)
    #expect(comparison.layers.map(\.value) == ["a", "b", "y"])
    #expect(comparison.layers.allSatisfy { $0.accumulated.noiseEnergy == 0 && $0.isolated == nil })
    #expect(comparison.ranked.isEmpty)
  }

  @Test func accumulatedErrorsAreThoseOfTheDeployedArithmetic() throws {
    let type = ValueType(.float32, ["N", 2, 1, 1])
    var graph = Graph(
      nodes: [
        Node("Conv", name: "layer", inputs: ["x", "w"], outputs: ["a"]),
        Node("Relu", name: "clamp", inputs: ["a"], outputs: ["y"]),
      ], inputs: [.init("x", type)], outputs: [.init("y", type)],
      constants: ["w": Tensor([0.13, 0.06, -0.2, 0.31] as [Float], shape: [2, 2, 1, 1])])
    let float = Model(graph)
    func pair(_ raw: String, _ result: String, _ scale: String) -> [Node] {
      [
        Node("QuantizeLinear", inputs: [raw, scale, "zero"], outputs: [result + "_codes"]),
        Node("DequantizeLinear", inputs: [result + "_codes", scale, "zero"], outputs: [result]),
      ]
    }
    graph.nodes =
      pair("x", "x_dequantized", "fine") + [
        Node("DequantizeLinear", inputs: ["w_codes", "w_scale"], outputs: ["w"]),
        Node("Conv", name: "layer", inputs: ["x_dequantized", "w"], outputs: ["a"]),
        Node("Relu", name: "clamp", inputs: ["a"], outputs: ["b"]),
      ] + pair("b", "y", "coarse")
    graph.constants = [
      "w_codes": Tensor([2, 1, -3, 5] as [Int8], shape: [2, 2, 1, 1]),
      "w_scale": Tensor(scalar: Float(0.0625)), "fine": Tensor(scalar: Float(0.25)),
      "coarse": Tensor(scalar: Float(0.125)), "zero": Tensor(scalar: UInt8(0)),
    ]
    let quantized = Model(graph)
    let data = try Dataset(
      ["x": Tensor([2, 1, 0.25, 3] as [Float], shape: [2, 2, 1, 1])], for: float.graph)
    let comparison = try compareLayers(of: quantized, with: float, on: data)
    // The value before the clamp exists in neither deployment: the layer is told by the value behind it.
    #expect(comparison.layers.map(\.value) == ["x", "y"])
    #expect(comparison.layers.map(\.node) == ["input x", "layer"])
    let layer = comparison.layers[1]
    #expect(layer.accumulated == comparison.outputs[0].error)
    #expect(layer.isolated != nil && layer.quantizedByteCount == 4 + 4 + 4 + 1)
    var expected = ErrorStatistics()
    for batch in data.batches(of: 1) {
      let inputs = try data.batch(batch.indices)
      try expected.add(
        try CompiledModel(quantized).run(inputs)["y"]!,
        expected: try CompiledModel(float).run(inputs)["y"]!)
    }
    #expect(layer.accumulated == expected)
  }

  @Test func unrelatedNetworks() throws {
    var other = networks.float
    other.graph.nodes = [Node("Relu", inputs: ["q"], outputs: ["r"])]
    other.graph.inputs[0].name = "q"
    other.graph.outputs[0].name = "r"
    let data = try Dataset(["x": .zeros([3, 4], .float32)], for: networks.float.graph)
    let error = #expect(throws: EvaluationError.self) {
      _ = try compareLayers(of: other, with: networks.float, on: data)
    }
    #expect(
      error?.message
        == "the networks have no value in common; compare a network with its own quantized form")
  }

  @Test func otherQuantizersNames() throws {
    // Where the pair stands behind x's own name, what stands for x is what comes out of it.
    let matching = ValueMatching(networks.quantized.graph, to: networks.float.graph)
    #expect(matching.pairs.map(\.float) == ["x", "b", "y"])
    #expect(matching.pairs.map(\.quantized) == ["x_dequantized", "b", "y"])
  }
}
