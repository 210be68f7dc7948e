public import NumberFormats
public import Tensors

/// Decides which range of numbers the codes should cover, from statistics or from the numbers themselves.
///
/// Numbers outside of the range become the outermost codes. A range never leaves out 0 and never goes beyond the numbers that
/// were seen. To add an estimator, add its file here and its line in ``RangeEstimators``.
public protocol RangeEstimator: Sendable {
  /// What must be gathered about a value for ``range(from:for:)``.
  var requires: Set<StatisticKind> { get }

  /// The range of a value that such statistics were gathered of, to be expressed by the scheme's codes.
  ///
  /// Traps where they lack what the estimator requires; of no numbers at all the range is 0 alone.
  func range(from statistics: TensorStatistics, for scheme: QuantizationScheme) -> ValueRange

  /// The range of numbers that are at hand, all finite: one region of a weight.
  func range(of values: UnsafeBufferPointer<Float>, for scheme: QuantizationScheme) -> ValueRange
}

extension RangeEstimator {
  /// The scales and zero points of a weight, whose regions are estimated one by one.
  ///
  /// Throws ``NumberFormatError`` as ``QuantizationScheme/parameters(covering:)`` does. Regions are shared out over threads;
  /// peak memory is one region a thread.
  public func parameters(
    of weight: Tensor, for scheme: QuantizationScheme
  ) throws -> QuantizationParameters {
    // Also makes sure that all numbers are finite.
    var ranges = try weight.ranges(scheme.granularity)
    if !(self is MinMaxEstimator) {
      try ranges.withUnsafeMutableBufferPointer { ranges in
        nonisolated(unsafe) let ranges = ranges
        try weight.forEachRegion(scheme.granularity) { index, values in
          ranges[index] = range(of: values, for: scheme)
        }
      }
    }
    let shape = try scheme.granularity.scaleShape(of: weight.shape)
    return try scheme.parameters(for: ranges, shape: shape)
  }
}

/// The range of numbers at hand, widened to contain 0.
func fullRange(of values: UnsafeBufferPointer<Float>) -> ValueRange {
  guard let first = values.baseAddress, !values.isEmpty else { return ValueRange(0, 0) }
  let found = Kernels.range(first, count: values.count)
  return found.min <= found.max ? ValueRange(found.min, found.max) : ValueRange(0, 0)
}

extension TensorStatistics {
  /// The range of all numbers seen. Traps where it was not gathered.
  var requiredRange: RunningRange {
    guard let range else { preconditionFailure("the range was not gathered") }
    return range
  }

  /// The distribution. Traps where it was not gathered.
  var requiredHistogram: Histogram {
    guard let histogram else { preconditionFailure("the histogram was not gathered") }
    return histogram
  }
}
