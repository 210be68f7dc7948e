import Execution
import Graphs
import Tensors

/// Means of a layer's output by channel, each channel shifted and then clamped.
struct ChannelMeans {
  private(set) var means: [Double]
  /// The share of numbers that no bound cut.
  private(set) var shares: [Double]

  /// About so many numbers are summed up at once. It does not depend on the number of threads, so neither do the sums.
  private static let chunk = 1 << 14

  /// The means of a float32 value; 0 where it has no such channels.
  ///
  /// - Parameters:
  ///   - shift: what is added to each channel; nil: nothing.
  ///   - wanted: the channels whose means are wanted; those of others may be 0. nil: all.
  init(
    _ layer: QuantizedLayer, of value: PlacedValue, shift: [Double]? = nil,
    clamp: ClosedRange<Float>? = nil, only wanted: [Bool]? = nil
  ) {
    means = Array(repeating: 0, count: layer.channels)
    shares = means
    let rank = value.shape.rank
    guard rank >= 2, value.shape.count > 0 else { return }
    let axis = layer.channelsAreLast ? rank - 1 : 1
    var value = value
    if value.channels(along: axis) == nil { value = PlacedValue(value.tensor()) }
    guard let layout = value.channels(along: axis), layout.channels == layer.channels else {
      return
    }
    let shift = shift.map { $0.map { Float($0) } } ?? [Float](repeating: 0, count: layer.channels)
    let bounds = clamp ?? -.infinity ... .infinity
    let found = value.withFloats { numbers in
      layout.inner == 1
        ? Self.sums(ofRows: numbers, layout, shift, bounds)
        : Self.sums(ofRuns: numbers, layout, shift, bounds, wanted)
    }
    let count = Double(layout.rows * layout.inner)
    for (channel, sum) in (found ?? []).enumerated() {
      means[channel] = sum.sum / count
      shares[channel] = Double(sum.inside) / count
    }
  }

  /// The sums of channels that lie side by side.
  private static func sums(
    ofRows numbers: UnsafeBufferPointer<Float>, _ layout: ChannelLayout, _ shift: [Float],
    _ bounds: ClosedRange<Float>
  ) -> [Kernels.ClampedSum] {
    let rows = max(1, chunk / layout.channels)
    let parts = (layout.rows + rows - 1) / rows
    var found = [[Kernels.ClampedSum]](repeating: [], count: parts)
    found.withUnsafeMutableBufferPointer { found in
      nonisolated(unsafe) let (found, numbers) = (found, numbers)
      parallelFor(parts) { part in
        found[part] = Kernels.clampedSums(
          numbers.baseAddress! + part * rows * layout.channels,
          pixels: min(rows, layout.rows - part * rows), shift: shift, in: bounds)
      }
    }
    return total(found, layout.channels)
  }

  /// The sums of channels of which each lies in runs of its own.
  private static func sums(
    ofRuns numbers: UnsafeBufferPointer<Float>, _ layout: ChannelLayout, _ shift: [Float],
    _ bounds: ClosedRange<Float>, _ wanted: [Bool]?
  ) -> [Kernels.ClampedSum] {
    let runs = layout.rows * layout.channels
    let together = max(1, chunk / layout.inner)
    var found = [Kernels.ClampedSum](repeating: .init(), count: runs)
    found.withUnsafeMutableBufferPointer { found in
      nonisolated(unsafe) let (found, numbers) = (found, numbers)
      parallelFor((runs + together - 1) / together) { part in
        for run in (part * together)..<min((part + 1) * together, runs) {
          let channel = run % layout.channels
          guard wanted?[channel] ?? true else { continue }
          found[run] = Kernels.clampedSum(
            numbers.baseAddress! + run * layout.inner, count: layout.inner, shift: shift[channel],
            in: bounds)
        }
      }
    }
    guard layout.rows > 1 else { return found }
    return total([found], layout.channels)
  }

  /// The sums of each channel over parts that hold all channels, once or again and again.
  private static func total(
    _ parts: [[Kernels.ClampedSum]], _ channels: Int
  ) -> [Kernels.ClampedSum] {
    parts.reduce(into: Array(repeating: .init(), count: channels)) { total, part in
      for index in part.indices {
        total[index % channels].sum += part[index].sum
        total[index % channels].inside += part[index].inside
      }
    }
  }
}
