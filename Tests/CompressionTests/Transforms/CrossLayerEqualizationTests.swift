import Execution
import Graphs
import NumberFormats
import Tensors
import Testing

@testable import Compression

@Suite struct CrossLayerEqualizationTests {
  /// The greatest and least magnitude among the output channels of a convolution's weights.
  func spread(_ model: Model, _ weight: String) -> Float {
    let tensor = model.graph.constants[weight]!
    let layout = ChannelLayout(
      channels: tensor.shape[0], inner: tensor.count / tensor.shape[0])
    let magnitudes = layout.magnitudes(of: tensor)
    return magnitudes.max()! / magnitudes.min()!
  }

  /// Two channels, by hand: r₁ = (8, 1), r₂ = (2, 4), so s = (2, ½) and both become (4, 2).
  @Test func equationsOfThePaper() throws {
    var network = SmallNetwork()
    let first = network.constant("w1", Tensor([Float(8), -1], shape: [2, 1, 1, 1]))
    let bias = network.constant("b1", Tensor([Float(2), 2]))
    let second = network.constant("w2", Tensor([Float(-2), 4], shape: [1, 2, 1, 1]))
    network.add("Conv", "a", ["x", first, bias])
    network.add("Relu", "r", ["a"])
    network.add("Conv", "y", ["r", second])
    var model = network.model(x: ValueType(.float32, ["N", 1, 2, 2]), outputs: ["y"])
    try CrossLayerEqualization().apply(to: &model, on: [[String: Tensor]]())
    #expect(model.graph.constants["w1"]?.elements(of: Float.self) == [4, -2])
    #expect(model.graph.constants["b1"]?.elements(of: Float.self) == [1, 4])
    #expect(model.graph.constants["w2"]?.elements(of: Float.self) == [-4, 2])
  }

  @Test func channelsBecomeAlike() throws {
    var network = SmallNetwork.mobile(spread: 1.2, clip: false)
    var model = network.model(outputs: ["y"])
    let before = ["expand_w", "depthwise_w"].map { spread(model, $0) }
    try CrossLayerEqualization(factorLimit: 1e6).apply(to: &model, on: network.samples(1))
    let after = ["expand_w", "depthwise_w"].map { spread(model, $0) }
    #expect(after[0] < before[0] / 2 && after[1] < before[1])
  }

  @Test func clippedChannelsGetBoundsOfTheirOwn() throws {
    var network = SmallNetwork.mobile(spread: 1)
    var model = network.model(outputs: ["y"])
    try CrossLayerEqualization().apply(to: &model, on: network.samples(1))
    #expect(model.graph.nodes.count { $0.operation == "Min" } == 2)
    #expect(model.graph.constants["expand_a_bounds"]?.shape == [1, 12, 1, 1])
    let plan = try model.quantizationPlan(for: .named("w8a8-per-tensor"))
    #expect(plan.entries.filter { $0.operation == "Clip" }.allSatisfy { $0.treatment == .absorbed })
    #expect(plan.entries.filter { $0.operation == "Min" }.allSatisfy { $0.treatment == .sharing })
  }

  @Test(arguments: CrossLayerEqualization.ClippedChannels.allCases)
  func samplesGiveTheSame(clipped: CrossLayerEqualization.ClippedChannels) throws {
    guard clipped != .relu else { return }
    var network = SmallNetwork.mobile(spread: 1)
    let (model, samples) = (network.model(outputs: ["y"]), network.samples(4))
    var equalized = model
    try CrossLayerEqualization(clippedChannels: clipped).apply(to: &equalized, on: samples)
    for sample in samples {
      let error = relativeError(
        try Interpreter(equalized).run(sample)["y"], try Interpreter(model).run(sample)["y"])
      #expect(error < 1e-5, "\(clipped)")
    }
  }

  @Test func factorsAreLimited() throws {
    var network = SmallNetwork.mobile(spread: 3, clip: false)
    let model = network.model(outputs: ["y"])
    var limited = model
    try CrossLayerEqualization(factorLimit: 2).apply(to: &limited, on: network.samples(1))
    let (a, b) = (
      model.graph.constants["expand_b"]!.elements(of: Float.self),
      limited.graph.constants["expand_b"]!.elements(of: Float.self)
    )
    for (before, after) in zip(a, b) {
      #expect(abs(after / before) <= 2.0001 && abs(after / before) >= 0.4999)
    }
  }

  @Test func sharedWeightsAreLeftToTheirOtherReaders() throws {
    var network = SmallNetwork(seed: 5)
    let first = network.constant("w1", network.tensor([3, 3, 1, 1]))
    network.add("Conv", "a", ["x", first])
    network.add("Conv", "b", ["a", network.constant("w2", network.tensor([3, 3, 1, 1]))])
    network.add("Conv", "c", ["x", first])
    network.add("Add", "y", ["b", "c"])
    var model = network.model(outputs: ["y"])
    let sample = network.samples(1)[0]
    let before = try Interpreter(model).run(sample)["y"]
    try CrossLayerEqualization().apply(to: &model, on: [sample])
    #expect(relativeError(try Interpreter(model).run(sample)["y"], before) < 1e-5)
    #expect(model.graph.constants["w1_equalized"] != nil)
  }
}
