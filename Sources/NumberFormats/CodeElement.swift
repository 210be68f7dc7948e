import Tensors

/// The element types that hold one code each, with the kernels for their runs.
protocol CodeElement: FixedWidthInteger, TensorElement {
  static func quantize(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Self>, count: Int, scale: Float,
    zeroPoint: Int32, codes: ClosedRange<Int32>)
  static func dequantize(
    _ codes: UnsafePointer<Self>, _ y: UnsafeMutablePointer<Float>, count: Int, scale: Float,
    zeroPoint: Int32)
}

extension Int8: CodeElement {
  static func quantize(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Int8>, count: Int, scale: Float,
    zeroPoint: Int32, codes: ClosedRange<Int32>
  ) {
    Kernels.quantize(x, y, count: count, scale: scale, zeroPoint: zeroPoint, codes: codes)
  }

  static func dequantize(
    _ codes: UnsafePointer<Int8>, _ y: UnsafeMutablePointer<Float>, count: Int, scale: Float,
    zeroPoint: Int32
  ) {
    Kernels.dequantize(codes, y, count: count, scale: scale, zeroPoint: zeroPoint)
  }
}

extension UInt8: CodeElement {
  static func quantize(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<UInt8>, count: Int, scale: Float,
    zeroPoint: Int32, codes: ClosedRange<Int32>
  ) {
    Kernels.quantize(x, y, count: count, scale: scale, zeroPoint: zeroPoint, codes: codes)
  }

  static func dequantize(
    _ codes: UnsafePointer<UInt8>, _ y: UnsafeMutablePointer<Float>, count: Int, scale: Float,
    zeroPoint: Int32
  ) {
    Kernels.dequantize(codes, y, count: count, scale: scale, zeroPoint: zeroPoint)
  }
}

extension Int16: CodeElement {
  static func quantize(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Int16>, count: Int, scale: Float,
    zeroPoint: Int32, codes: ClosedRange<Int32>
  ) {
    Kernels.quantize(x, y, count: count, scale: scale, zeroPoint: zeroPoint, codes: codes)
  }

  static func dequantize(
    _ codes: UnsafePointer<Int16>, _ y: UnsafeMutablePointer<Float>, count: Int, scale: Float,
    zeroPoint: Int32
  ) {
    Kernels.dequantize(codes, y, count: count, scale: scale, zeroPoint: zeroPoint)
  }
}

extension UInt16: CodeElement {
  static func quantize(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<UInt16>, count: Int, scale: Float,
    zeroPoint: Int32, codes: ClosedRange<Int32>
  ) {
    Kernels.quantize(x, y, count: count, scale: scale, zeroPoint: zeroPoint, codes: codes)
  }

  static func dequantize(
    _ codes: UnsafePointer<UInt16>, _ y: UnsafeMutablePointer<Float>, count: Int, scale: Float,
    zeroPoint: Int32
  ) {
    Kernels.dequantize(codes, y, count: count, scale: scale, zeroPoint: zeroPoint)
  }
}
