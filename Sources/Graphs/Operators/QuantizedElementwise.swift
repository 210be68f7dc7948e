import Tensors

/// The operators of ONNX Runtime's domain that compute codes from codes by way of the numbers that they stand for.
let quantizedElementwiseOperators: [any Operator.Type] = [
  QLinearAdd.self, QLinearMul.self, QLinearConcat.self, QLinearSigmoid.self, QLinearLeakyRelu.self,
  QLinearSoftmax.self, QLinearAveragePool.self, QLinearGlobalAveragePool.self,
]

/// Two tensors of codes, combined element by element.
///
/// Inputs: A, its scale and zero point?, B, its scale and zero point?, the result's scale and zero point?.
public protocol QuantizedBinaryOperator: Operator {}

extension QuantizedBinaryOperator {
  public static var inputCount: ClosedRange<Int> { 7...8 }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    for index in [0, 3] { try inputs.requireType(index, .int8, .uint8) }
    return [try Broadcasting.type([inputs[0], inputs[3]])]
  }
}

/// The sum of the numbers that codes stand for.
public struct QLinearAdd: QuantizedBinaryOperator {
  public static let name: OperatorName = .microsoft("QLinearAdd")
  public init(_ attributes: inout AttributeReader) throws {}
}

/// The product of the numbers that codes stand for.
public struct QLinearMul: QuantizedBinaryOperator {
  public static let name: OperatorName = .microsoft("QLinearMul")
  public init(_ attributes: inout AttributeReader) throws {}
}

/// Tensors of codes one behind the other, brought to one scale.
///
/// Inputs: the result's scale and zero point, then of each tensor the codes, scale and zero point.
public struct QLinearConcat: Operator {
  public static let name: OperatorName = .microsoft("QLinearConcat")
  public static let inputCount = 5...Int(Int32.max)
  /// The axis along which they stand; negative counts from the innermost.
  public let axis: Int

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.required("axis", attributes.int("axis"))
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    let count = inputs.types.count
    guard count % 3 == 2 else {
      throw GraphError(
        .invalidValue,
        "the node has \(count) inputs; must be a scale, a zero point, and three for each tensor")
    }
    let types = stride(from: 2, to: count, by: 3).map { inputs[$0] }
    let elementType = try Broadcasting.commonElementType(types + [inputs[1]])
    return [ValueType(elementType, try Concat.dimensions(types, axis: axis))]
  }
}

/// A function of each of a tensor's codes.
///
/// Inputs: x, its scale and zero point?, the result's scale and zero point?.
public protocol QuantizedUnaryOperator: Operator {}

extension QuantizedUnaryOperator {
  public static var inputCount: ClosedRange<Int> { 4...5 }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(0, .int8, .uint8)
    return [inputs[0]]
  }
}

/// The logistic function of the numbers that codes stand for.
public struct QLinearSigmoid: QuantizedUnaryOperator {
  public static let name: OperatorName = .microsoft("QLinearSigmoid")
  public init(_ attributes: inout AttributeReader) throws {}
}

/// The numbers that codes stand for, the negative ones times a factor.
public struct QLinearLeakyRelu: QuantizedUnaryOperator {
  public static let name: OperatorName = .microsoft("QLinearLeakyRelu")
  /// The factor.
  public let slope: Float

  public init(_ attributes: inout AttributeReader) throws {
    slope = try attributes.float("alpha", default: 0.01)
  }
}

/// ``Softmax`` of the numbers that codes stand for.
public struct QLinearSoftmax: QuantizedUnaryOperator {
  public static let name: OperatorName = .microsoft("QLinearSoftmax")
  /// The axis along which the results add up to 1; negative counts from the innermost.
  public let axis: Int
  /// Whether all axes from `axis` on count as one, as before opset 13.
  public let flattens: Bool

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis", default: -1)
    flattens = try attributes.required("opset", attributes.int("opset")) < 13
  }
}

/// ``AveragePool`` of the numbers that codes stand for.
public struct QLinearAveragePool: QuantizedUnaryOperator {
  public static let name: OperatorName = .microsoft("QLinearAveragePool")
  /// How the window slides.
  public let pool: AveragePool
  /// Whether channels are the innermost axis.
  public let channelsLast: Bool

  public init(_ attributes: inout AttributeReader) throws {
    pool = try AveragePool(&attributes)
    channelsLast = try attributes.flag("channels_last", default: false)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(0, .int8, .uint8)
    return [
      try ChannelOrder.outputType(inputs[0], channelsLast: channelsLast) {
        try pool.outputTypes(OperatorInputs(types: [$0], constants: [nil], outputCount: 1))[0]
      }
    ]
  }
}

/// ``GlobalAveragePool`` of the numbers that codes stand for.
public struct QLinearGlobalAveragePool: QuantizedUnaryOperator {
  public static let name: OperatorName = .microsoft("QLinearGlobalAveragePool")
  /// Whether channels are the innermost axis.
  public let channelsLast: Bool

  public init(_ attributes: inout AttributeReader) throws {
    channelsLast = try attributes.flag("channels_last", default: false)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(0, .int8, .uint8)
    try inputs.requireRank(0, 3...ShapeRules.rankLimit)
    return [
      try ChannelOrder.outputType(inputs[0], channelsLast: channelsLast) { type in
        type.with(type.dimensions.map { $0.prefix(2) + $0.dropFirst(2).map { _ in 1 } })
      }
    ]
  }
}

private enum ChannelOrder {
  /// A rule for `[N, C, spatial…]`, asked of a type whose channels may be innermost.
  static func outputType(
    _ type: ValueType, channelsLast: Bool, _ rule: (ValueType) throws -> ValueType
  ) throws -> ValueType {
    guard channelsLast, let axes = type.dimensions, axes.count >= 3 else { return try rule(type) }
    let first = type.with([axes[0], axes[axes.count - 1]] + axes[1..<(axes.count - 1)])
    let result = try rule(first)
    return result.with(result.dimensions.map { [$0[0]] + $0[2...] + [$0[1]] })
  }
}
