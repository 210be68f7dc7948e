public import NumberFormats

/// Averages the ranges of the calibration batches; see ``MovingAverageRange``.
///
/// Of numbers at hand, which are one batch, it is the range.
public struct MovingAverageEstimator: RangeEstimator {
  /// The ranges of batches.
  public let requires: Set<StatisticKind> = [.movingAverage]

  /// The estimator.
  public init() {}

  /// The average of the batches' ranges.
  public func range(from statistics: TensorStatistics, for scheme: QuantizationScheme) -> ValueRange
  {
    guard let average = statistics.movingAverage else {
      preconditionFailure("the moving average was not gathered")
    }
    return average.valueRange
  }

  /// From the least to the greatest number.
  public func range(
    of values: UnsafeBufferPointer<Float>, for scheme: QuantizationScheme
  ) -> ValueRange { fullRange(of: values) }
}
