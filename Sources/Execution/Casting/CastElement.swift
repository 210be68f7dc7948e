import Tensors

/// An element of a whole number of bytes, as it is turned into others: floating-point numbers by way of `Double`,
/// integers by way of 64 bits.
protocol CastElement: NumericElement {
  static var isFloat: Bool { get }
  /// The low 64 bits; integers only.
  var bits: UInt64 { get }
  /// Whether `bits` are to be read with a sign.
  static var isSigned: Bool { get }
  /// The nearest number; integers drop the fraction, stop at their range and take 0 for NaN.
  init(double: Double)
  /// The number; an integer's higher bits are dropped.
  init(bits: UInt64, isSigned: Bool)
}

extension CastElement where Self: FixedWidthInteger {
  static var isFloat: Bool { false }
  var bits: UInt64 { UInt64(truncatingIfNeeded: self) }
  init(bits: UInt64, isSigned: Bool) { self.init(truncatingIfNeeded: bits) }
  init(double: Double) {
    if double.isNaN {
      self = 0
    } else {
      self = Self(exactly: double.rounded(.towardZero)) ?? (double < 0 ? .min : .max)
    }
  }
}

extension CastElement where Self: BinaryFloatingPoint {
  static var isFloat: Bool { true }
  static var isSigned: Bool { true }
  var bits: UInt64 { 0 }
  init(bits: UInt64, isSigned: Bool) {
    self = isSigned ? Self(Int64(bitPattern: bits)) : Self(bits)
  }
  init(double: Double) { self.init(double) }
}

extension Float: CastElement {}
extension Double: CastElement {}
extension Int8: CastElement {}
extension UInt8: CastElement {}
extension Int16: CastElement {}
extension UInt16: CastElement {}
extension Int32: CastElement {}
extension UInt32: CastElement {}
extension Int64: CastElement {}
extension UInt64: CastElement {}
