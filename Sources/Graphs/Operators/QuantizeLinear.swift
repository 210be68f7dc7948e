public import Tensors

/// The operators that turn numbers into codes and back.
let quantizationOperators: [any Operator.Type] = [
  QuantizeLinear.self, DequantizeLinear.self, MicrosoftQuantizeLinear.self,
  MicrosoftDequantizeLinear.self, DynamicQuantizeLinear.self,
]

/// Which numbers share a scale and a zero point.
public struct ScaleSharing: Hashable, Sendable {
  /// The axis that scales vary along; negative counts from the innermost.
  public let axis: Int
  /// How many neighbours along the axis share a scale; 0 where each index has its own.
  public let blockSize: Int

  init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis", default: 1)
    blockSize = try attributes.int("block_size", default: 0)
    guard blockSize >= 0 else {
      throw attributes.invalid("block_size", "is \(blockSize); must be at least 0")
    }
  }

  /// One number of scales for all, one per index of the axis, or one per block along it.
  package enum Layout: Equatable, Sendable {
    case perTensor
    case perIndex(axis: Int)
    case perBlock(axis: Int, size: Int)
  }

  /// How scales of the given shape lie over `x`. Throws ``GraphError`` where the shapes don't go together.
  package func layout(_ x: Shape, scale: Shape) throws -> Layout {
    if blockSize > 0 {
      let axis = try ShapeRules.axis(axis, rank: x.rank)
      var expected = x.dimensions
      expected[axis] = expected[axis] / blockSize + (expected[axis] % blockSize == 0 ? 0 : 1)
      guard scale.dimensions == expected else {
        throw GraphError(
          .mismatchedTypes,
          "scales are \(scale); must be \(Shape(expected)) for blocks of \(blockSize) along axis \(axis) of \(x)"
        )
      }
      return .perBlock(axis: axis, size: blockSize)
    }
    if scale.count == 1, scale.rank <= 1 { return .perTensor }
    guard scale.rank == 1 else {
      throw GraphError(
        .mismatchedTypes,
        "scales are \(scale); must be one, or one per index of an axis, unless 'block_size' is given"
      )
    }
    let axis = try ShapeRules.axis(axis, rank: x.rank)
    guard scale.count == x[axis] else {
      throw GraphError(
        .mismatchedTypes,
        "\(scale.count) scales for axis \(axis) of \(x); must be \(x[axis]) or one")
    }
    return .perIndex(axis: axis)
  }

  func check(_ inputs: OperatorInputs) throws {
    if let scale = inputs[1].dimensions, let zero = inputs[2].dimensions, inputs.has(2),
      zip(scale, zero).contains(where: { $0.length != nil && $1.length != nil && $0 != $1 })
        || scale.count != zero.count && (inputs[1].shape?.count != 1 || inputs[2].shape?.count != 1)
    {
      throw GraphError(
        .mismatchedTypes, "scales are \(inputs[1]), zero points \(inputs[2]); must be shaped alike")
    }
    guard let x = inputs[0].shape, let scale = inputs[1].shape else { return }
    _ = try layout(x, scale: scale)
  }
}

/// `y = clamp(round(x / scale) + zeroPoint)`; opset 13 and later.
///
/// Inputs: x, scale, zeroPoint?. Scale and zero point are scalars (per tensor), one number per index of `axis` (per channel),
/// or, with `blockSize`, shaped like x with `axis` divided by the block size, rounded up (per group).
public struct QuantizeLinear: Operator {
  public static let name: OperatorName = "QuantizeLinear"
  public static let inputCount = 2...3
  /// Which numbers share a scale.
  public let sharing: ScaleSharing
  /// The axis that scales vary along; negative counts from the innermost.
  public var axis: Int { sharing.axis }
  /// How many neighbours along the axis share a scale; 0 where each index has its own.
  public var blockSize: Int { sharing.blockSize }
  /// The type of the codes where no zero point says it.
  public let outputType: ElementType
  /// Whether numbers beyond a floating-point code's range become the greatest code rather than NaN.
  public let saturates: Bool

  public init(_ attributes: inout AttributeReader) throws {
    sharing = try ScaleSharing(&attributes)
    outputType = try attributes.elementType("output_dtype") ?? .uint8
    saturates = try attributes.flag("saturate", default: true)
    attributes.ignore("precision")
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(0, .float32, .float16, .bfloat16, .int32)
    try inputs.requireType(1, .float32, .float16, .bfloat16, .int32)
    try sharing.check(inputs)
    let type = inputs.has(2) ? inputs[2].elementType : outputType
    return [ValueType(type, inputs[0].dimensions)]
  }
}

/// `y = (x − zeroPoint) × scale`; opset 13 and later.
///
/// Inputs: x, scale, zeroPoint?, shaped as for ``QuantizeLinear``.
public struct DequantizeLinear: Operator {
  public static let name: OperatorName = "DequantizeLinear"
  public static let inputCount = 2...3
  /// Which numbers share a scale.
  public let sharing: ScaleSharing
  /// The axis that scales vary along; negative counts from the innermost.
  public var axis: Int { sharing.axis }
  /// How many neighbours along the axis share a scale; 0 where each index has its own.
  public var blockSize: Int { sharing.blockSize }
  /// The type of the result; nil is the scale's.
  public let outputType: ElementType?

  public init(_ attributes: inout AttributeReader) throws {
    sharing = try ScaleSharing(&attributes)
    outputType = try attributes.elementType("output_dtype")
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(1, .float32, .float16, .bfloat16)
    if inputs.has(2) { _ = try Broadcasting.commonElementType([inputs[0], inputs[2]]) }
    try sharing.check(inputs)
    return [ValueType(outputType ?? inputs[1].elementType, inputs[0].dimensions)]
  }
}

/// ``QuantizeLinear`` in ONNX Runtime's domain, where it takes 4- and 16-bit codes before opset 21.
public struct MicrosoftQuantizeLinear: Operator {
  public static let name: OperatorName = .microsoft("QuantizeLinear")
  public static let inputCount = 2...3
  /// The operator in ONNX's own domain.
  public let standard: QuantizeLinear

  public init(_ attributes: inout AttributeReader) throws {
    standard = try QuantizeLinear(&attributes)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try standard.outputTypes(inputs)
  }
}

/// ``DequantizeLinear`` in ONNX Runtime's domain, where it takes 4- and 16-bit codes before opset 21.
public struct MicrosoftDequantizeLinear: Operator {
  public static let name: OperatorName = .microsoft("DequantizeLinear")
  public static let inputCount = 2...3
  /// The operator in ONNX's own domain.
  public let standard: DequantizeLinear

  public init(_ attributes: inout AttributeReader) throws {
    standard = try DequantizeLinear(&attributes)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try standard.outputTypes(inputs)
  }
}

/// Codes of 8 bits whose scale and zero point fit the range of x, widened to contain 0.
///
/// Outputs: codes (uint8), scale (float32), zero point (uint8).
public struct DynamicQuantizeLinear: Operator {
  public static let name: OperatorName = "DynamicQuantizeLinear"
  public static let inputCount = 1...1
  public static let outputCount = 3...3

  public init(_ attributes: inout AttributeReader) throws {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(0, .float32)
    return [
      ValueType(.uint8, inputs[0].dimensions), ValueType(.float32, []), ValueType(.uint8, []),
    ]
  }
}
