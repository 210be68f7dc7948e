/// What one element of a tensor is, in memory.
///
/// Multi-byte elements are little-endian. Elements of less than a byte are packed without row alignment, the first one in the
/// lowest bits (the order of ONNX's `raw_data`); what is left of the last byte is zero.
public enum ElementType: String, Hashable, Sendable, CaseIterable {
  case float32
  case float16
  case bfloat16
  case float64
  case float8e4m3fn
  case float8e4m3fnuz
  case float8e5m2
  case float8e5m2fnuz
  case float8e8m0
  case float4e2m1
  case int2
  case uint2
  case int4
  case uint4
  case int8
  case uint8
  case int16
  case uint16
  case int32
  case uint32
  case int64
  case uint64
  case bool

  /// The number of bits of one element: 2, 4, 8, 16, 32 or 64.
  public var bitWidth: Int {
    switch self {
    case .int2, .uint2: 2
    case .int4, .uint4, .float4e2m1: 4
    case .int8, .uint8, .bool: 8
    case .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0: 8
    case .int16, .uint16, .float16, .bfloat16: 16
    case .int32, .uint32, .float32: 32
    case .int64, .uint64, .float64: 64
    }
  }

  /// The number of bytes that `count` elements take, the last one filled up.
  public func byteCount(of count: Int) -> Int {
    bitWidth >= 8 ? count * (bitWidth / 8) : (count * bitWidth + 7) / 8
  }

  /// Whether elements are floating-point numbers of any width.
  public var isFloatingPoint: Bool {
    switch self {
    case .float32, .float16, .bfloat16, .float64, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2,
      .float8e5m2fnuz, .float8e8m0, .float4e2m1:
      true
    default: false
    }
  }

  /// Whether elements are integers, signed or not; `bool` is not.
  public var isInteger: Bool { !isFloatingPoint && self != .bool }

  /// The least and greatest integer that an element can be, nil for floating-point numbers, `bool` and `uint64`.
  public var integerRange: ClosedRange<Int>? {
    switch self {
    case .int2, .int4, .int8, .int16, .int32, .int64:
      (Int.min >> (64 - bitWidth))...(Int.max >> (64 - bitWidth))
    case .uint2, .uint4, .uint8, .uint16, .uint32: 0...((1 << bitWidth) - 1)
    default: nil
    }
  }
}

/// A Swift type whose values are elements of a tensor, one each.
public protocol TensorElement: Sendable {
  /// The element type whose memory this type's values have.
  static var elementType: ElementType { get }
}

extension Float: TensorElement { public static var elementType: ElementType { .float32 } }
extension Double: TensorElement { public static var elementType: ElementType { .float64 } }
extension Int8: TensorElement { public static var elementType: ElementType { .int8 } }
extension UInt8: TensorElement { public static var elementType: ElementType { .uint8 } }
extension Int16: TensorElement { public static var elementType: ElementType { .int16 } }
extension UInt16: TensorElement { public static var elementType: ElementType { .uint16 } }
extension Int32: TensorElement { public static var elementType: ElementType { .int32 } }
extension UInt32: TensorElement { public static var elementType: ElementType { .uint32 } }
extension Int64: TensorElement { public static var elementType: ElementType { .int64 } }
extension UInt64: TensorElement { public static var elementType: ElementType { .uint64 } }
extension Bool: TensorElement { public static var elementType: ElementType { .bool } }
