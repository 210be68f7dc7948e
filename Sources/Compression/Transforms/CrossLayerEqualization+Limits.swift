import Execution
import Graphs
import Tensors

extension CrossLayerEqualization {
  /// For each Clip between a pair, by the index of its node: the least factor that each channel may be divided by so that its
  /// greatest value stays at or below the bound; nil for channels that the bound cuts.
  func limits(
    of pairs: [EqualizationPair], _ model: Model, _ samples: any CalibrationSamples
  ) throws -> [Int: [Double?]] {
    let graph = model.graph
    var clips: [String: (index: Int, greatest: [Float])] = [:]
    for index in pairs.compactMap(\.clip) {
      clips[graph.nodes[index].inputs[0]] = (index, [])
    }
    guard !clips.isEmpty else { return [:] }
    let names = Set(clips.keys)
    let network = try CompiledModel(model, keeping: names)
    try samples.forEachSample { sample in
      _ = try network.run(sample, observing: names) { name, value in
        guard let known = clips[name] else { return }
        let greatest = value.greatestByChannel()
        clips[name]!.greatest =
          known.greatest.isEmpty ? greatest : zip(known.greatest, greatest).map { max($0, $1) }
      }
    }
    var limits: [Int: [Double?]] = [:]
    for (index, greatest) in clips.values {
      guard let bounds = ClipBounds(graph.nodes[index], constants: graph.constants) else {
        continue
      }
      limits[index] = greatest.map { value in
        value > bounds.upper ? nil : Double(max(value, 0)) / Double(bounds.upper)
      }
    }
    return limits
  }
}

extension Tensor {
  /// The greatest value of each channel of a float tensor whose channels lie along axis 1.
  fileprivate func greatestByChannel() -> [Float] {
    guard elementType == .float32, shape.rank >= 2 else { return [] }
    let layout = ChannelLayout(
      rows: shape[0], channels: shape[1], inner: shape.count(in: 2..<shape.rank))
    var greatest = [Float](repeating: -.infinity, count: shape[1])
    withElements(of: Float.self) { elements in
      layout.forEachRun { channel, range in
        for i in range { greatest[channel] = max(greatest[channel], elements[i]) }
      }
    }
    return greatest
  }
}
