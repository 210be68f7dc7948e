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
    let fewest = scheme.codes.count * Self.binsPerCode
    let divergence = CodedDivergence(histogram, scheme)
    var (best, least) = (full, Double.infinity)
    // From the whole range down, so that of equals the widest is chosen.
    for candidate in stride(from: Self.candidates, to: 0, by: -1) {
      let limit = farthest * candidate / Self.candidates
      let first = max(middle - limit, occupied.lowerBound)
      let end = min(middle + limit, occupied.upperBound)
      guard end - first >= fewest else { break }
      let bins = first..<end
      let range =
        candidate == Self.candidates
        ? full
        : ValueRange(
          max(full.min, Float(histogram.edge(middle - limit))),
          min(full.max, Float(histogram.edge(middle + limit))))
      let found = divergence(bins, range)
      if found < least { (best, least) = (range, found) }
    }
    return best
  }
}
