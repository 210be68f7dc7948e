import Execution
import Graphs
import Tensors

/// Shifts biases so that every layer's mean output is what it was before quantization.
///
/// Rounding weights shifts a layer's mean output channel by channel, which later layers can't undo. For each layer in order, the
/// mean over samples, batch and positions of its output is compared with the float network's, and its bias shifted until both
/// are equal; later layers see the corrected ones before them. Where a clamp such as Relu follows, the means behind it are
/// compared, since what it cuts off plays no role: there the shift is found by Newton's method.
///
/// Nagel, van Baalen, Blankevoort and Welling, "Data-Free Quantization Through Weight Equalization and Bias Correction" (2019),
/// arXiv:1906.04721, section 4.2 and appendix D, which compares the means before the clamp.
///
/// A mean over few samples is itself uncertain, and taking all of it back would fit the network to them. So a shift is held to
/// the share of its square that the scatter of the samples' own means does not explain, `max(0, 1 − s² / (n · m²))`: a
/// positive-part estimator as James and Stein's ("Estimation with Quadratic Loss", 1961). Where the samples agree the shift
/// is whole, where they contradict each other there is none.
///
/// Costs one run of the float and one of the quantized network, as it is deployed, on each sample. All samples go through the network side by
/// side, so that the values that are alive at one layer are held for each of them: at most 32 are used.
struct BiasCorrection {
  /// The most samples that are used: means of more don't differ, and each holds the values of a layer.
  private static let sampleLimit = 32

  /// The least share of numbers between the bounds of a clamp that tells how a shift works.
  static let leastShare = 1e-3

  /// Steps of Newton's method; the means are piecewise linear in the shift, so that few are enough.
  private static let stepLimit = 8

  /// The least change of a shift, as a share of it, that another step is made for: that step's own change would be about the
  /// square of it.
  private static let leastChange = 1e-3

  /// The quantized model with corrected biases.
  func corrected(
    _ quantized: Model, _ layers: [QuantizedLayer], float: Model,
    on samples: any CalibrationSamples
  ) throws -> Model {
    let count = min(samples.count, Self.sampleLimit)
    guard count > 0, !layers.isEmpty else { return quantized }
    let expected = try floatMeans(float, layers, samples, count)
    var run = try StepwiseRun(quantized, samples: (0..<count).map { try samples.sample(at: $0) })
    var corrected = quantized
    for layer in layers {
      try run.advance(through: layer.output)
      guard let target = expected[layer.floatOutput] else { continue }
      let shift = shift(of: run.values(of: layer.output), to: target, layer)
      guard shift.allSatisfy(\.isFinite) else {
        throw QuantizationError(
          .invalidValue,
          "has no mean, since it is not finite on the samples; repair them or the network, or set "
            + "biasCorrection: none in the recipe", path: [layer.floatOutput])
      }
      let applied = apply(shift, to: layer, &corrected.graph)
      run.update(layer.output) { $0.adding(applied, to: layer) }
    }
    return corrected
  }

  /// The means of each layer's channels on each sample.
  private func floatMeans(
    _ model: Model, _ layers: [QuantizedLayer], _ samples: any CalibrationSamples, _ count: Int
  ) throws -> [String: [[Double]]] {
    let byOutput = Dictionary(layers.map { ($0.floatOutput, $0) }) { first, _ in first }
    var means: [String: [[Double]]] = [:]
    let names = Set(byOutput.keys)
    let network = try CompiledModel(model, keeping: names)
    for index in 0..<count {
      try located(samples.name(at: index)) {
        _ = try network.run(try samples.sample(at: index), viewing: names) { name, value in
          guard let layer = byOutput[name] else { return }
          means[name, default: []].append(ChannelMeans(layer, of: value).means)
        }
      }
    }
    return means
  }

