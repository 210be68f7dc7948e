import Datasets
import Execution
import Graphs
import Tensors
import Testing

@testable import Evaluation

/// y = x · w · v, element by element, each factor rounded or not.
private struct Products {
  static let exact: [String: [Float]] = [
    "w": [1.25, 2.5, 3.125, 4.0625], "v": [0.5, 0.25, 1.9, 1],
  ]

  let float = Products.model(kept: ["w", "v"])

  /// Weights are held as integers, those that are kept as they are.
  static func model(kept: Set<String>) -> Model {
    var graph = Graph(
      inputs: [.init("x", ValueType(.float32, ["N", 4]))],
      outputs: [.init("y", ValueType(.float32, ["N", 4]))])
    for (name, layer, input, output) in [("w", "first", "x", "a"), ("v", "second", "a", "y")] {
      var weights = name
      let values = exact[name]!
      if kept.contains(name) {
        graph.constants[name] = Tensor(values)
      } else {
        weights = name + "_dequantized"
        graph.nodes.append(
          Node("DequantizeLinear", inputs: [name + "_codes", "scale"], outputs: [weights]))
        graph.constants[name + "_codes"] = Tensor(values.map { Int8(($0 * 4).rounded()) })
        graph.constants["scale"] = Tensor(scalar: Float(0.25))
      }
      graph.nodes.append(Node("Mul", name: layer, inputs: [input, weights], outputs: [output]))
    }
    return Model(graph)
  }

  static func quantizing(_ kept: [String]) -> Model {
    model(kept: Set(kept.map { $0 == "first" ? "w" : "v" }))
  }
}

@Suite struct FloatLayerSearchTests {
  private let float = Products().float
  private let quantized = Products.model(kept: [])

  private var data: Dataset {
    get throws {
      try Dataset(
        ["x": Tensor([1, 2, 3, 4, -1, 0.5, 2, 8] as [Float], shape: [2, 4])], for: float.graph)
    }
  }

  private func searched(
    count: Int = 4, leastGain: Double = 0.3, byteCount: Int? = nil
  ) throws -> (layers: FloatLayers, asked: [[String]]) {
    let data = try data
    let comparison = try compareLayers(of: quantized, with: float, on: data)
    var asked: [[String]] = []
    let layers = try searchFloatLayers(
      of: quantized, with: float, given: comparison, on: data, byteCount: byteCount, count: count,
      leastGain: leastGain
    ) { kept in
      asked.append(kept)
      return Products.quantizing(kept)
    }
    return (layers, asked)
  }

  @Test func gainsAreMeasured() throws {
    let (layers, asked) = try searched(byteCount: 100)
    #expect(layers.single.count == 2 && layers.sampleCount == 2)
    for single in layers.single {
      let evaluation = try evaluate(
        try Interpreter(Products.quantizing(single.nodes)), on: data, metrics: [.sqnr],
        reference: try Interpreter(float))
      #expect(abs(single.sqnr - evaluation.values[.sqnr]!) < 1e-9)
      // 16 bytes of float for 4 of codes.
      #expect(single.addedByteCount == 12 && single.growth == 0.12)
    }
    #expect(layers.single[0].gain > layers.single[1].gain)
    // Both together leave no noise at all.
    #expect(layers.advice.last?.nodes.count == 2 && layers.advice.last?.sqnr == .infinity)
    #expect(asked.count == 3)
  }

  @Test func onlyTheNoisiestAreTried() throws {
    let (layers, asked) = try searched(count: 1)
    #expect(layers.single.count == 1 && asked.count == 1)
    #expect(try searched(count: 0).layers.summary == "no layer with weights was tried in float")
  }

  @Test func lossesAreNoAdvice() {
    let loss = KeepFloatAdvice(
      nodes: ["a"], addedByteCount: 12, growth: 0.1, sqnr: 20, gain: -0.25)
    let layers = FloatLayers(single: [loss], advice: [], sampleCount: 2)
    #expect(
      layers.summary
        == "none of the 1 noisiest layers with weights makes the outputs better by staying in float "
        + "(measured by quantizing anew, on 2 samples)")
  }

  @Test func noAdviceForTooLittle() throws {
    let layers = try searched(count: 1, leastGain: 1000).layers
    #expect(layers.advice.isEmpty)
    #expect(layers.summary.hasPrefix("no layer stands out: of the 1 noisiest with weights, "))
    #expect(layers.summary.hasSuffix("(measured by quantizing anew, on 2 samples)"))
  }
}

@Suite struct LayerHistogramTests {
  @Test func rangesAndClipping() throws {
    var graph = Graph(
      nodes: [
        Node("Mul", name: "layer", inputs: ["x", "w"], outputs: ["y_float"]),
        Node("QuantizeLinear", inputs: ["y_float", "scale", "zero"], outputs: ["y_codes"]),
        Node("DequantizeLinear", inputs: ["y_codes", "scale", "zero"], outputs: ["y"]),
      ],
      inputs: [.init("x", ValueType(.float32, ["N", 4]))],
      outputs: [.init("y", ValueType(.float32, ["N", 4]))],
      constants: [
        "w": Tensor([Float(1), 1, 1, 1]), "scale": Tensor(scalar: Float(0.5)),
        "zero": Tensor(scalar: UInt8(2)),
      ])
    let quantized = Model(graph)
    graph.nodes = [Node("Mul", name: "layer", inputs: ["x", "w"], outputs: ["y"])]
    let float = Model(graph)
    let data = try Dataset(
      ["x": Tensor([-3, -1, 0, 1, 2, 3, 4, 200] as [Float], shape: [2, 4])], for: float.graph)
    let comparison = try compareLayers(of: quantized, with: float, on: data)
    let histograms = try layerHistograms(
      of: quantized, with: float, layers: comparison.ranked, on: data)
    let values = try #require(histograms.first)
    #expect(histograms.count == 1 && values.kind == .activations && values.node == "layer")
    // Codes 0…255 with zero point 2: −1 … 126.5; −3 and 200 are beyond.
    #expect(values.codeRange == -1...126.5 && values.step == 0.5 && values.clippedShare == 0.25)
    #expect(values.before.count == 8 && values.after.count == 8)
    #expect(values.before.edges == values.after.edges)
    #expect(values.before.edges[0] <= -3 && values.before.edges.last! >= 200)
    // A bin is a whole number of steps wide.
    let width = (values.before.edges[1] - values.before.edges[0]) / 0.5
    #expect(abs(width - width.rounded()) < 1e-9)
    #expect(values.before != values.after)
  }
}
