public import NumberFormats

/// Covers every number seen: nothing is clipped, and one outlier widens all steps.
public struct MinMaxEstimator: RangeEstimator {
  /// The range.
  public let requires: Set<StatisticKind> = [.range]

  /// The estimator.
  public init() {}

  /// From the least to the greatest number.
  public func range(from statistics: TensorStatistics, for scheme: QuantizationScheme) -> ValueRange
  {
    statistics.requiredRange.valueRange
  }

  /// From the least to the greatest number.
  public func range(
    of values: UnsafeBufferPointer<Float>, for scheme: QuantizationScheme
  ) -> ValueRange { fullRange(of: values) }
}
