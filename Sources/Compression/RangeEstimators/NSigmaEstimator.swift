public import NumberFormats
import Tensors

/// Covers n standard deviations on both sides of the mean, as far as there are numbers: for n = 3 and a normal distribution
/// 99.7 % of them.
public struct NSigmaEstimator: RangeEstimator {
  /// How many standard deviations.
  public let n: Double
  /// Range, mean and variance.
  public let requires: Set<StatisticKind> = [.range, .moments]

  /// The estimator. Traps where `n` is not positive.
  public init(_ n: Double = 3) {
    precondition(n > 0, "\(n) standard deviations")
    self.n = n
  }

  /// mean ± n·σ, cut off at the least and greatest number.
  public func range(from statistics: TensorStatistics, for scheme: QuantizationScheme) -> ValueRange
  {
    guard let moments = statistics.moments else {
      preconditionFailure("the moments were not gathered")
    }
    return range(moments, within: statistics.requiredRange)
  }

  /// mean ± n·σ, cut off at the least and greatest number.
  public func range(
    of values: UnsafeBufferPointer<Float>, for scheme: QuantizationScheme
  ) -> ValueRange {
    guard let first = values.baseAddress else { return ValueRange(0, 0) }
    var seen = RunningRange()
    let found = Kernels.range(first, count: values.count)
    seen.add(found.min, found.max)
    return range(Moments(of: first, count: values.count), within: seen)
  }

  private func range(_ moments: Moments, within seen: RunningRange) -> ValueRange {
    guard !seen.isEmpty else { return ValueRange(0, 0) }
    let distance = n * moments.standardDeviation
    return ValueRange(
      Float(max(moments.mean - distance, Double(seen.min))),
      Float(min(moments.mean + distance, Double(seen.max))))
  }
}
