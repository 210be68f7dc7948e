import Tensors

/// The operators that compare, choose, and reckon with Booleans and bits.
let logicOperators: [any Operator.Type] = [
  Equal.self, Greater.self, Less.self, GreaterOrEqual.self, LessOrEqual.self, And.self, Or.self,
  Xor.self, Not.self, BitShift.self, BitwiseAnd.self, BitwiseOr.self, BitwiseXor.self,
  BitwiseNot.self, IsNaN.self, IsInf.self, Where.self,
]

/// `a = b`; NaN equals nothing.
public struct Equal: ComparisonOperator, SettinglessOperator {
  public static let name: OperatorName = "Equal"
  public init() {}
}

/// `a > b`.
public struct Greater: ComparisonOperator, SettinglessOperator {
  public static let name: OperatorName = "Greater"
  public init() {}
}

/// `a < b`.
public struct Less: ComparisonOperator, SettinglessOperator {
  public static let name: OperatorName = "Less"
  public init() {}
}

/// `a ≥ b`.
public struct GreaterOrEqual: ComparisonOperator, SettinglessOperator {
  public static let name: OperatorName = "GreaterOrEqual"
  public init() {}
}

/// `a ≤ b`.
public struct LessOrEqual: ComparisonOperator, SettinglessOperator {
  public static let name: OperatorName = "LessOrEqual"
  public init() {}
}

/// Whether both Booleans are true.
public struct And: LogicalOperator, SettinglessOperator {
  public static let name: OperatorName = "And"
  public init() {}
}

/// Whether a Boolean is true.
public struct Or: LogicalOperator, SettinglessOperator {
  public static let name: OperatorName = "Or"
  public init() {}
}

/// Whether just one Boolean is true.
public struct Xor: LogicalOperator, SettinglessOperator {
  public static let name: OperatorName = "Xor"
  public init() {}
}

/// An operator on two operands of Booleans that are broadcast together.
public protocol LogicalOperator: ComparisonOperator {}

extension LogicalOperator {
  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(0, .bool)
    try inputs.requireType(1, .bool)
    return [ValueType(.bool, try Broadcasting.dimensions(inputs.all))]
  }
}

/// Whether a Boolean is false.
public struct Not: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Not"
  public init() {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(0, .bool)
    return [ValueType(.bool, inputs[0].dimensions)]
  }
}

/// An unsigned integer's bits, shifted by as many places as the other operand says; 0 beyond its width.
public struct BitShift: BroadcastingOperator {
  public static let name: OperatorName = "BitShift"
  /// Where bits go.
  public let direction: Direction

  /// Where bits go.
  public enum Direction: String, CaseIterable, Sendable {
    /// Towards greater numbers.
    case left = "LEFT"
    /// Towards lesser numbers.
    case right = "RIGHT"
  }

  public init(_ attributes: inout AttributeReader) throws {
    _ = try attributes.required("direction", attributes.string("direction"))
    direction = try attributes.choice("direction", default: .left)
  }
}

/// The bits that both integers have.
public struct BitwiseAnd: BroadcastingOperator, SettinglessOperator {
  public static let name: OperatorName = "BitwiseAnd"
  public init() {}
}

/// The bits that one of two integers has.
public struct BitwiseOr: BroadcastingOperator, SettinglessOperator {
  public static let name: OperatorName = "BitwiseOr"
  public init() {}
}

/// The bits that just one of two integers has.
public struct BitwiseXor: BroadcastingOperator, SettinglessOperator {
  public static let name: OperatorName = "BitwiseXor"
  public init() {}
}

/// The bits that an integer has not.
public struct BitwiseNot: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "BitwiseNot"
  public init() {}
}

/// Whether a floating-point number is NaN.
public struct IsNaN: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "IsNaN"
  public init() {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    [ValueType(.bool, inputs[0].dimensions)]
  }
}

/// Whether a floating-point number is infinite.
public struct IsInf: ElementwiseOperator {
  public static let name: OperatorName = "IsInf"
  /// Whether −∞ counts.
  public let detectsNegative: Bool
  /// Whether +∞ counts.
  public let detectsPositive: Bool

  public init(_ attributes: inout AttributeReader) throws {
    detectsNegative = try attributes.flag("detect_negative", default: true)
    detectsPositive = try attributes.flag("detect_positive", default: true)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    [ValueType(.bool, inputs[0].dimensions)]
  }
}

/// The second operand's element where the first, a Boolean, is true, else the third's.
public struct Where: Operator, SettinglessOperator {
  public static let name: OperatorName = "Where"
  public static let inputCount = 3...3
  public init() {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(0, .bool)
    let type = try Broadcasting.commonElementType([inputs[1], inputs[2]])
    return [ValueType(type, try Broadcasting.dimensions(inputs.all))]
  }
}
