import Foundation
import Tensors

/// An element that can be reckoned with: integers wrap around, division truncates.
///
/// Used in generic code of this module only, which the compiler turns into one concrete loop per type.
protocol NumericElement: TensorElement, Comparable, Numeric {
  func adding(_ other: Self) -> Self
  func subtracting(_ other: Self) -> Self
  func multiplying(_ other: Self) -> Self
  /// The quotient, truncated for integers; an integer divided by zero is 0.
  func dividing(_ other: Self) -> Self
  /// The remainder with the sign of the divisor, as Python's `%`; 0 for an integer divisor of zero.
  func modulo(_ other: Self) -> Self
  /// The remainder with the sign of the dividend, as C's `fmod`; 0 for an integer divisor of zero.
  func remainder(truncating other: Self) -> Self
  func power(_ exponent: Double) -> Self
  /// The lesser one; NaN where either is.
  func lesser(_ other: Self) -> Self
  /// The greater one; NaN where either is.
  func greater(_ other: Self) -> Self
  func negated() -> Self
  func absolute() -> Self
  /// -1, 0 or 1; NaN stays.
  func signum() -> Self
  /// The number in double precision; integers beyond 2⁵³ are rounded.
  var double: Double { get }
  /// The least element: −∞ for floating-point numbers.
  static var least: Self { get }
  /// The nearest element; fractions of integers are cut off.
  static func rounding(_ value: Double) -> Self
  /// The element's bits, zero-extended.
  func toBits() -> UInt64
  /// The element of the given bits; those beyond its width are dropped.
  static func fromBits(_ bits: UInt64) -> Self
}

extension NumericElement where Self: FixedWidthInteger {
  func adding(_ other: Self) -> Self { self &+ other }
  func subtracting(_ other: Self) -> Self { self &- other }
  func multiplying(_ other: Self) -> Self { self &* other }
  func dividing(_ other: Self) -> Self {
    other == 0 ? 0 : dividedReportingOverflow(by: other).partialValue
  }
  func modulo(_ other: Self) -> Self {
    let rest = remainder(truncating: other)
    return rest != 0 && (rest < 0) != (other < 0) ? rest &+ other : rest
  }
  func remainder(truncating other: Self) -> Self {
    other == 0 ? 0 : remainderReportingOverflow(dividingBy: other).partialValue
  }
  func power(_ exponent: Double) -> Self {
    guard exponent >= 0, exponent.rounded() == exponent, exponent < 0x1p63 else {
      return Self.clamping(pow(double, exponent))
    }
    var result: Self = 1
    var factor = self
    var rest = UInt64(exponent)
    while rest > 0 {
      if rest & 1 == 1 { result = result &* factor }
      factor = factor &* factor
      rest >>= 1
    }
    return result
  }
  func lesser(_ other: Self) -> Self { Swift.min(self, other) }
  func greater(_ other: Self) -> Self { Swift.max(self, other) }
  func negated() -> Self { 0 &- self }
  func absolute() -> Self { self < 0 ? 0 &- self : self }
  func signum() -> Self { self > 0 ? 1 : self == 0 ? 0 : 0 &- 1 }
  var double: Double { Double(self) }
  static var least: Self { .min }
  static func rounding(_ value: Double) -> Self { clamping(value) }
  func toBits() -> UInt64 { UInt64(truncatingIfNeeded: self) & (.max >> (64 - Self.bitWidth)) }
  static func fromBits(_ bits: UInt64) -> Self { Self(truncatingIfNeeded: bits) }

  /// The nearest number that the type holds, truncated; 0 for NaN.
  static func clamping(_ value: Double) -> Self {
    if value.isNaN { return 0 }
    return Self(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : .max)
  }
}

extension NumericElement where Self: BinaryFloatingPoint {
  func adding(_ other: Self) -> Self { self + other }
  func subtracting(_ other: Self) -> Self { self - other }
  func multiplying(_ other: Self) -> Self { self * other }
  func dividing(_ other: Self) -> Self { self / other }
  func modulo(_ other: Self) -> Self {
    let rest = truncatingRemainder(dividingBy: other)
    return rest != 0 && (rest < 0) != (other < 0) ? rest + other : rest
  }
  func remainder(truncating other: Self) -> Self { truncatingRemainder(dividingBy: other) }
  func power(_ exponent: Double) -> Self { Self(pow(Double(self), exponent)) }
  func lesser(_ other: Self) -> Self { self < other || isNaN ? self : other }
  func greater(_ other: Self) -> Self { self > other || isNaN ? self : other }
  func negated() -> Self { -self }
  func absolute() -> Self { magnitude }
  func signum() -> Self { self > 0 ? 1 : self < 0 ? -1 : self }
  var double: Double { Double(self) }
  static var least: Self { -.infinity }
  static func rounding(_ value: Double) -> Self { Self(value) }
}

extension Float: NumericElement {
  func toBits() -> UInt64 { UInt64(bitPattern) }
  static func fromBits(_ bits: UInt64) -> Float {
    Float(bitPattern: UInt32(truncatingIfNeeded: bits))
  }
}
extension Double: NumericElement {
  func toBits() -> UInt64 { bitPattern }
  static func fromBits(_ bits: UInt64) -> Double { Double(bitPattern: bits) }
}
extension Int8: NumericElement {}
extension UInt8: NumericElement {}
extension Int16: NumericElement {}
extension UInt16: NumericElement {}
extension Int32: NumericElement {}
extension UInt32: NumericElement {}
extension Int64: NumericElement {}
extension UInt64: NumericElement {}

/// Work that is the same for every type of number.
protocol NumericBody {
  associatedtype Result
  func run<Element: NumericElement>(_ type: Element.Type) throws -> Result
}

/// Runs `body` for the Swift type of an element type, compiled for each.
///
/// Throws ``ExecutionError`` for `bool`, for small floats and for packed integers.
func withNumericType<Body: NumericBody>(
  _ type: ElementType, _ body: Body
) throws -> Body.Result {
  switch type {
  case .float32: try body.run(Float.self)
  case .float64: try body.run(Double.self)
  case .int8: try body.run(Int8.self)
  case .uint8: try body.run(UInt8.self)
  case .int16: try body.run(Int16.self)
  case .uint16: try body.run(UInt16.self)
  case .int32: try body.run(Int32.self)
  case .uint32: try body.run(UInt32.self)
  case .int64: try body.run(Int64.self)
  case .uint64: try body.run(UInt64.self)
  default: throw ExecutionError(.unsupported, "is not computed for \(type)")
  }
}

/// Runs `body` for an unsigned integer as wide as the element type, for work that only moves elements.
///
/// Throws ``ExecutionError`` for elements of less than a byte.
func withBitPatternType<Body: NumericBody>(
  _ type: ElementType, _ body: Body
) throws -> Body.Result {
  switch type.bitWidth {
  case 8: try body.run(UInt8.self)
  case 16: try body.run(UInt16.self)
  case 32: try body.run(UInt32.self)
  case 64: try body.run(UInt64.self)
  default: throw ExecutionError(.unsupported, "is not computed for \(type)")
  }
}
