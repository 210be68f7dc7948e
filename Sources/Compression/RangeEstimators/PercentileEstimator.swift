public import NumberFormats

/// Covers a given percentage of the numbers and clips the rest.
///
/// For a symmetric mapping the largest magnitudes are clipped. For an affine one half of the rest is clipped at each end,
/// or all of it at the only end where numbers of one sign have one. Where this would leave nothing but 0, because nearly all
/// numbers are 0, nothing is clipped.
public struct PercentileEstimator: RangeEstimator {
  /// How many of a hundred numbers are covered, 0 … 100.
  public let percentage: Double
  /// The distribution, and the range where it ends.
  public let requires: Set<StatisticKind> = [.range, .histogram]

  /// The estimator. Traps for a percentage that is not in 0 … 100.
  public init(_ percentage: Double = 99.99) {
    precondition(0...100 ~= percentage, "\(percentage) %")
    self.percentage = percentage
  }

  /// The range, numbers being spread evenly inside of each bin of the histogram: exact within a bin.
  public func range(from statistics: TensorStatistics, for scheme: QuantizationScheme) -> ValueRange
  {
    let (seen, histogram) = (statistics.requiredRange, statistics.requiredHistogram)
    guard !seen.isEmpty else { return ValueRange(0, 0) }
    let full = seen.valueRange
    if scheme.mapping.isSymmetric {
      let limit = Float(histogram.magnitude(below: percentage / 100))
      return clipped(full, -limit, limit)
    }
    let share = tails(isOneSided: full.min == 0 || full.max == 0)
    return clipped(
      full, Float(histogram.value(below: share)), Float(histogram.value(below: 1 - share)))
  }

  /// The range, by linear interpolation between the sorted numbers.
  public func range(
    of values: UnsafeBufferPointer<Float>, for scheme: QuantizationScheme
  ) -> ValueRange {
    let full = fullRange(of: values)
    if scheme.mapping.isSymmetric {
      let limit = quantile(percentage / 100, of: values.map { abs($0) }.sorted())
      return clipped(full, -limit, limit)
    }
    let sorted = values.sorted()
    let share = tails(isOneSided: full.min == 0 || full.max == 0)
    return clipped(full, quantile(share, of: sorted), quantile(1 - share, of: sorted))
  }

  /// The part of the whole range from `low` to `high`.
  private func clipped(_ full: ValueRange, _ low: Float, _ high: Float) -> ValueRange {
    let range = ValueRange(min(max(low, full.min), 0), max(min(high, full.max), 0))
    return range.isZero ? full : range
  }

  /// The share of numbers that is clipped at each end.
  private func tails(isOneSided: Bool) -> Double {
    (1 - percentage / 100) / (isOneSided ? 1 : 2)
  }
}

/// The number below which the given share of sorted numbers lies, between two of them by linear interpolation.
private func quantile(_ share: Double, of sorted: [Float]) -> Float {
  guard let last = sorted.last else { return 0 }
  let position = share * Double(sorted.count - 1)
  let index = Int(position)
  guard index + 1 < sorted.count else { return last }
  let fraction = position - Double(index)
  return Float(Double(sorted[index]) * (1 - fraction) + Double(sorted[index + 1]) * fraction)
}

extension Histogram {
  /// The number below which the given share of all numbers lies.
  fileprivate func value(below share: Double) -> Double {
    var wanted = share * Double(count)
    for index in counts.indices {
      if index == binsPerSide {
        // Zeros lie between the bins on both sides.
        if wanted < Double(zeroCount) { return 0 }
        wanted -= Double(zeroCount)
      }
      let inside = Double(counts[index])
      if inside > 0 && wanted <= inside {
        return edge(index) + binWidth * max(wanted, 0) / inside
      }
      wanted -= inside
    }
    return edge(occupied.upperBound)
  }

  /// The magnitude below which the given share of all magnitudes lies.
  fileprivate func magnitude(below share: Double) -> Double {
    var wanted = share * Double(count) - Double(zeroCount)
    guard wanted > 0 else { return 0 }
    for distance in 0..<binsPerSide {
      let inside = Double(counts[binsPerSide + distance] + counts[binsPerSide - 1 - distance])
      if inside > 0 && wanted <= inside {
        return binWidth * (Double(distance) + wanted / inside)
      }
      wanted -= inside
    }
    return edge(counts.count)
  }
}
