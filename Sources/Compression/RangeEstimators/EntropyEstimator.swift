import Foundation
public import NumberFormats

/// Chooses the range at which the distribution of the coded numbers is closest to that of the numbers, by the
/// Kullback-Leibler divergence.
///
/// Migacz, "8-bit Inference with TensorRT" (GTC 2017), with these differences: ranges of both signs, of one, and affine ones are
/// treated alike; numbers meet the code that the range would really give them; those that are exactly 0 are left out, since
/// every range expresses them; and the divergence stays finite by mixing a little of an even distribution into the coded one.
/// Clipped numbers count at the edge of the reference distribution and not at all in the coded one, which is what makes
/// clipping cost. Codes of more than 8 bits are finer than the histogram: nothing is clipped for them.
public struct EntropyEstimator: RangeEstimator {
  /// The distribution, and the range where it ends.
  public let requires: Set<StatisticKind> = [.range, .histogram]

  /// How many limits are tried between the least and the whole.
  private static let candidates = 128
  /// The share of the even distribution.
  private static let smoothing = 1e-4
  /// The least number of bins per code at which a candidate tells anything: with one each, codes would lose nothing.
  private static let binsPerCode = 2

  /// The estimator.
  public init() {}

  /// The best range for the distribution.
  public func range(from statistics: TensorStatistics, for scheme: QuantizationScheme) -> ValueRange
  {
    best(statistics.requiredHistogram, statistics.requiredRange.valueRange, scheme)
  }

  /// The best range for the distribution of the numbers.
  public func range(
    of values: UnsafeBufferPointer<Float>, for scheme: QuantizationScheme
  ) -> ValueRange {
    let full = fullRange(of: values)
    var histogram = Histogram()
    histogram.add(values, maxAbs: full.maxAbs)
    return best(histogram, full, scheme)
  }

  private func best(
    _ histogram: Histogram, _ full: ValueRange, _ scheme: QuantizationScheme
  ) -> ValueRange {
    let occupied = histogram.occupied
    guard !full.isZero, !occupied.isEmpty else { return full }
    let middle = histogram.binsPerSide
    let farthest = max(middle - occupied.lowerBound, occupied.upperBound - middle)
    let least = scheme.codes.count * Self.binsPerCode
    var (best, divergence) = (full, Double.infinity)
    // From the whole range down, so that of equals the widest is chosen.
    for candidate in stride(from: Self.candidates, to: 0, by: -1) {
      let limit = farthest * candidate / Self.candidates
      let first = max(middle - limit, occupied.lowerBound)
      let end = min(middle + limit, occupied.upperBound)
      guard end - first >= least else { break }
      let bins = first..<end
      let range =
        candidate == Self.candidates
        ? full
        : ValueRange(
          max(full.min, Float(histogram.edge(middle - limit))),
          min(full.max, Float(histogram.edge(middle + limit))))
      let found = self.divergence(histogram, bins, range, scheme)
      if found < divergence { (best, divergence) = (range, found) }
    }
    return best
  }

  /// The divergence of the coded distribution of some bins from that of all numbers, those outside standing at the edges.
  private func divergence(
    _ histogram: Histogram, _ bins: Range<Int>, _ range: ValueRange, _ scheme: QuantizationScheme
  ) -> Double {
    guard let (scale, zeroPoint) = try? scheme.parameters(for: range) else { return .infinity }
    var reference = histogram.counts[bins].map { Double($0) }
    let inside = reference.reduce(0, +)
    // Per code: how many numbers, in how many bins that are not empty.
    let lowest = scheme.codes.lowerBound
    var sums = [Double](repeating: 0, count: scheme.codes.count)
    var filled = sums
    var codes = [Int](repeating: 0, count: bins.count)
    for (index, bin) in bins.enumerated() where reference[index] > 0 {
      let middle = Float((histogram.edge(bin) + histogram.edge(bin + 1)) / 2)
      codes[index] = Int(scheme.code(of: middle, scale: scale, zeroPoint: zeroPoint) - lowest)
      sums[codes[index]] += reference[index]
      filled[codes[index]] += 1
    }
    let inner = reference
    reference[0] += Double(histogram.counts[..<bins.lowerBound].reduce(0, +))
    reference[reference.count - 1] += Double(histogram.counts[bins.upperBound...].reduce(0, +))
    let total = reference.reduce(0, +)
    let support = Double(reference.count { $0 > 0 })
    guard total > 0, inside > 0 else { return .infinity }
    var divergence = 0.0
    for index in reference.indices where reference[index] > 0 {
      // An edge bin that only clipped numbers fill has no code's share.
      let coded = inner[index] > 0 ? sums[codes[index]] / filled[codes[index]] : 0
      let p = reference[index] / total
      let q = (1 - Self.smoothing) * coded / inside + Self.smoothing / support
      divergence += p * log(p / q)
    }
    return divergence
  }
}
