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
/// Costs one run of the float and one of the quantized network on each sample. All samples go through the network side by
/// side, so that the values that are alive at one layer are held for each of them: at most ``sampleLimit`` are used.
struct BiasCorrection {
  /// The most samples that are used: means of more don't differ.
  var sampleLimit = 32

  /// Steps of Newton's method; the means are piecewise linear in the shift, so that few are enough.
  var stepLimit = 8

  /// The quantized model with corrected biases.
  func corrected(
    _ quantized: Model, _ layers: [QuantizedLayer], float: Model,
    on samples: any CalibrationSamples
  ) throws -> Model {
    let count = min(samples.count, sampleLimit)
    guard count > 0, !layers.isEmpty else { return quantized }
    let expected = try floatMeans(float, layers, samples, count)
    var run = try StepwiseRun(quantized, samples: (0..<count).map { try samples.sample(at: $0) })
    var corrected = quantized
    for layer in layers {
      try run.advance(through: layer.output)
      guard let target = expected[layer.floatOutput]?.means else { continue }
      let shift = shift(of: run.values(of: layer.output), to: target, layer)
      let applied = apply(shift, to: layer, &corrected.graph)
      run.update(layer.output) { $0.adding(applied, channelsAreLast: layer.channelsAreLast) }
    }
    return corrected
  }

  private func floatMeans(
    _ model: Model, _ layers: [QuantizedLayer], _ samples: any CalibrationSamples, _ count: Int
  ) throws -> [String: ChannelMeans] {
    var means: [String: ChannelMeans] = [:]
    for layer in layers { means[layer.floatOutput] = ChannelMeans(layer) }
    let interpreter = try Interpreter(model)
    for index in 0..<count {
      let sample = try samples.sample(at: index)
      try located("sample \(index)") {
        _ = try interpreter.run(sample) { name, value in
          means[name]?.add(value, shift: nil, clamp: nil)
        }
      }
    }
    return means
  }

  /// What must be added to each channel of a layer's output for its means to be `target`.
  private func shift(
    of values: [Tensor], to target: [Double], _ layer: QuantizedLayer
  ) -> [Double] {
    var shift = [Double](repeating: 0, count: target.count)
    for _ in 0..<(layer.clamp == nil ? 1 : stepLimit) {
      var means = ChannelMeans(layer)
      for value in values { means.add(value, shift: shift, clamp: layer.clamp) }
      for channel in shift.indices {
        // The mean grows with the shift as fast as the share of numbers between the bounds. Where hardly any is, the slope
        // says nothing of what lies far off.
        let share = means.shares[channel]
        guard share > 1e-3 else { continue }
        shift[channel] += (target[channel] - means.means[channel]) / share
      }
    }
    return shift
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

/// Running means of a layer's output by channel.
private struct ChannelMeans {
  private let channelsAreLast: Bool
  private var sums: [Double]
  private var inside: [Int]
  private var count = 0

  init(_ layer: QuantizedLayer) {
    channelsAreLast = layer.channelsAreLast
    sums = Array(repeating: 0, count: layer.channels)
    inside = Array(repeating: 0, count: layer.channels)
  }

  var means: [Double] { sums.map { count == 0 ? 0 : $0 / Double(count) } }

  /// The share of numbers that no bound cut.
  var shares: [Double] { inside.map { count == 0 ? 0 : Double($0) / Double(count) } }

  /// Adds a batch, each channel shifted and then clamped.
  mutating func add(_ value: Tensor, shift: [Double]?, clamp: ClosedRange<Float>?) {
    guard let layout = value.channelLayout(channelsAreLast), layout.channels == sums.count else {
      return
    }
    let (low, high) = (clamp?.lowerBound ?? -.infinity, clamp?.upperBound ?? .infinity)
    value.withElements(of: Float.self) { elements in
      layout.forEachRun { channel, range in
        let added = shift.map { Float($0[channel]) } ?? 0
        var (sum, number) = (0.0, 0)
        for i in range {
          let shifted = elements[i] + added
          if shifted > low && shifted < high { number += 1 }
          sum += Double(min(max(shifted, low), high))
        }
        sums[channel] += sum
        inside[channel] += number
      }
    }
    count += value.count / layout.channels
  }
}

extension Tensor {
  /// How the channels of a layer's output lie.
  fileprivate func channelLayout(_ channelsAreLast: Bool) -> ChannelLayout? {
    guard elementType == .float32, shape.rank >= 2, count > 0 else { return nil }
    return channelsAreLast
      ? ChannelLayout(rows: count / shape[-1], channels: shape[-1])
      : ChannelLayout(rows: shape[0], channels: shape[1], inner: shape.count(in: 2..<shape.rank))
  }

  /// The tensor with a number added to each channel.
  fileprivate func adding(_ shift: [Float], channelsAreLast: Bool) -> Tensor {
    guard let layout = channelLayout(channelsAreLast), shift.count == layout.channels else {
      return self
    }
    return withElements(of: Float.self) { source in
      Tensor(shape, of: Float.self) { target in
        layout.forEachRun { channel, range in
          for i in range { target[i] = source[i] + shift[channel] }
        }
      }
    }
  }
}
