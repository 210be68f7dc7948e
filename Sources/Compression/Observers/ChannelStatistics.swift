import NumberFormats
import Tensors

/// Range, mean and variance of each index of an axis: what equalization and bias correction ask for.
public struct ChannelStatistics: Hashable, Sendable {
  /// The axis; negative ones count from the innermost.
  public let axis: Int
  /// The range of each channel, in order; empty before the first batch.
  public private(set) var ranges: [RunningRange] = []
  /// Mean and variance of each channel, in order; empty before the first batch.
  public private(set) var moments: [Moments] = []

  /// Of no numbers.
  public init(axis: Int) { self.axis = axis }

  /// The greatest magnitude of each channel.
  public var maxAbs: [Float] { ranges.map(\.valueRange.maxAbs) }

  /// The mean of each channel.
  public var means: [Float] { moments.map { Float($0.mean) } }

  /// Adds a batch of finite float32 numbers. Throws ``NumberFormatError`` where it lacks the axis or has another number of
  /// channels than earlier batches.
  mutating func add(_ values: Tensor) throws {
    var batch = ChannelStatistics(axis: axis)
    let channels = try Granularity.perChannel(axis: axis).scaleShape(of: values.shape).count
    batch.ranges = .init(repeating: RunningRange(), count: channels)
    batch.moments = .init(repeating: Moments(), count: channels)
    try batch.ranges.withUnsafeMutableBufferPointer { ranges in
      try batch.moments.withUnsafeMutableBufferPointer { moments in
        nonisolated(unsafe) let (ranges, moments) = (ranges, moments)
        try values.forEachRegion(.perChannel(axis: axis)) { channel, x in
          guard let first = x.baseAddress else { return }
          let found = Kernels.range(first, count: x.count)
          ranges[channel].add(found.min, found.max)
          moments[channel] = Moments(of: first, count: x.count)
        }
      }
    }
    try merge(batch)
  }

  /// Adds the numbers that `other` has seen. Throws ``NumberFormatError`` where the numbers of channels differ.
  public mutating func merge(_ other: ChannelStatistics) throws {
    guard !other.ranges.isEmpty else { return }
    if ranges.isEmpty {
      self = other
      return
    }
    guard ranges.count == other.ranges.count else {
      throw NumberFormatError(
        .mismatch,
        "axis \(axis) has \(other.ranges.count) channels in one batch and \(ranges.count) in another; "
          + "every batch must have as many")
    }
    for channel in ranges.indices {
      ranges[channel].merge(other.ranges[channel])
      moments[channel].merge(other.moments[channel])
    }
  }
}
