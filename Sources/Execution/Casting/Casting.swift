import Graphs
import NumberFormats
import Tensors

/// Numbers of one element type as another.
enum Casting {
  /// The same numbers as another element type.
  ///
  /// Floating-point numbers become integers by dropping the fraction, stop at the integer's range and take 0 for NaN;
  /// integers lose their higher bits. 8-bit floats stop at their range where they `saturate`.
  static func cast(
    _ x: Tensor, to type: ElementType, saturates: Bool = true,
    powerRounding: Cast.PowerRounding = .up, _ call: OperatorCall
  ) throws -> Tensor {
    if x.elementType == type { return x }
    let source = try plain(x)
    switch type {
    case .bool: return try convert(source, to: .bool, call)
    case .float16, .bfloat16:
      return try convert(source, to: .float32, toOdd: true, call).rounded(to: type)
    case .int4, .uint4, .int2, .uint2:
      return try convert(source, to: .int8, call).reinterpreted(as: .uint8).packed(as: type)
    case .float8e8m0:
      let rounding = PowerOfTwoCode.Rounding(powerRounding)
      return try coded(source, type, call) {
        PowerOfTwoCode.code($0, rounding, saturates: saturates)
      }
    default:
      guard let format = MinifloatFormat(type) else { return try convert(source, to: type, call) }
      return try coded(source, type, call) { format.code($0, saturates: saturates) }
    }
  }

  /// The same numbers as elements of a Swift type, exactly.
  static func plain(_ x: Tensor) throws -> Tensor {
    switch x.elementType {
    case .float16, .bfloat16: return try x.widened()
    case .bool: return try booleanBytes(x)
    case .uint4, .uint2: return x.unpacked()
    case .int4, .int2:
      let width = x.elementType.bitWidth
      let shift = Int8(8 - width)
      var signed = x.unpacked().reinterpreted(as: .int8)
      signed.withMutableElements(of: Int8.self) { codes in
        for index in codes.indices { codes[index] = (codes[index] << shift) >> shift }
      }
      return signed
    case .float8e8m0: return decoded(x, PowerOfTwoCode.value)
    default: return MinifloatFormat(x.elementType).map { decoded(x, $0.value) } ?? x
    }
  }

  private static func decoded(_ x: Tensor, _ value: (UInt8) -> Float) -> Tensor {
    let table = (0...255).map { value(UInt8($0)) }
    return Tensor(x.shape, of: Float.self) { target in
      x.bitPatterns.withElements(of: UInt8.self) { codes in
        for index in codes.indices { target[index] = table[Int(codes[index])] }
      }
    }
  }

  private static func coded(
    _ x: Tensor, _ type: ElementType, _ call: OperatorCall, _ code: (Float) -> UInt8
  ) throws -> Tensor {
    let numbers = try convert(x, to: .float32, toOdd: true, call)
    let codes = Tensor(x.shape, of: UInt8.self) { target in
      numbers.withElements(of: Float.self) { numbers in
        for index in numbers.indices { target[index] = code(numbers[index]) }
      }
    }
    return codes.asElements(of: type)
  }

  /// Between the types that Swift has, and to `bool`.
  ///
  /// `toOdd`: what does not fit float32 becomes the odd neighbour, so that a second rounding is as good as one.
  private static func convert(
    _ x: Tensor, to type: ElementType, toOdd: Bool = false, _ call: OperatorCall
  ) throws -> Tensor {
    if x.elementType == type { return x }
    switch x.elementType {
    case .float32: return try convert(x, Float.self, type, toOdd, call)
    case .float64: return try convert(x, Double.self, type, toOdd, call)
    case .int8: return try convert(x, Int8.self, type, toOdd, call)
    case .uint8: return try convert(x, UInt8.self, type, toOdd, call)
    case .int16: return try convert(x, Int16.self, type, toOdd, call)
    case .uint16: return try convert(x, UInt16.self, type, toOdd, call)
    case .int32: return try convert(x, Int32.self, type, toOdd, call)
    case .uint32: return try convert(x, UInt32.self, type, toOdd, call)
    case .int64: return try convert(x, Int64.self, type, toOdd, call)
    case .uint64: return try convert(x, UInt64.self, type, toOdd, call)
    default: throw unsupported(x.elementType, type)
    }
  }

  private static func unsupported(_ from: ElementType, _ to: ElementType) -> ExecutionError {
    ExecutionError(.unsupported, "a cast from \(from) to \(to) is not supported")
  }

  private static func convert<Source: CastElement>(
    _ x: Tensor, _ source: Source.Type, _ type: ElementType, _ toOdd: Bool, _ call: OperatorCall
  ) throws -> Tensor {
    switch type {
    case .float32 where toOdd:
      return map(x, source, Float.self, call) { Float(roundingToOdd: $0.exactDouble) }
    case .float32: return convert(x, source, Float.self, call)
    case .float64: return convert(x, source, Double.self, call)
    case .int8: return convert(x, source, Int8.self, call)
    case .uint8: return convert(x, source, UInt8.self, call)
    case .int16: return convert(x, source, Int16.self, call)
    case .uint16: return convert(x, source, UInt16.self, call)
    case .int32: return convert(x, source, Int32.self, call)
    case .uint32: return convert(x, source, UInt32.self, call)
    case .int64: return convert(x, source, Int64.self, call)
    case .uint64: return convert(x, source, UInt64.self, call)
    case .bool:
      return map(x, source, UInt8.self, call) { value in
        (Source.isFloat ? value.double != 0 : value.bits != 0) ? 1 : 0
      }.reinterpreted(as: .bool)
    default: throw unsupported(x.elementType, type)
    }
  }

  private static func convert<Source: CastElement, Target: CastElement>(
    _ x: Tensor, _ source: Source.Type, _ target: Target.Type, _ call: OperatorCall
  ) -> Tensor {
    map(x, source, target, call) { value in
      Source.isFloat
        ? Target(double: value.double) : Target(bits: value.bits, isSigned: Source.isSigned)
    }
  }

  @inline(__always)
  private static func map<Source: CastElement, Target: CastElement>(
    _ x: Tensor, _: Source.Type, _: Target.Type, _ call: OperatorCall,
    _ function: (Source) -> Target
  ) -> Tensor {
    Elementwise.map(x, call, Source.self, Target.self) { source, target, count in
      for index in 0..<count { target[index] = function(source[index]) }
    }
  }
}

extension CastElement {
  /// The number; integers beyond 2⁵³ are rounded.
  fileprivate var exactDouble: Double {
    Self.isFloat ? double : Self.isSigned ? Double(Int64(bitPattern: bits)) : Double(bits)
  }
}

extension Float {
  /// The number where it fits; else the neighbour whose last bit is set.
  fileprivate init(roundingToOdd value: Double) {
    let nearest = Float(value)
    guard Double(nearest) != value, nearest.isFinite else {
      self = nearest
      return
    }
    let truncated = Double(nearest.magnitude) > value.magnitude
    let bits = nearest.bitPattern - (truncated ? 1 : 0)
    self = Float(bitPattern: bits | 1)
  }
}

extension PowerOfTwoCode.Rounding {
  fileprivate init(_ rounding: Cast.PowerRounding) {
    switch rounding {
    case .up: self = .up
    case .down: self = .down
    case .nearest: self = .nearest
    }
  }
}
