public import NumberFormats

/// Makes the expected squared error of rounding and clipping least, with the very codes that the range would give.
///
/// Nagel et al., "A White Paper on Neural Network Quantization" (2021), arXiv:2106.08295, section 3.1, equation 10. Both ends of
/// an affine range are searched.
public struct MSEEstimator: RangeEstimator {
  /// The distribution, and the range where it ends.
  public let requires: Set<StatisticKind> = [.range, .histogram]

  /// The estimator.
  public init() {}

  /// The best range for numbers that are spread evenly inside of each bin of the histogram.
  public func range(from statistics: TensorStatistics, for scheme: QuantizationScheme) -> ValueRange
  {
    let density = PiecewiseDensity(statistics.requiredHistogram, statistics.requiredRange)
    let search = ClippingSearch(
      full: statistics.requiredRange.valueRange, isSymmetric: scheme.mapping.isSymmetric
    ) { density.cost(of: scheme, $0) }
    return search.best()
  }

  /// The best range for the numbers.
  public func range(
    of values: UnsafeBufferPointer<Float>, for scheme: QuantizationScheme
  ) -> ValueRange {
    let search = ClippingSearch(
      full: fullRange(of: values), isSymmetric: scheme.mapping.isSymmetric
    ) { range in
      guard let (scale, zeroPoint) = try? scheme.parameters(for: range) else { return .infinite }
      return ClippingSearch.Cost(
        error: scheme.squaredError(of: values, scale: scale, zeroPoint: zeroPoint),
        rounding: scheme.greatestRounding(scale) * Double(values.count))
    }
    return search.best()
  }
}

extension QuantizationScheme {
  /// The greatest square of a rounding error inside of the range; infinite where steps are not equal.
  func greatestRounding(_ scale: Float) -> Double {
    code.isLinear ? Double(scale) * Double(scale) / 4 : .infinity
  }
}
