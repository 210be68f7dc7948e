import CKernels

// One overload per element type: generic code does not specialize across modules.

extension Kernels {
  private static func check(_ codes: ClosedRange<Int32>, _ zeroPoint: Int32) {
    precondition(codes.contains(zeroPoint), "zero point \(zeroPoint) outside of \(codes)")
  }

  /// `clamp(roundHalfEven(x / scale) + zeroPoint, codes)` with a true float32 division, bit-equal
  /// to ONNX Runtime.
  ///
  /// NaN gives the lowest code, infinities saturate. `codes` may be narrower than the element:
  /// 4-bit codes go through 8-bit elements.
  package static func quantize(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<UInt8>, count: Int, scale: Float,
    zeroPoint: Int32, codes: ClosedRange<Int32>
  ) {
    check(codes, zeroPoint)
    table.pointee.quantize_u8(
      x, y, count, scale, zeroPoint, codes.lowerBound, codes.upperBound)
  }

  /// Quantizes to `Int8`; see the `UInt8` form.
  package static func quantize(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Int8>, count: Int, scale: Float,
    zeroPoint: Int32, codes: ClosedRange<Int32>
  ) {
    check(codes, zeroPoint)
    table.pointee.quantize_s8(
      x, y, count, scale, zeroPoint, codes.lowerBound, codes.upperBound)
  }

  /// Quantizes to `UInt16`; see the `UInt8` form.
  package static func quantize(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<UInt16>, count: Int, scale: Float,
    zeroPoint: Int32, codes: ClosedRange<Int32>
  ) {
    check(codes, zeroPoint)
    table.pointee.quantize_u16(
      x, y, count, scale, zeroPoint, codes.lowerBound, codes.upperBound)
  }

  /// Quantizes to `Int16`; see the `UInt8` form.
  package static func quantize(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Int16>, count: Int, scale: Float,
    zeroPoint: Int32, codes: ClosedRange<Int32>
  ) {
    check(codes, zeroPoint)
    table.pointee.quantize_s16(
      x, y, count, scale, zeroPoint, codes.lowerBound, codes.upperBound)
  }

  /// Quantizes to `Int32`; see the `UInt8` form.
  package static func quantize(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Int32>, count: Int, scale: Float,
    zeroPoint: Int32, codes: ClosedRange<Int32>
  ) {
    check(codes, zeroPoint)
    table.pointee.quantize_s32(
      x, y, count, scale, zeroPoint, codes.lowerBound, codes.upperBound)
  }

  /// What quantizing and dequantizing leaves of numbers, bit by bit, without the codes between; `codes` have at most 16
  /// bits. In place is allowed.
  package static func roundToCodes(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int, scale: Float,
    zeroPoint: Int32, codes: ClosedRange<Int32>
  ) {
    check(codes, zeroPoint)
    table.pointee.round_to_codes(
      x, y, count, scale, zeroPoint, codes.lowerBound, codes.upperBound)
  }

  /// `Float(code - zeroPoint) * scale`: an int32 difference, then one rounding each.
  package static func dequantize(
    _ codes: UnsafePointer<UInt8>, _ y: UnsafeMutablePointer<Float>, count: Int, scale: Float,
    zeroPoint: Int32
  ) { table.pointee.dequantize_u8(codes, y, count, scale, zeroPoint) }

  /// Dequantizes `Int8`; see the `UInt8` form.
  package static func dequantize(
    _ codes: UnsafePointer<Int8>, _ y: UnsafeMutablePointer<Float>, count: Int, scale: Float,
    zeroPoint: Int32
  ) { table.pointee.dequantize_s8(codes, y, count, scale, zeroPoint) }

  /// Dequantizes `UInt16`; see the `UInt8` form.
  package static func dequantize(
    _ codes: UnsafePointer<UInt16>, _ y: UnsafeMutablePointer<Float>, count: Int, scale: Float,
    zeroPoint: Int32
  ) { table.pointee.dequantize_u16(codes, y, count, scale, zeroPoint) }

  /// Dequantizes `Int16`; see the `UInt8` form.
  package static func dequantize(
    _ codes: UnsafePointer<Int16>, _ y: UnsafeMutablePointer<Float>, count: Int, scale: Float,
    zeroPoint: Int32
  ) { table.pointee.dequantize_s16(codes, y, count, scale, zeroPoint) }

  /// Dequantizes `Int32`; see the `UInt8` form.
  package static func dequantize(
    _ codes: UnsafePointer<Int32>, _ y: UnsafeMutablePointer<Float>, count: Int, scale: Float,
    zeroPoint: Int32
  ) { table.pointee.dequantize_s32(codes, y, count, scale, zeroPoint) }
}
