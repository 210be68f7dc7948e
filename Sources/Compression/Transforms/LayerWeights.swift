import Graphs
import Tensors

/// The weights and biases of layers while equalization changes them.
struct LayerWeights {
  private var layers: [Int: Layer] = [:]

  fileprivate struct Layer {
    let layer: LinearLayer
    /// The product of factors that each output and each input channel was multiplied by.
    var outputFactors: [Double]
    var inputFactors: [Double]
    var weight: [Float]
  }

  init(_ pairs: [EqualizationPair], _ graph: Graph) {
    for index in pairs.flatMap({ [$0.first, $0.second] }) where layers[index] == nil {
      guard let layer = LinearLayer(graph.nodes[index], constants: graph.constants) else {
        preconditionFailure("pairs are of layers")
      }
      layers[index] = Layer(
        layer: layer, outputFactors: .init(repeating: 1, count: layer.outputs.count),
        inputFactors: .init(repeating: 1, count: layer.inputs.count),
        weight: layer.weight.elements(of: Float.self))
    }
  }

  func channelCount(between pair: EqualizationPair) -> Int {
    layers[pair.first]!.layer.outputs.count
  }

  /// The greatest magnitude of each channel's weights on either side.
  func magnitudes(of pair: EqualizationPair) -> [(first: Float, second: Float)] {
    let (first, second) = (layers[pair.first]!, layers[pair.second]!)
    return Array(
      zip(
        first.layer.outputs.magnitudes(of: first.weight),
        second.layer.inputs.magnitudes(of: second.weight)
      ).map { (first: $0, second: $1) })
  }

  /// Divides the first layer's output channels by the factors and multiplies the second's input channels by them.
  mutating func scale(_ pair: EqualizationPair, by factors: [Double]) {
    let inverse = factors.map { 1 / $0 }
    layers[pair.first]!.scaleOutputs(by: inverse)
    layers[pair.second]!.scaleInputs(by: factors)
  }

  /// Writes the layers' constants, under new names where others read them too.
  func write(to graph: inout Graph) {
    var names = graph.names()
    let consumers = graph.consumers()
    for (index, layer) in layers.sorted(by: { $0.key < $1.key }) {
      graph.replace(
        1, of: index, by: Tensor(layer.exactWeight(), shape: layer.layer.weight.shape), consumers,
        &names)
      guard let bias = layer.layer.bias else { continue }
      let values = zip(bias.elements(of: Float.self), layer.outputFactors).map {
        Float(Double($0) * $1)
      }
      graph.replace(2, of: index, by: Tensor(values), consumers, &names)
    }
  }
}

extension LayerWeights.Layer {
  fileprivate mutating func scaleOutputs(by factors: [Double]) {
    layer.outputs.scale(&weight, by: factors)
    for (channel, factor) in factors.enumerated() { outputFactors[channel] *= factor }
  }

  fileprivate mutating func scaleInputs(by factors: [Double]) {
    layer.inputs.scale(&weight, by: factors)
    for (channel, factor) in factors.enumerated() { inputFactors[channel] *= factor }
  }

  /// The original weights times all factors, rounded once.
  fileprivate func exactWeight() -> [Float] {
    var exact = layer.weight.elements(of: Float.self).map(Double.init)
    for (layout, factors) in [(layer.outputs, outputFactors), (layer.inputs, inputFactors)] {
      layout.forEachRun { channel, elements in
        for i in elements { exact[i] *= factors[channel] }
      }
    }
    return exact.map { Float($0) }
  }
}

extension ChannelLayout {
  fileprivate func magnitudes(of weight: [Float]) -> [Float] {
    var greatest = [Float](repeating: 0, count: count)
    forEachRun { channel, elements in
      for i in elements { greatest[channel] = max(greatest[channel], abs(weight[i])) }
    }
    return greatest
  }

  fileprivate func scale(_ weight: inout [Float], by factors: [Double]) {
    forEachRun { channel, elements in
      for i in elements { weight[i] = Float(Double(weight[i]) * factors[channel]) }
    }
  }
}

extension Graph {
  /// Replaces a constant that the node at `index` reads; other readers keep the old one.
  fileprivate mutating func replace(
    _ input: Int, of index: Int, by tensor: Tensor, _ consumers: [String: [Int]],
    _ names: inout Set<String>
  ) {
    var name = nodes[index].inputs[input]
    if consumers[name]?.count != 1 {
      name = Graph.unusedName(name + "_equalized", taken: &names)
      nodes[index].inputs[input] = name
    }
    constants[name] = tensor
  }
}
