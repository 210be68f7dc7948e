public import Tensors

/// The operators that turn numbers into codes and back.
let quantizationOperators: [any Operator.Type] = [QuantizeLinear.self, DequantizeLinear.self]

/// `y = clamp(round(x / scale) + zeroPoint)`; opset 13 and later.
///
/// Inputs: x, scale, zeroPoint?. Scale and zero point are scalars (per tensor), one number per index of `axis` (per channel),
/// or, with `blockSize`, shaped like x with `axis` divided by the block size, rounded up (per group).
public struct QuantizeLinear: Operator {
  public static let name: OperatorName = "QuantizeLinear"
  public static let inputCount = 2...3
  /// The axis that scales vary along; negative counts from the innermost.
  public let axis: Int
  /// How many neighbours along the axis share a scale; 0 where each index has its own.
  public let blockSize: Int
  /// The type of the codes where no zero point says it.
  public let outputType: ElementType
  /// Whether numbers beyond a floating-point code's range become the greatest code rather than NaN.
  public let saturates: Bool

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis", default: 1)
    blockSize = try attributes.int("block_size", default: 0)
    outputType = try attributes.elementType("output_dtype") ?? .uint8
    saturates = try attributes.flag("saturate", default: true)
    attributes.ignore("precision")
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
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
  /// The axis that scales vary along; negative counts from the innermost.
  public let axis: Int
  /// How many neighbours along the axis share a scale; 0 where each index has its own.
  public let blockSize: Int

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis", default: 1)
    blockSize = try attributes.int("block_size", default: 0)
    attributes.ignore("output_dtype")
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    [ValueType(inputs[1].elementType, inputs[0].dimensions)]
  }
}
