public import Tensors

/// Biases as the int32 numbers that integer kernels add to their sums.
public enum BiasQuantization {
  /// The codes and scales of a bias: `scale = inputScale × weightScale` in float32, `code = round(bias / scale)` in double,
  /// to nearest even, zero point 0.
  ///
  /// `weightScales` has one scale in all or one for each element of `bias` (float32, one axis); the scales returned are as
  /// many. Throws ``NumberFormatError`` for numbers that are not finite, and where a code does not fit int32, or a scale is 0
  /// in float32: then the weight's scale is too small, as for a channel whose weights are almost 0; see
  /// ``leastWeightScale(for:inputScale:)``.
  public static func quantized(
    _ bias: Tensor, inputScale: Float, weightScales: [Float]
  ) throws -> (codes: Tensor, scales: [Float]) {
    precondition(
      weightScales.count == 1 || weightScales.count == bias.count,
      "\(weightScales.count) weight scales for a bias of \(bias.count)")
    let values = try FloatSource.values(of: bias)
    let scales = weightScales.map { inputScale * $0 }
    var codes: [Int32] = []
    codes.reserveCapacity(values.count)
    for (index, value) in values.enumerated() {
      guard value.isFinite else {
        throw NumberFormatError.notFinite(value, at: index, in: bias.shape)
      }
      let scale = scales[scales.count == 1 ? 0 : index]
      let code = (Double(value) / Double(scale)).rounded(.toNearestOrEven)
      guard let code = Int32(exactly: code) else {
        throw NumberFormatError(
          .outOfRange,
          "the bias of output \(index) is \(value), which does not fit int32 at scale \(scale); "
            + "the scale of its weights must be at least "
            + "\(leastWeightScale(for: value, inputScale: inputScale))")
      }
      codes.append(code)
    }
    return (Tensor(codes, shape: bias.shape), scales)
  }

  /// The smallest scale of an output's weights at which its bias fits int32, with a little room; 0 for a bias of 0.
  ///
  /// Weights whose own range asks for less can take it without harm: they are so small beside the bias that they don't count.
  public static func leastWeightScale(for bias: Float, inputScale: Float) -> Float {
    // A bit of room keeps rounding of the scale's factors from mattering.
    let least = Float(abs(Double(bias)) / Double(inputScale) / 0x1p30)
    return bias == 0 ? 0 : max(least, .leastNormalMagnitude / min(inputScale, 1))
  }
}