  /// What is to be added to each channel of a layer's output for its means to be those of `targets`, one for each sample.
  private func shift(
    of values: [Tensor], to targets: [[Double]], _ layer: QuantizedLayer
  ) -> [Double] {
    var shift = [Double](repeating: 0, count: layer.channels)
    var trust = [Double](repeating: 1, count: layer.channels)
    /// The channels whose shift still changes.
    var isOpen = [Bool](repeating: true, count: layer.channels)
    for step in 0..<(layer.clamp == nil ? 1 : Self.stepLimit) where isOpen.contains(true) {
      let means = values.map {
        ChannelMeans(layer, of: PlacedValue($0), shift: shift, clamp: layer.clamp, only: isOpen)
      }
      for channel in shift.indices where isOpen[channel] {
        let differences = zip(targets, means).map { $0[channel] - $1.means[channel] }
        if step == 0 { trust[channel] = Self.trust(in: differences) }
        // The mean grows with the shift as fast as the share of numbers between the bounds. Where hardly any is, the slope
        // says nothing of what lies far off.
        let share = mean(means.map { $0.shares[channel] })
        let change = share > Self.leastShare ? mean(differences) / share : 0
        shift[channel] += change
        isOpen[channel] = abs(change) > Self.leastChange * abs(shift[channel])
      }
    }
    return zip(shift, trust).map { $0 * $1 }
  }

  /// How much of a mean is more than the scatter of what it is the mean of, from 0 to 1.
  static func trust(in differences: [Double]) -> Double {
    let count = Double(differences.count)
    let middle = mean(differences)
    guard count > 1, middle != 0 else { return 1 }
    let scatter = differences.map { ($0 - middle) * ($0 - middle) }.reduce(0, +) / (count - 1)
    return max(0, 1 - scatter / (count * middle * middle))
  }

  /// Adds a shift to a layer's bias; returns what was really added after rounding.
  private func apply(
    _ shift: [Double], to layer: QuantizedLayer, _ graph: inout Graph
  ) -> [Float] {
    guard let constant = graph.constants[layer.bias] else { return [] }
    guard let scales = layer.biasScales else {
      graph.constants[layer.bias] = Tensor(
        zip(constant.elements(of: Float.self), shift).map { Float(Double($0) + $1) },
        shape: constant.shape)
      return shift.map { Float($0) }
    }
    var applied: [Float] = []
    var codes = constant.elements(of: Int32.self)
    for (channel, shift) in shift.enumerated() {
      let scale = Double(scales[scales.count == 1 ? 0 : channel])
      let wanted = Double(codes[channel]) + (shift / scale).rounded(.toNearestOrEven)
      // A bias at the end of int32 stays there: its weights' scale was raised to let it fit.
      let code = Int32(min(max(wanted, Double(Int32.min)), Double(Int32.max)))
      applied.append(Float((Double(code) - Double(codes[channel])) * scale))
      codes[channel] = code
    }
    graph.constants[layer.bias] = Tensor(codes, shape: constant.shape)
    return applied
  }
}

private func mean(_ numbers: [Double]) -> Double {
  numbers.isEmpty ? 0 : numbers.reduce(0, +) / Double(numbers.count)
}

extension Tensor {
  /// The tensor with a number added to each channel.
  fileprivate func adding(_ shift: [Float], to layer: QuantizedLayer) -> Tensor {
    guard elementType == .float32, shape.rank >= 2, shift.count == layer.channels,
      let layout = PlacedValue(self).channels(along: layer.channelsAreLast ? shape.rank - 1 : 1),
      layout.channels == shift.count
    else { return self }
    return withElements(of: Float.self) { source in
      Tensor(shape, of: Float.self) { target in
        guard let x = source.baseAddress, let y = target.baseAddress else { return }
        nonisolated(unsafe) let (from, to) = (x, y)
        parallelFor(layout.rows) { row in
          for channel in 0..<layout.channels {
            let start = (row * layout.channels + channel) * layout.inner
            Kernels.apply(
              .add, from + start, shift[channel], to + start, count: layout.inner)
          }
        }
      }
    }
  }
}
