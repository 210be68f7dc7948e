import Tensors

/// How often numbers of each size occur, counted in a fixed number of bins that grow as the numbers do.
///
/// Bins cover −limit … limit evenly, with 0 at an edge. The limit is the least power of two above every magnitude seen:
/// when it grows, neighbouring bins are joined, which gives exactly what counting with the new bins would have given. So the
/// counts don't depend on the order in which numbers come, nor on how they are divided into batches or threads. Numbers
/// that are exactly 0 are counted apart: they are stored exactly, whatever the scale.
public struct Histogram: Hashable, Sendable {
  /// How many bins there are on either side of 0, a power of two.
  public let binsPerSide: Int
  /// How many numbers were 0.
  public private(set) var zeroCount = 0
  /// How many numbers fell into each bin, those of negative numbers first. Bin i covers ``edge(_:)`` of i … i + 1, to which
  /// its edge nearer to 0 belongs.
  public private(set) var counts: [Int]
  /// The limit is 2 to this power; nil as long as there is no number but 0.
  private var exponent: Int?

  /// Magnitudes below this power of two share the innermost bins.
  private static let leastExponent = -100

  /// An empty histogram. Traps where `binsPerSide` is no power of two. 4096 on either side leave 2048 or more between 0 and the
  /// greatest magnitude: several for each of 256 codes, at 64 KiB a value.
  init(binsPerSide: Int = 4096) {
    precondition(
      binsPerSide > 1 && binsPerSide.nonzeroBitCount == 1, "\(binsPerSide) bins per side")
    self.binsPerSide = binsPerSide
    counts = .init(repeating: 0, count: 2 * binsPerSide)
  }

  /// How many numbers were seen.
  public var count: Int { counts.reduce(zeroCount, +) }

  /// The width of a bin; 0 as long as there is no number but 0.
  public var binWidth: Double {
    exponent.map { Double(sign: .plus, exponent: $0, significand: 1 / Double(binsPerSide)) } ?? 0
  }

  /// The number at which bin `index` begins; that of `counts.count` is the limit.
  public func edge(_ index: Int) -> Double { Double(index - binsPerSide) * binWidth }

  /// The bins from the first to the last that is not empty; empty where there is no number but 0.
  public var occupied: Range<Int> {
    guard let first = counts.firstIndex(where: { $0 > 0 }),
      let last = counts.lastIndex(where: { $0 > 0 })
    else { return binsPerSide..<binsPerSide }
    return first..<(last + 1)
  }

  /// Adds the numbers that `other` has seen. Traps where the numbers of bins differ.
  public mutating func merge(_ other: Histogram) {
    precondition(binsPerSide == other.binsPerSide, "histograms of different numbers of bins")
    var other = other
    if let theirs = other.exponent { grow(to: theirs) }
    if let ours = exponent { other.grow(to: ours) }
    zeroCount += other.zeroCount
    for index in counts.indices { counts[index] += other.counts[index] }
  }

  /// Joins bins until the limit is 2 to at least this power.
  private mutating func grow(to newExponent: Int) {
    guard let old = exponent else {
      exponent = newExponent
      return
    }
    guard newExponent > old else { return }
    let (middle, shift) = (binsPerSide, newExponent - old)
    var joined = [Int](repeating: 0, count: counts.count)
    for distance in 0..<binsPerSide {
      let target = distance >> shift
      joined[middle + target] += counts[middle + distance]
      joined[middle - 1 - target] += counts[middle - 1 - distance]
    }
    counts = joined
    exponent = newExponent
  }
}

// MARK: - Counting

extension Histogram {
  /// How many numbers one index of the parallel loop counts.
  private static let part = 1 << 18

  /// Adds finite numbers, whose magnitudes are at most `maxAbs`.
  mutating func add(_ values: UnsafeBufferPointer<Float>, maxAbs: Float) {
    guard maxAbs > 0, let x = values.baseAddress else {
      zeroCount += values.count
      return
    }
    // The least power of two that is greater: a number at the limit itself would have no bin.
    grow(to: max(Int(maxAbs.exponent) + 1, Histogram.leastExponent))
    // Products with it are exact.
    let scale = Float(1 / binWidth)
    let bins = binsPerSide
    let zeros = counts.withUnsafeMutableBufferPointer { counts in
      counts.withMemoryRebound(to: UInt64.self) { counts in
        values.count <= Histogram.part
          ? Kernels.countMagnitudes(
            x, count: values.count, scale: scale, bins: bins, into: counts.baseAddress!)
          : Histogram.countInParts(values, scale, into: counts)
      }
    }
    zeroCount += zeros
  }

  /// Counts parts of the numbers on all threads; gives the number of zeros.
  private static func countInParts(
    _ values: UnsafeBufferPointer<Float>, _ scale: Float,
    into counts: UnsafeMutableBufferPointer<UInt64>
  ) -> Int {
    let bins = counts.count
    let parts = (values.count + part - 1) / part
    return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: parts * (bins + 1)) { partial in
      partial.initialize(repeating: 0)
      nonisolated(unsafe) let (partial, values) = (partial, values)
      parallelFor(parts) { index in
        let found = partial.baseAddress! + index * (bins + 1)
        found[bins] = UInt64(
          Kernels.countMagnitudes(
            values.baseAddress! + index * part, count: min(part, values.count - index * part),
            scale: scale, bins: bins / 2, into: found))
      }
      var zeros = 0
      for index in 0..<parts {
        let found = partial.baseAddress! + index * (bins + 1)
        for bin in 0..<bins { counts[bin] &+= found[bin] }
        zeros += Int(found[bins])
      }
      return zeros
    }
  }
}
