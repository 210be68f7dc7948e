public import Tensors

/// The operators that bring activations to a common scale.
let normalizationOperators: [any Operator.Type] = [
  BatchNormalization.self, InstanceNormalization.self, LayerNormalization.self,
  GroupNormalization.self, RMSNormalization.self, LRN.self, LpNormalization.self,
  MeanVarianceNormalization.self, SkipLayerNormalization.self,
]

extension AttributeReader {
  /// The small number that keeps a division from being one by zero.
  fileprivate mutating func epsilon(default absent: Float = 1e-5) throws -> Float {
    let epsilon = try float("epsilon", default: absent)
    guard epsilon >= 0, epsilon.isFinite else {
      throw invalid("epsilon", "is \(epsilon); must be 0 or greater")
    }
    return epsilon
  }

  /// The type in which moments are computed.
  fileprivate mutating func stashType() throws -> ElementType {
    let type = try elementType("stash_type") ?? .float32
    guard [.float32, .bfloat16, .float16, .float64].contains(type) else {
      throw invalid("stash_type", "is \(type); must be a floating-point type")
    }
    return type
  }
}

/// `(x − mean) / √(variance + epsilon) · scale + bias`, per channel (axis 1).
///
/// Inputs: x, scale, bias, mean, variance. With `training_mode` the moments are x's own, and the outputs are y and
/// the running mean and variance, `momentum · old + (1 − momentum) · new`.
public struct BatchNormalization: Operator {
  public static let name: OperatorName = "BatchNormalization"
  public static let inputCount = 5...5
  public static let outputCount = 1...3
  /// What keeps the division from being one by zero.
  public let epsilon: Float
  /// The weight of the old running moments.
  public let momentum: Float
  /// Whether moments are computed from x.
  public let isTraining: Bool

  public init(_ attributes: inout AttributeReader) throws {
    epsilon = try attributes.epsilon()
    momentum = try attributes.float("momentum", default: 0.9)
    isTraining = try attributes.flag("training_mode", default: false)
    attributes.ignore("spatial")
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireRank(0, 1...Int.max)
    guard isTraining || inputs.outputCount == 1 else {
      throw GraphError(
        .invalidValue,
        "has \(inputs.outputCount) outputs; must have 1 where training_mode is 0")
    }
    let channels = inputs[0].dimensions.map { $0.count > 1 ? $0[1] : 1 }
    for (index, what) in ["scale", "bias", "mean", "variance"].enumerated() {
      try checkVector(inputs, index + 1, what, length: channels)
    }
    return [inputs[0], inputs[3], inputs[4]]
  }
}

/// `(x − mean) / √(variance + epsilon) · scale + bias`, moments per sample and channel.
public struct InstanceNormalization: Operator {
  public static let name: OperatorName = "InstanceNormalization"
  public static let inputCount = 3...3
  /// What keeps the division from being one by zero.
  public let epsilon: Float

  public init(_ attributes: inout AttributeReader) throws { epsilon = try attributes.epsilon() }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireRank(0, 3...Int.max)
    try checkVector(inputs, 1, "scale", length: inputs[0].dimensions?[1])
    try checkVector(inputs, 2, "bias", length: inputs[0].dimensions?[1])
    return [inputs[0]]
  }
}

/// `(x − mean) / √(variance + epsilon) · scale + bias`, moments over the axes from `axis`; opset 17.
///
/// Inputs: x, scale, bias?. Outputs: y, mean?, 1/√(variance + epsilon)?. Ba, Kiros, Hinton: Layer Normalization, 2016.
public struct LayerNormalization: Operator {
  public static let name: OperatorName = "LayerNormalization"
  public static let inputCount = 2...3
  public static let outputCount = 1...3
  /// The first axis that is normalized over; negative counts from the innermost.
  public let axis: Int
  /// What keeps the division from being one by zero.
  public let epsilon: Float
  /// The element type of the moments.
  public let stashType: ElementType

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis", default: -1)
    epsilon = try attributes.epsilon()
    stashType = try attributes.stashType()
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    guard let first = try inputs.axis(axis, of: 0), let dimensions = inputs[0].dimensions else {
      return [inputs[0], ValueType(stashType, nil), ValueType(stashType, nil)]
    }
    let moments = ValueType(
      stashType, dimensions.enumerated().map { $0 < first ? $1 : 1 })
    return [inputs[0], moments, moments]
  }
}

/// `(x − mean) / √(variance + epsilon) · scale + bias`, moments per sample and group of channels; opset 18.
///
/// Inputs: x, scale, bias. Wu, He: Group Normalization, 2018.
public struct GroupNormalization: Operator {
  public static let name: OperatorName = "GroupNormalization"
  public static let inputCount = 3...3
  /// How many groups the channels are split into.
  public let groupCount: Int
  /// What keeps the division from being one by zero.
  public let epsilon: Float
  /// Whether scale and bias have one number per group (before opset 21) rather than per channel.
  public let scalesGroups: Bool

