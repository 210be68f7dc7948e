public import Tensors

extension ElementType {
  /// The number that ONNX gives the type in files and attributes.
  public var onnxCode: Int {
    switch self {
    case .float32: 1
    case .uint8: 2
    case .int8: 3
    case .uint16: 4
    case .int16: 5
    case .int32: 6
    case .int64: 7
    case .bool: 9
    case .float16: 10
    case .float64: 11
    case .uint32: 12
    case .uint64: 13
    case .bfloat16: 16
    case .float8e4m3fn: 17
    case .float8e4m3fnuz: 18
    case .float8e5m2: 19
    case .float8e5m2fnuz: 20
    case .uint4: 21
    case .int4: 22
    case .float4e2m1: 23
    case .float8e8m0: 24
    case .uint2: 25
    case .int2: 26
    }
  }

  /// The type that ONNX gives that number; nil for texts, complex numbers and unknown numbers.
  public init?(onnxCode: Int) {
    guard let type = ElementType.allCases.first(where: { $0.onnxCode == onnxCode }) else {
      return nil
    }
    self = type
  }
}

extension AttributeReader {
  /// An element type by its ONNX number; nil where the attribute is absent or 0.
  public mutating func elementType(_ name: String) throws -> ElementType? {
    guard let code = try int(name), code != 0 else { return nil }
    guard let type = ElementType(onnxCode: code) else {
      throw invalid(name, "is \(code), an element type that is not supported")
    }
    return type
  }
}
