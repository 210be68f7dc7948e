import Tensors

/// The matrix products and convolutions of codes.
let quantizedProductOperators: [any Operator.Type] = [
  QLinearConv.self, QLinearMatMul.self, QGemm.self, DynamicQuantizeMatMul.self,
  MatMulIntegerToFloat.self, QAttention.self,
]

/// A convolution of codes whose result is codes again.
///
/// Inputs: x, its scale and zero point, w, its scale and zero point (one, or one per output channel), the result's scale and zero
/// point, bias? (int32, of scale `x's × w's`).
public struct QLinearConv: Operator {
  public static let name: OperatorName = "QLinearConv"
  public static let inputCount = 8...9
  /// The convolution of which the sums are taken.
  public let sums: ConvInteger
  /// Groups, and how the kernel slides.
  public var settings: ConvolutionSettings { sums.settings }

  public init(_ attributes: inout AttributeReader) throws {
    sums = try ConvInteger(&attributes)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    for index in [0, 3, 7] { try inputs.requireType(index, .int8, .uint8) }
    try inputs.requireType(8, .int32)
    let dimensions = try settings.dimensions(inputs[0], inputs[3])
    try checkVector(inputs, 8, "bias", length: inputs[3].dimensions?[0])
    return [ValueType(inputs[7].elementType, dimensions)]
  }
}

/// A matrix product of codes whose result is codes again.
///
/// Inputs: a, its scale and zero point, b, its scale and zero point (one, or one per column), the result's scale and zero point.
public struct QLinearMatMul: Operator {
  public static let name: OperatorName = "QLinearMatMul"
  public static let inputCount = 8...8

  public init(_ attributes: inout AttributeReader) throws {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    for index in [0, 3, 7] { try inputs.requireType(index, .int8, .uint8) }
    let dimensions = try MatMul.dimensions(inputs[0], inputs[3])
    return [ValueType(inputs[7].elementType, dimensions)]
  }
}

/// ``Gemm`` of codes, in ONNX Runtime's domain; the result is codes, or float32 where no scale is given for it.
///
/// Inputs: A, its scale and zero point, B, its scale and zero point (one, or one per column), C? (int32, of scale
/// `alpha × A's × B's`), the result's scale? and zero point?.
public struct QGemm: Operator {
  public static let name: OperatorName = .microsoft("QGemm")
  public static let inputCount = 6...9
  /// The factor of the product.
  public let alpha: Float
  /// Whether A is given transposed, `[K, M]`.
  public let transposesA: Bool
  /// Whether B is given transposed, `[N, K]`.
  public let transposesB: Bool

  public init(_ attributes: inout AttributeReader) throws {
    alpha = try attributes.float("alpha", default: 1)
    transposesA = try attributes.flag("transA", default: false)
    transposesB = try attributes.flag("transB", default: false)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    for index in [0, 3, 8] { try inputs.requireType(index, .int8, .uint8) }
    try inputs.requireType(6, .int32)
    try inputs.requireRank(0, 2...2)
    try inputs.requireRank(3, 2...2)
    let (a, b) = (inputs[0].dimensions, inputs[3].dimensions)
    _ = try ShapeRules.common(
      a?[transposesA ? 0 : 1] ?? .unknown, b?[transposesB ? 1 : 0] ?? .unknown,
      "A is \(inputs[0]), B \(inputs[3]); columns against rows")
    let result = [a?[transposesA ? 1 : 0] ?? .unknown, b?[transposesB ? 0 : 1] ?? .unknown]
    guard inputs.has(7) == inputs.has(8) else {
      throw GraphError(.invalidValue, "the result needs a scale and a zero point, or neither")
    }
    return [ValueType(inputs.has(7) ? inputs[8].elementType : .float32, result)]
  }
}

/// A matrix product of numbers, which are quantized on the way, and codes, in ONNX Runtime's domain.
///
/// Inputs: A (float32), B, its scale and zero point? (one, or one per column), bias?.
public struct DynamicQuantizeMatMul: Operator {
  public static let name: OperatorName = .microsoft("DynamicQuantizeMatMul")
  public static let inputCount = 3...5

  public init(_ attributes: inout AttributeReader) throws {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(0, .float32)
    try inputs.requireType(1, .int8, .uint8)
    return [ValueType(.float32, try MatMul.dimensions(inputs[0], inputs[1]))]
  }
}

/// A matrix product of codes whose result is float32, in ONNX Runtime's domain.
///
/// Inputs: A, B, A's scale, B's scale (one, or one per column), A's zero point?, B's zero point?, bias?.
public struct MatMulIntegerToFloat: Operator {
  public static let name: OperatorName = .microsoft("MatMulIntegerToFloat")
  public static let inputCount = 4...7

  public init(_ attributes: inout AttributeReader) throws {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(0, .int8, .uint8)
    try inputs.requireType(1, .int8, .uint8)
    return [ValueType(.float32, try MatMul.dimensions(inputs[0], inputs[1]))]
  }
}

/// Self-attention on codes, in ONNX Runtime's domain.
///
/// Inputs: x [batch, length, in], W [in, 3·hidden], bias [3·hidden] (float32), x's scale, W's scale (one, or one per column),
/// mask? (int32 [batch] of lengths, or [batch, length] of 0 and 1), x's zero point?, W's zero point?. Output: [batch, length,
/// hidden].
public struct QAttention: Operator {
  public static let name: OperatorName = .microsoft("QAttention")
  public static let inputCount = 5...9
  public static let outputCount = 1...1
  /// How many parts attend on their own.
  public let headCount: Int
  /// Whether each position sees only those before it and itself.
  public let isCausal: Bool
  /// What is added to the score of a masked position.
  public let maskValue: Float
  /// The factor of the scores; nil is one over the square root of a head's size.
  public let scale: Float?

  public init(_ attributes: inout AttributeReader) throws {
    headCount = try attributes.required("num_heads", attributes.int("num_heads"))
    guard headCount >= 1 else {
      throw attributes.invalid("num_heads", "is \(headCount); must be at least 1")
    }
    isCausal = try attributes.flag("unidirectional", default: false)
    maskValue = try attributes.float("mask_filter_value", default: -10000)
    scale = try attributes.float("scale").flatMap { $0 == 0 ? nil : $0 }
    for name in ["do_rotary", "past_present_share_buffer"] {
      guard try !attributes.flag(name, default: false) else {
        throw attributes.invalid(name, "is 1, which is not supported; must be 0")
      }
    }
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireRank(0, 3...3)
    try inputs.requireRank(1, 2...2)
    try inputs.requireType(0, .int8, .uint8)
    try inputs.requireType(1, .int8, .uint8)
    try inputs.requireType(2, .float32)
    guard !inputs.has(8) else {
      throw GraphError(.unsupportedOperator, "a past state is not supported; leave input 8 out")
    }
    guard let x = inputs[0].dimensions, let w = inputs[1].dimensions else {
      return [.ofRank(3, .float32)]
    }
    _ = try ShapeRules.common(x[2], w[0], "the rows of W and the innermost axis of x differ")
    var hidden = Dimension.unknown
    if let columns = w[1].length {
      guard columns > 0, columns % (3 * headCount) == 0 else {
        throw GraphError(
          .mismatchedTypes,
          "W has \(columns) columns; must be three for each of \(headCount) heads' elements")
      }
      hidden = .fixed(columns / 3)
    }
    try checkVector(inputs, 2, "bias", length: w[1])
    return [ValueType(.float32, [x[0], x[1], hidden])]
  }
}
