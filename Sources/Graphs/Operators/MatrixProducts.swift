import Tensors

/// The matrix products.
let matrixProductOperators: [any Operator.Type] = [
  Gemm.self, FusedGemm.self, MatMul.self, MatMulInteger.self, FusedMatMul.self,
]

/// `alpha · A' · B' + beta · C`, A' and B' matrices that may be given transposed, C broadcast to the result.
///
/// Inputs: A, B, C?.
public struct Gemm: Operator {
  public static let name: OperatorName = "Gemm"
  public static let inputCount = 2...3
  /// The factor of the product.
  public let alpha: Float
  /// The factor of C.
  public let beta: Float
  /// Whether A is given transposed, `[K, M]`.
  public let transposesA: Bool
  /// Whether B is given transposed, `[N, K]`.
  public let transposesB: Bool

  public init(_ attributes: inout AttributeReader) throws {
    alpha = try attributes.float("alpha", default: 1)
    beta = try attributes.float("beta", default: 1)
    transposesA = try attributes.flag("transA", default: false)
    transposesB = try attributes.flag("transB", default: false)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireRank(0, 2...2)
    try inputs.requireRank(1, 2...2)
    let type = try Broadcasting.commonElementType(inputs.all.filter { $0.elementType != nil })
    let (a, b) = (inputs[0].dimensions, inputs[1].dimensions)
    let inner = (a?[transposesA ? 0 : 1].length, b?[transposesB ? 1 : 0].length)
    if let k = inner.0, let other = inner.1, k != other {
      throw GraphError(
        .mismatchedTypes,
        "A is \(inputs[0]), B \(inputs[1]): \(k) columns against \(other) rows")
    }
    let result = [
      a?[transposesA ? 1 : 0] ?? .unknown, b?[transposesB ? 0 : 1] ?? .unknown,
    ]
    if inputs.has(2), let c = inputs[2].dimensions {
      let sum = try Broadcasting.dimensions(result, c)
      let lengths = zip(sum, result).contains { $0.length != $1.length && $1.length != nil }
      guard sum.count == 2, !lengths else {
        throw GraphError(
          .mismatchedTypes, "C is \(inputs[2]); must be broadcast to \(ValueType(type, result))")
      }
    }
    return [ValueType(type, result)]
  }
}

/// `activation(Gemm(A, B, C))`, in ONNX Runtime's domain.
public struct FusedGemm: Operator {
  public static let name: OperatorName = .microsoft("FusedGemm")
  public static let inputCount = 2...3
  /// The product.
  public let gemm: Gemm
  /// What is applied at the end.
  public let activation: FusedActivation

  public init(_ attributes: inout AttributeReader) throws {
    gemm = try Gemm(&attributes)
    let parameters = try [
      attributes.float("activation_alpha"), attributes.float("activation_beta"),
      attributes.float("activation_gamma"),
    ]
    activation = try FusedActivation(
      try attributes.string("activation"), parameters: parameters.compactMap { $0 }, &attributes)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try gemm.outputTypes(inputs)
  }
}

/// The product of matrices in the two innermost axes, the others broadcast, as NumPy's `matmul`.
public struct MatMul: Operator, SettinglessOperator {
  public static let name: OperatorName = "MatMul"
  public static let inputCount = 2...2
  public init() {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    let type = try Broadcasting.commonElementType(inputs.all)
    return [ValueType(type, try MatMul.dimensions(inputs[0], inputs[1]))]
  }

  /// The axes of a product; a vector counts as a row on the left, as a column on the right, and vanishes.
  static func dimensions(_ a: ValueType, _ b: ValueType) throws -> [Dimension]? {
    guard var left = a.dimensions, var right = b.dimensions else { return nil }
    guard let inner = left.last, let first = right.first else {
      throw GraphError(.mismatchedTypes, "a product of \(a) and \(b); a scalar has no matrix")
    }
    let (leftRank, rightRank) = (left.count, right.count)
    if leftRank == 1 { left = [1, inner] }
    if rightRank == 1 { right = [first, 1] }
    if let k = inner.length, let other = right[right.count - 2].length, k != other {
      throw GraphError(
        .mismatchedTypes, "a product of \(a) and \(b): \(k) columns against \(other) rows")
    }
    var result = try Broadcasting.dimensions(
      Array(left.dropLast(2)), Array(right.dropLast(2)))
    if leftRank > 1 { result.append(left[left.count - 2]) }
    if rightRank > 1 { result.append(right[right.count - 1]) }
    return result
  }
}

/// ``MatMul`` of 8-bit codes, summed in 32 bits.
///
/// Inputs: a, b, a's zero point? (one, or one per row), b's zero point? (one, or one per column).
public struct MatMulInteger: Operator, SettinglessOperator {
  public static let name: OperatorName = "MatMulInteger"
  public static let inputCount = 2...4
  public init() {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(0, .int8, .uint8)
    try inputs.requireType(1, .int8, .uint8)
    return [ValueType(.int32, try MatMul.dimensions(inputs[0], inputs[1]))]
  }
}

/// `alpha · A' · B'`, where the operands may be given transposed, in ONNX Runtime's domain.
public struct FusedMatMul: Operator {
  public static let name: OperatorName = .microsoft("FusedMatMul")
  public static let inputCount = 2...2
  /// The factor of the product.
  public let alpha: Float
  /// Whether A's two innermost axes are swapped.
  public let transposesA: Bool
  /// Whether B's two innermost axes are swapped.
  public let transposesB: Bool

  public init(_ attributes: inout AttributeReader) throws {
    alpha = try attributes.float("alpha", default: 1)
    transposesA = try attributes.flag("transA", default: false)
    transposesB = try attributes.flag("transB", default: false)
    for name in ["transBatchA", "transBatchB"] {
      guard try !attributes.flag(name, default: false) else {
        throw attributes.invalid(name, "is 1, which is not supported; put a Transpose before it")
      }
    }
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    let type = try Broadcasting.commonElementType(inputs.all)
    let a = FusedMatMul.swapped(inputs[0], transposesA)
    let b = FusedMatMul.swapped(inputs[1], transposesB)
    return [ValueType(type, try MatMul.dimensions(a, b))]
  }

  private static func swapped(_ type: ValueType, _ isTransposed: Bool) -> ValueType {
    guard isTransposed, var dimensions = type.dimensions, dimensions.count >= 2 else {
      return type
    }
    dimensions.swapAt(dimensions.count - 1, dimensions.count - 2)
    return ValueType(type.elementType, dimensions)
  }
}
