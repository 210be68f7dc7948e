import Tensors

/// The mathematical functions of one number.
let mathOperators: [any Operator.Type] = [
  Neg.self, Abs.self, Sign.self, Reciprocal.self, Sqrt.self, Exp.self, Log.self, Floor.self,
  Ceil.self, Round.self, Erf.self, Sin.self, Cos.self, Tan.self, Asin.self, Acos.self, Atan.self,
  Sinh.self, Cosh.self, Tanh.self, Asinh.self, Acosh.self, Atanh.self,
]

/// `−x`.
public struct Neg: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Neg"
  public init() {}
}

/// `|x|`.
public struct Abs: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Abs"
  public init() {}
}

/// −1, 0 or 1 as `x` is negative, zero or positive.
public struct Sign: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Sign"
  public init() {}
}

/// `1 ÷ x`.
public struct Reciprocal: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Reciprocal"
  public init() {}
}

/// The square root, NaN for negative numbers.
public struct Sqrt: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Sqrt"
  public init() {}
}

/// `e` to the power of `x`.
public struct Exp: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Exp"
  public init() {}
}

/// The natural logarithm.
public struct Log: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Log"
  public init() {}
}

/// The greatest whole number that is not above `x`.
public struct Floor: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Floor"
  public init() {}
}

/// The least whole number that is not below `x`.
public struct Ceil: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Ceil"
  public init() {}
}

/// The nearest whole number, the even one of two.
public struct Round: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Round"
  public init() {}
}

/// The error function, `2/√π · ∫₀ˣ e^(−t²) dt`.
public struct Erf: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Erf"
  public init() {}
}

/// The sine of an angle in radians.
public struct Sin: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Sin"
  public init() {}
}

/// The cosine of an angle in radians.
public struct Cos: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Cos"
  public init() {}
}

/// The tangent of an angle in radians.
public struct Tan: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Tan"
  public init() {}
}

/// The angle in radians whose sine is `x`.
public struct Asin: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Asin"
  public init() {}
}

/// The angle in radians whose cosine is `x`.
public struct Acos: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Acos"
  public init() {}
}

/// The angle in radians whose tangent is `x`.
public struct Atan: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Atan"
  public init() {}
}

/// The hyperbolic sine.
public struct Sinh: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Sinh"
  public init() {}
}

/// The hyperbolic cosine.
public struct Cosh: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Cosh"
  public init() {}
}

/// The hyperbolic tangent.
public struct Tanh: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Tanh"
  public init() {}
}

/// The inverse of the hyperbolic sine.
public struct Asinh: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Asinh"
  public init() {}
}

/// The inverse of the hyperbolic cosine.
public struct Acosh: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Acosh"
  public init() {}
}

/// The inverse of the hyperbolic tangent.
public struct Atanh: ElementwiseOperator, SettinglessOperator {
  public static let name: OperatorName = "Atanh"
  public init() {}
}
