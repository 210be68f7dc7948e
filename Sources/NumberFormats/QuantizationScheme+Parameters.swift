public import Tensors

// The one place where a range of numbers becomes a scale and a zero point.

extension QuantizationScheme {
  /// The scale and zero point that let the codes cover a range.
  ///
  /// - Symmetric: `scale = maxAbs / n` with n = 2ᵇ⁻¹ − 1, or (2ᵇ − 1) / 2 with the full range; the zero point is the middle
  ///   code.
  /// - Affine: `scale = (max − min) / (quantMax − quantMin)`, `zeroPoint = round(quantMin − min / scale)`, to nearest even.
  /// - Powers of two: `scale = maxAbs`.
  ///
  /// The range 0 … 0 gets scale 1. A scale that its type can't hold exactly is rounded to nearest, or upward where the range
  /// would otherwise be clipped (float16 and denormal numbers); it is never rounded to 0. Throws ``NumberFormatError`` where
  /// the scale or the real value of a code would be infinite.
  public func parameters(
    for range: ValueRange
  ) throws -> (scale: Float, zeroPoint: Int32) {
    guard !range.isZero else { return (1, fixedZeroPoint ?? code.quantMin) }
    if let fixedZeroPoint {
      let maxAbs = range.maxAbs
      let scale = storable(
        maxAbs / Float(symmetricSteps), extent: Double(maxAbs), steps: symmetricSteps)
      return (try finite(scale, fixedZeroPoint, range), fixedZeroPoint)
    }
    // In float32 as ONNX Runtime has it, so that DynamicQuantizeLinear gives the same.
    let steps = Float(code.quantMax - code.quantMin)
    let difference = range.max - range.min
    let extent = Double(range.max) - Double(range.min)
    let step = difference.isFinite ? difference / steps : Float(extent / Double(steps))
    let scale = storable(step, extent: extent, steps: Double(steps))
    guard scale.isFinite else { return (try finite(scale, code.quantMin, range), 0) }
    let position = (Float(code.quantMin) - range.min / scale).rounded(.toNearestOrEven)
    let zeroPoint = Int32(min(max(position, Float(code.quantMin)), Float(code.quantMax)))
    return (try finite(scale, zeroPoint, range), zeroPoint)
  }

  /// The parameters of regions whose ranges are given, in the order of their scales. Throws ``NumberFormatError`` as
  /// ``parameters(for:)`` does; traps where there are not as many ranges as the shape says.
  public func parameters(
    for ranges: [ValueRange], shape: Shape
  ) throws -> QuantizationParameters {
    var scales: [Float] = []
    var zeroPoints: [Int32] = []
    scales.reserveCapacity(ranges.count)
    zeroPoints.reserveCapacity(ranges.count)
    for range in ranges {
      let (scale, zeroPoint) = try parameters(for: range)
      scales.append(scale)
      zeroPoints.append(zeroPoint)
    }
    return QuantizationParameters(scales: scales, zeroPoints: zeroPoints, shape: shape)
  }

  /// The parameters that cover every number of a tensor (min-max). Throws ``NumberFormatError`` where it lacks the axis or
  /// holds a number that is not finite.
  public func parameters(covering tensor: Tensor) throws -> QuantizationParameters {
    let shape = try granularity.scaleShape(of: tensor.shape)
    return try parameters(for: tensor.ranges(granularity), shape: shape)
  }

  /// How many scales the greatest magnitude is, in a symmetric mapping.
  private var symmetricSteps: Double {
    guard code.isLinear else { return 1 }
    return mapping.usesAllCodes
      ? Double(code.quantMax - code.quantMin) / 2 : Double(code.symmetricQuantMax)
  }

  /// `step` as the scale's type holds it, not less than what `extent` needs beyond rounding errors of float32.
  private func storable(_ step: Float, extent: Double, steps: Double) -> Float {
    var scale = scaleType.rounded(step)
    while scale.isFinite, Double(scale) * steps * (1 + 0x1p-22) < extent {
      scale = scaleType.next(above: scale)
    }
    return scale
  }

  /// The scale, or one a little smaller where rounding made a code's value infinite.
  private func finite(_ scale: Float, _ zeroPoint: Int32, _ range: ValueRange) throws -> Float {
    let tries = scale.isFinite ? [scale, scaleType.next(below: scale)] : []
    for scale in tries {
      let ends = [codes.lowerBound, codes.upperBound].map {
        value(of: $0, scale: scale, zeroPoint: zeroPoint)
      }
      if ends.allSatisfy(\.isFinite) { return scale }
    }
    throw NumberFormatError(
      .outOfRange,
      "the range \(range) is too wide for \(self): a scale or a code's value would be infinite; "
        + "clip the range, use float32 scales or keep the tensor in float")
  }
}
