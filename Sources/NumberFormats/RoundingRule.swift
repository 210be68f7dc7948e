// The one place that says which code stands for a number. The kernels that quantize whole runs, and the loops over rows in
// RegionCodec.swift, give the same codes.

extension QuantizationScheme {
  /// The code of a number.
  ///
  /// Linear codes: `clamp(round(x / scale) + zeroPoint)`, a true float32 division, to nearest even, the zero point added
  /// after rounding: bit-equal to ONNX Runtime. Infinities saturate, NaN becomes the lowest code.
  ///
  /// Powers of two: the code whose value is nearest to x / scale, the even one of two; beyond ±1 it saturates. The paper
  /// rounds the logarithm instead, which errs by up to 41 % of a value where this errs by up to a third.
  public func code(of x: Float, scale: Float, zeroPoint: Int32) -> Int32 {
    code.isLinear
      ? RoundingRule.linear(x / scale, zeroPoint, codes)
      : RoundingRule.powerOfTwo(x / scale, code.quantMax)
  }

  /// The number that a code stands for: `scale × (code − zeroPoint)`, or `sign × 2^(|code| − quantMax) × scale` of a power
  /// of two; one rounding to float32.
  public func value(of code: Int32, scale: Float, zeroPoint: Int32) -> Float {
    self.code.isLinear
      ? Float(code - zeroPoint) * scale
      : RoundingRule.value(ofPowerOfTwo: code, self.code.quantMax, scale)
  }
}

enum RoundingRule {
  /// The code of a quotient. The bounds are whole numbers, so it makes no difference that they apply before the zero point
  /// is added, as long as they are float32 numbers: below 2²⁴.
  @inline(__always)
  static func linear(
    _ quotient: Float, _ zeroPoint: Int32, _ codes: ClosedRange<Int32>
  ) -> Int32 {
    linear(
      quotient, zeroPoint, Float(codes.lowerBound - zeroPoint),
      Float(codes.upperBound - zeroPoint))
  }

  /// The same with the bounds given relative to the zero point, their magnitude at most 2²¹.
  @inline(__always)
  static func linear(
    _ quotient: Float, _ zeroPoint: Int32, _ low: Float, _ high: Float
  ) -> Int32 {
    let above = quotient > low ? quotient : low  // NaN becomes the lowest
    let clamped = above < high ? above : high
    // Adding 1.5 × 2²³ leaves no bits for fractions: the processor rounds to nearest even, in every lane of a vector, and
    // the whole number stands in the low bits.
    return Int32(bitPattern: (clamped + 0x1.8p23).bitPattern) &- 0x4B40_0000 &+ zeroPoint
  }

  /// The code of a power of two that is nearest to a quotient.
  @inline(__always)
  static func powerOfTwo(_ quotient: Float, _ quantMax: Int32) -> Int32 {
    let bits = Int32(bitPattern: quotient.bitPattern & 0x7FFF_FFFF)
    // Half of the smallest power, where the way to it begins; that of 127 is a denormal number.
    let half: Int32 = quantMax == 127 ? 1 << 22 : (127 - quantMax) << 23
    guard bits > half else { return 0 }
    let sign: Int32 = quotient < 0 ? -1 : 1
    // From 1 on: the outermost codes; NaN becomes the lowest.
    guard bits < 0x3F80_0000 else { return bits > 0x7F80_0000 ? -quantMax : sign * quantMax }
    let exponent = bits >> 23 - 127 + quantMax
    // Up from 1.5 on, at 1.5 itself to the even code.
    let fraction = bits & 0x7F_FFFF
    let isUp = fraction > 0x40_0000 || (fraction == 0x40_0000 && exponent % 2 != 0)
    return sign * max(exponent + (isUp ? 1 : 0), 1)
  }

  /// The value of a power of two.
  static func value(ofPowerOfTwo code: Int32, _ quantMax: Int32, _ scale: Float) -> Float {
    guard code != 0 else { return 0 }
    let magnitude = Float(
      sign: .plus, exponent: Int(abs(code) - quantMax), significand: scale)
    return code < 0 ? -magnitude : magnitude
  }
}
