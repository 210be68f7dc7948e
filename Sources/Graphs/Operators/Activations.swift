import Tensors

/// The activation functions.
let activationOperators: [any Operator.Type] = [
  Relu.self, LeakyRelu.self, Elu.self, Selu.self, Celu.self, ThresholdedRelu.self, Sigmoid.self,
  HardSigmoid.self, HardSwish.self, Mish.self, Softplus.self, Softsign.self, Gelu.self, Swish.self,
  Shrink.self, PRelu.self, Clip.self, MicrosoftGelu.self, QuickGelu.self, FastGelu.self,
  BiasGelu.self,
]

/// `max(x, 0)`.
public struct Relu: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Relu"
  public init() {}
}

/// `x`, times `alpha` where it is negative.
public struct LeakyRelu: ElementwiseOperator {
  public static let name: OperatorName = "LeakyRelu"
  /// The slope of negative numbers.
  public let alpha: Float

  public init(_ attributes: inout AttributeReader) throws {
    alpha = try attributes.float("alpha", default: 0.01)
  }
}

/// `x`, or `alpha · (eˣ − 1)` where it is negative.
public struct Elu: ElementwiseOperator {
  public static let name: OperatorName = "Elu"
  /// How far negative numbers reach.
  public let alpha: Float

  public init(_ attributes: inout AttributeReader) throws {
    alpha = try attributes.float("alpha", default: 1)
  }
}

/// `gamma · x`, or `gamma · alpha · (eˣ − 1)` where it is not positive.
public struct Selu: ElementwiseOperator {
  public static let name: OperatorName = "Selu"
  /// How far negative numbers reach.
  public let alpha: Float
  /// The slope of positive numbers.
  public let gamma: Float

  public init(_ attributes: inout AttributeReader) throws {
    alpha = try attributes.float("alpha", default: 1.673_263_2)
    gamma = try attributes.float("gamma", default: 1.050_701)
  }
}

/// `max(x, 0) + min(alpha · (e^(x/alpha) − 1), 0)`.
public struct Celu: ElementwiseOperator {
  public static let name: OperatorName = "Celu"
  /// How far negative numbers reach.
  public let alpha: Float

  public init(_ attributes: inout AttributeReader) throws {
    alpha = try attributes.float("alpha", default: 1)
  }
}

/// `x` where it is greater than `alpha`, else 0.
public struct ThresholdedRelu: ElementwiseOperator {
  public static let name: OperatorName = "ThresholdedRelu"
  /// The threshold.
  public let alpha: Float

  public init(_ attributes: inout AttributeReader) throws {
    alpha = try attributes.float("alpha", default: 1)
  }
}

/// `1 ÷ (1 + e⁻ˣ)`.
public struct Sigmoid: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Sigmoid"
  public init() {}
}

/// `max(0, min(1, alpha · x + beta))`.
public struct HardSigmoid: ElementwiseOperator {
  public static let name: OperatorName = "HardSigmoid"
  /// The slope.
  public let alpha: Float
  /// The value at zero.
  public let beta: Float

  public init(_ attributes: inout AttributeReader) throws {
    alpha = try attributes.float("alpha", default: 0.2)
    beta = try attributes.float("beta", default: 0.5)
  }
}

/// `x · max(0, min(1, x/6 + 1/2))`.
public struct HardSwish: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "HardSwish"
  public init() {}
}

/// `x · tanh(log(1 + eˣ))`.
public struct Mish: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Mish"
  public init() {}
}

/// `log(1 + eˣ)`.
public struct Softplus: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Softplus"
  public init() {}
}

/// `x ÷ (1 + |x|)`.
public struct Softsign: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Softsign"
  public init() {}
}

/// `x/2 · (1 + erf(x/√2))`, or its approximation by tanh; opset 20.
public struct Gelu: ElementwiseOperator {
  public static let name: OperatorName = "Gelu"
  /// Whether it is `x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))`.
  public let isApproximate: Bool

  public init(_ attributes: inout AttributeReader) throws {
    isApproximate = try attributes.choice("approximate", default: Approximation.none) == .tanh
  }
}

/// `x · sigmoid(alpha · x)`; opset 24.
public struct Swish: ElementwiseOperator {
  public static let name: OperatorName = "Swish"
  /// The factor inside the sigmoid.
  public let alpha: Float

  public init(_ attributes: inout AttributeReader) throws {
    alpha = try attributes.float("alpha", default: 1)
  }
}

/// `x + bias` below `−lambd`, `x − bias` above `lambd`, else 0.
public struct Shrink: ElementwiseOperator {
  public static let name: OperatorName = "Shrink"
  /// What is taken off.
  public let bias: Float
  /// Half the width of what becomes 0.
  public let lambd: Float

  public init(_ attributes: inout AttributeReader) throws {
    bias = try attributes.float("bias", default: 0)
    lambd = try attributes.float("lambd", default: 0.5)
  }
}

extension Gelu {
  enum Approximation: String, CaseIterable { case none, tanh }
}

/// `x`, times a slope of its own where it is negative; slopes are broadcast to x's shape.
public struct PRelu: Operator, SettinglessOperator {
  public static let name: OperatorName = "PRelu"
  public static let inputCount = 2...2
  public init() {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    let type = try Broadcasting.type(inputs.all)
    if let rank = inputs[0].rank, let result = type.rank, result > rank {
      throw GraphError(
        .mismatchedTypes, "slopes \(inputs[1]) can't be broadcast to \(inputs[0])")
    }
    return [ValueType(type.elementType, inputs[0].dimensions)]
  }
}

/// `x`, but not less than `min` nor greater than `max`; inputs: x, min?, max?, the bounds scalars.
public struct Clip: Operator, SettinglessOperator {
  public static let name: OperatorName = "Clip"
  public static let inputCount = 1...3
  public init() {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    let given = [0, 1, 2].filter(inputs.has).map { inputs[$0] }
    return [ValueType(try Broadcasting.commonElementType(given), inputs[0].dimensions)]
  }
}

/// `x/2 · (1 + erf(x/√2))`, in ONNX Runtime's domain.
public struct MicrosoftGelu: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = .microsoft("Gelu")
  public init() {}
}

/// `x · sigmoid(alpha · x)`, in ONNX Runtime's domain.
public struct QuickGelu: ElementwiseOperator {
  public static let name: OperatorName = .microsoft("QuickGelu")
  /// The factor inside the sigmoid.
  public let alpha: Float

  public init(_ attributes: inout AttributeReader) throws {
    alpha = try attributes.float("alpha", default: 1.702)
  }
}

/// Gelu of `x + bias`, approximated by tanh, in ONNX Runtime's domain; bias? is as long as x's innermost axis.
public struct FastGelu: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = .microsoft("FastGelu")
  public static let inputCount = 1...2
  public init() {}
}

/// Gelu of `x + bias`, in ONNX Runtime's domain; the bias is as long as x's innermost axis.
public struct BiasGelu: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = .microsoft("BiasGelu")
  public static let inputCount = 2...2
  public init() {}
}
