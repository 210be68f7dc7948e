import Tensors

/// The operators that reckon with operands that are broadcast together.
let arithmeticOperators: [any Operator.Type] = [
  Add.self, Sub.self, Mul.self, Div.self, Mod.self, Pow.self, Min.self, Max.self, Sum.self,
  Mean.self,
]

/// `a + b`; integers wrap around.
public struct Add: BroadcastingOperator, SettinglessOperator {
  public static let name: OperatorName = "Add"
  public init() {}
}

/// `a − b`; integers wrap around.
public struct Sub: BroadcastingOperator, SettinglessOperator {
  public static let name: OperatorName = "Sub"
  public init() {}
}

/// `a × b`; integers wrap around.
public struct Mul: BroadcastingOperator, SettinglessOperator {
  public static let name: OperatorName = "Mul"
  public init() {}
}

/// `a ÷ b`; the quotient of integers is truncated.
public struct Div: BroadcastingOperator, SettinglessOperator {
  public static let name: OperatorName = "Div"
  public init() {}
}

/// The remainder of `a ÷ b`: with the divisor's sign, or the dividend's (C's `fmod`).
public struct Mod: BroadcastingOperator {
  public static let name: OperatorName = "Mod"
  /// Whether the remainder has the dividend's sign; must be so for floating-point numbers.
  public let takesDividendSign: Bool

  public init(_ attributes: inout AttributeReader) throws {
    takesDividendSign = try attributes.flag("fmod", default: false)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    let type = try Broadcasting.type(inputs.all)
    guard takesDividendSign || type.elementType?.isFloatingPoint != true else {
      throw GraphError(
        .invalidAttribute, "attribute 'fmod' is 0; must be 1 for floating-point numbers")
    }
    return [type]
  }
}

/// `a` to the power of `b`, of a's element type; `b` may be of another.
public struct Pow: Operator, SettinglessOperator {
  public static let name: OperatorName = "Pow"
  public static let inputCount = 2...2
  public init() {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    [ValueType(inputs[0].elementType, try Broadcasting.dimensions(inputs.all))]
  }
}

/// The least of its operands, NaN where one is.
public struct Min: BroadcastingOperator, SettinglessOperator {
  public static let name: OperatorName = "Min"
  public static let inputCount = 1...Operators.inputLimit
  public init() {}
}

/// The greatest of its operands, NaN where one is.
public struct Max: BroadcastingOperator, SettinglessOperator {
  public static let name: OperatorName = "Max"
  public static let inputCount = 1...Operators.inputLimit
  public init() {}
}

/// The sum of its operands.
public struct Sum: BroadcastingOperator, SettinglessOperator {
  public static let name: OperatorName = "Sum"
  public static let inputCount = 1...Operators.inputLimit
  public init() {}
}

/// The mean of its operands.
public struct Mean: BroadcastingOperator, SettinglessOperator {
  public static let name: OperatorName = "Mean"
  public static let inputCount = 1...Operators.inputLimit
  public init() {}
}