  public init(_ attributes: inout AttributeReader) throws {
    groupCount = try attributes.required("num_groups", attributes.int("num_groups"))
    guard groupCount >= 1 else {
      throw attributes.invalid("num_groups", "is \(groupCount); must be 1 or greater")
    }
    epsilon = try attributes.epsilon()
    scalesGroups = attributes.opset < 21
    attributes.ignore("stash_type")
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireRank(0, 2...Int.max)
    let channels = inputs[0].dimensions?[1]
    if let count = channels?.length, count % groupCount != 0 {
      throw GraphError(
        .invalidAttribute,
        "attribute 'num_groups' is \(groupCount), which does not divide \(count) channels")
    }
    let length: Dimension? = scalesGroups ? .fixed(groupCount) : channels
    try checkVector(inputs, 1, "scale", length: length)
    try checkVector(inputs, 2, "bias", length: length)
    return [inputs[0]]
  }
}

/// `x / √(mean(x²) + epsilon) · scale`, the mean over the axes from `axis`; opset 23.
///
/// Inputs: x, scale. Zhang, Sennrich: Root Mean Square Layer Normalization, 2019.
public struct RMSNormalization: AxisOperator {
  public static let name: OperatorName = "RMSNormalization"
  public static let inputCount = 2...2
  public let axis: Int
  /// What keeps the division from being one by zero.
  public let epsilon: Float

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis", default: -1)
    epsilon = try attributes.epsilon()
    attributes.ignore("stash_type")
  }
}

/// `x / (bias + alpha/size · Σ x²)^beta`, the sum over `size` neighbouring channels.
///
/// Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks, 2012, §3.3.
public struct LRN: ElementwiseOperator {
  public static let name: OperatorName = "LRN"
  /// How many channels are summed over, the channel itself in the middle.
  public let size: Int
  /// The factor of the mean of squares.
  public let alpha: Float
  /// The exponent.
  public let beta: Float
  /// What is added to the mean.
  public let bias: Float

  public init(_ attributes: inout AttributeReader) throws {
    size = try attributes.required("size", attributes.int("size"))
    guard (1...SlidingWindow.limit).contains(size) else {
      throw attributes.invalid("size", "is \(size); must be 1 or greater")
    }
    alpha = try attributes.float("alpha", default: 0.0001)
    beta = try attributes.float("beta", default: 0.75)
    bias = try attributes.float("bias", default: 1)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireRank(0, 2...Int.max)
    return [inputs[0]]
  }
}

/// `x` divided by its p-norm along an axis; 0 where that is 0.
public struct LpNormalization: AxisOperator {
  public static let name: OperatorName = "LpNormalization"
  public let axis: Int
  /// The norm's order, 1 or 2.
  public let p: Int

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis", default: -1)
    p = try attributes.int("p", default: 2)
    guard p == 1 || p == 2 else { throw attributes.invalid("p", "is \(p); must be 1 or 2") }
  }
}

/// `(x − mean) / (√variance + 10⁻⁹)`, moments over the given axes.
public struct MeanVarianceNormalization: ElementwiseOperator {
  public static let name: OperatorName = "MeanVarianceNormalization"
  /// The axes that moments are computed over; negative ones count from the innermost.
  public let axes: [Int]

  public init(_ attributes: inout AttributeReader) throws {
    axes = try attributes.ints("axes") ?? [0, 2, 3]
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    for axis in axes { _ = try inputs.axis(axis, of: 0) }
    return [inputs[0]]
  }
}

/// ``LayerNormalization`` of `x + skip + bias` over the innermost axis, in ONNX Runtime's domain.
///
/// Inputs: x, skip, scale, shift?, bias?. Outputs: y, mean?, 1/√(variance + epsilon)?, the sum?.
public struct SkipLayerNormalization: Operator {
  public static let name: OperatorName = .microsoft("SkipLayerNormalization")
  public static let inputCount = 3...5
  public static let outputCount = 1...4
  /// What keeps the division from being one by zero.
  public let epsilon: Float

  public init(_ attributes: inout AttributeReader) throws {
    epsilon = try attributes.epsilon(default: 1e-12)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireRank(0, 2...3)
    let dimensions = inputs[0].dimensions
    for (index, what) in [(2, "scale"), (3, "shift"), (4, "bias")] {
      try checkVector(inputs, index, what, length: dimensions?.last)
    }
    let moments = ValueType(.float32, dimensions.map { $0.dropLast() + [1] })
    return [inputs[0], moments, moments, inputs[0]]
  }
}
