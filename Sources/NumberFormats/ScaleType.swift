public import Tensors

/// How scales are stored.
public enum ScaleType: String, Hashable, Sendable, CaseIterable {
  case float32
  case float16

  /// The type of a tensor of scales.
  public var elementType: ElementType {
    switch self {
    case .float32: .float32
    case .float16: .float16
    }
  }

  /// The scale type of that name. Throws ``NumberFormatError`` that lists the names for any other.
  public init(name: String) throws {
    guard let type = ScaleType(rawValue: name) else {
      throw NumberFormatError(
        .unknownName, "'\(name)' is no scale type; must be one of float32, float16")
    }
    self = type
  }
}

extension ScaleType {
  /// The nearest number of this type; infinite or zero where the type's range ends.
  func rounded(_ scale: Float) -> Float {
    switch self {
    case .float32: scale
    case .float16: ScaleType.float(ofHalf: ScaleType.half(scale))
    }
  }

  /// The next greater number of this type.
  func next(above scale: Float) -> Float {
    switch self {
    case .float32: scale.nextUp
    case .float16: ScaleType.float(ofHalf: ScaleType.half(scale) + 1)
    }
  }

  /// The next smaller number of this type.
  func next(below scale: Float) -> Float {
    switch self {
    case .float32: scale.nextDown
    case .float16: ScaleType.float(ofHalf: ScaleType.half(scale) - 1)
    }
  }

  private static func half(_ value: Float) -> UInt16 {
    var result: UInt16 = 0
    withUnsafePointer(to: value) { Kernels.floatToFloat16($0, &result, count: 1) }
    return result
  }

  private static func float(ofHalf bits: UInt16) -> Float {
    var result: Float = 0
    withUnsafePointer(to: bits) { Kernels.float16ToFloat($0, &result, count: 1) }
    return result
  }
}
