import Datasets
import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Evaluation

/// Two convolutions with a Relu between, quantized after their channels were multiplied by `factors`.
private struct Equalized {
  let float: Model
  let quantized: Model

  init(factors: [Float], emptyChannel: Int? = nil) {
    var random = SeededGenerator(seed: 7)
    func weights(_ count: Int) -> [Float] {
      (0..<count).map { _ in Float.random(in: -1...1, using: &random) }
    }
    var first = weights(4 * 2 * 9)
    let second = weights(3 * 4)
    if let emptyChannel { for index in 0..<18 { first[emptyChannel * 18 + index] = 0 } }
    float = Self.model { constants in
      constants["first_weights"] = Tensor(first, shape: [4, 2, 3, 3])
      constants["second_weights"] = Tensor(second, shape: [3, 4, 1, 1])
      return []
    }
    quantized = Self.model { constants in
      func codes(_ name: String, _ values: [Float], _ shape: Shape) -> Node {
        let scale = values.map(abs).max()! / 127
        constants[name + "_codes"] = Tensor(
          values.map { Int8(($0 / scale).rounded()) }, shape: shape)
        constants[name + "_scale"] = Tensor(scalar: scale)
        return Node(
          "DequantizeLinear", inputs: [name + "_codes", name + "_scale"], outputs: [name])
      }
      return [
        codes(
          "first_weights", first.indices.map { first[$0] * factors[$0 / 18] }, [4, 2, 3, 3]),
        codes(
          "second_weights", second.indices.map { second[$0] / factors[$0 % 4] }, [3, 4, 1, 1]),
      ]
    }
  }

  private static func model(_ adding: (inout [String: Tensor]) -> [Node]) -> Model {
    var graph = Graph(
      inputs: [.init("x", ValueType(.float32, ["N", 2, 6, 6]))],
      outputs: [.init("y", ValueType(.float32, ["N", 3, 4, 4]))])
    graph.nodes =
      adding(&graph.constants) + [
        Node("Conv", name: "first", inputs: ["x", "first_weights"], outputs: ["a"]),
        Node("Relu", name: "clamp", inputs: ["a"], outputs: ["b"]),
        Node("Conv", name: "second", inputs: ["b", "second_weights"], outputs: ["y"]),
      ]
    return Model(graph)
  }

  func compared(isAligned: Bool) throws -> NetworkComparison {
    var random = SeededGenerator(seed: 1)
    let values = (0..<3 * 72).map { _ in Float.random(in: -1...1, using: &random) }
    let data = try Dataset(["x": Tensor(values, shape: [3, 2, 6, 6])], for: float.graph)
    return try compareLayers(of: quantized, with: float, on: data, isAligned: isAligned)
  }
}

@Suite struct ChannelFactorsTests {
  @Test func equalizedNetworksAreComparedAfterDivision() throws {
    let networks = Equalized(factors: [0.5, 1, 2, 4])
    let aligned = try networks.compared(isAligned: true)
    // The clamp runs inside the convolution's step, whose value is the clamped one.
    #expect(aligned.alignedLayers == ["first"])
    for layer in aligned.layers {
      #expect(layer.accumulated.sqnr > 20, "\(layer.node): \(layer.accumulated.sqnr)")
      if let isolated = layer.isolated { #expect(isolated.sqnr > 20, "\(layer.node)") }
    }
    #expect(
      aligned.alignmentNote
        == "1 of 2 inner values differ from the float network's by a factor for each channel, "
        + "as cross-layer equalization leaves them; they were compared after division by it")
    let plain = try networks.compared(isAligned: false)
    #expect(plain.layers[0].accumulated.sqnr < 5 && plain.alignmentNote == nil)
    // Outputs are the same either way.
    #expect(plain.outputs[0].error == aligned.outputs[0].error)
  }

  @Test func networksAsTheyWereAreNotTouched() throws {
    let networks = Equalized(factors: [1, 1, 1, 1])
    let (aligned, plain) = (
      try networks.compared(isAligned: true), try networks.compared(isAligned: false)
    )
    #expect(aligned.alignedLayers.isEmpty && aligned.alignmentNote == nil)
    #expect(aligned.layers.map(\.accumulated) == plain.layers.map(\.accumulated))
  }

  @Test func channelsWithoutWeightsAreLeftOut() throws {
    let networks = Equalized(factors: [4, 0.5, 2, 8], emptyChannel: 1)
    let aligned = try networks.compared(isAligned: true)
    #expect(aligned.alignedLayers == ["first"])
    #expect(aligned.layers.allSatisfy { $0.accumulated.sqnr > 20 })
  }
}
