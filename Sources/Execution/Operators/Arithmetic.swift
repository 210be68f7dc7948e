import Graphs
import Tensors

/// The functions of the operators that reckon with operands that are broadcast together.
let arithmeticFunctions: [OperatorFunction] = [
  .arithmetic(Add.self), .arithmetic(Sub.self), .arithmetic(Mul.self),
  OperatorFunction(
    Div.self,
    single: { _, call in
      try refuseZeros(in: call.input(1))
      return try Arithmetic.apply(Div.self, try call.input(0), try call.input(1), call)
    }),
  OperatorFunction(Mod.self, single: remainder), OperatorFunction(Pow.self, single: power),
  .variadic(Min.self, MinRule.self), .variadic(Max.self, MaxRule.self),
  .variadic(Sum.self, Add.self), OperatorFunction(Mean.self, single: mean),
]

// MARK: - Rules

/// An operation on two numbers of one type.
protocol ArithmeticRule: SendableMetatype {
  /// The kernel that computes it in float32, where there is one.
  static var kernel: Kernels.Binary? { get }
  static func value<Element: NumericElement>(_ a: Element, _ b: Element) -> Element
}

extension Add: ArithmeticRule {
  static var kernel: Kernels.Binary? { .add }
  static func value<Element: NumericElement>(_ a: Element, _ b: Element) -> Element { a.adding(b) }
}

extension Sub: ArithmeticRule {
  static var kernel: Kernels.Binary? { .subtract }
  static func value<Element: NumericElement>(_ a: Element, _ b: Element) -> Element {
    a.subtracting(b)
  }
}

extension Mul: ArithmeticRule {
  static var kernel: Kernels.Binary? { .multiply }
  static func value<Element: NumericElement>(_ a: Element, _ b: Element) -> Element {
    a.multiplying(b)
  }
}

extension Div: ArithmeticRule {
  static var kernel: Kernels.Binary? { .divide }
  static func value<Element: NumericElement>(_ a: Element, _ b: Element) -> Element {
    a.dividing(b)
  }
}

private enum MinRule: ArithmeticRule {
  static var kernel: Kernels.Binary? { .min }
  static func value<Element: NumericElement>(_ a: Element, _ b: Element) -> Element { a.lesser(b) }
}

private enum MaxRule: ArithmeticRule {
  static var kernel: Kernels.Binary? { .max }
  static func value<Element: NumericElement>(_ a: Element, _ b: Element) -> Element { a.greater(b) }
}

private enum ModuloRule: ArithmeticRule {
  static var kernel: Kernels.Binary? { nil }
  static func value<Element: NumericElement>(_ a: Element, _ b: Element) -> Element { a.modulo(b) }
}

private enum RemainderRule: ArithmeticRule {
  static var kernel: Kernels.Binary? { nil }
  static func value<Element: NumericElement>(_ a: Element, _ b: Element) -> Element {
    a.remainder(truncating: b)
  }
}

// MARK: - Loops

private struct ArithmeticBody<Rule: ArithmeticRule>: NumericBody {
  let a, b: Tensor
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    try Elementwise.combine(a, b, call, Element.self, Element.self, Element.self) {
      Elementwise.row($0, $1, $2, $3, $4, $5) { Rule.value($0, $1) }
    }
  }
}

/// Arithmetic on tensors that are broadcast together.
enum Arithmetic {
  /// The rule's value for each pair of elements. Throws ``ExecutionError`` where types or shapes don't go together.
  static func apply<Rule: ArithmeticRule>(
    _ rule: Rule.Type, _ a: Tensor, _ b: Tensor, _ call: OperatorCall
  ) throws -> Tensor {
    let type = try commonElementType(a, b)
    guard let kernel = Rule.kernel, type == .float32 else {
      return try withNumericType(type, ArithmeticBody<Rule>(a: a, b: b, call: call))
    }
    return try Elementwise.combine(a, b, call, Float.self, Float.self, Float.self) {
      a, aStep, b, bStep, y, count in
      if aStep == 0, count > 0 {
        Kernels.apply(kernel, a[0], b, y, count: bStep == 0 ? 1 : count)
      } else if bStep == 0, count > 0 {
        Kernels.apply(kernel, a, b[0], y, count: count)
      } else {
        Kernels.apply(kernel, a, b, y, count: count)
      }
    }
  }
}

extension OperatorFunction {
  fileprivate static func arithmetic<Op: Operator & ArithmeticRule>(
    _ type: Op.Type
  ) -> OperatorFunction {
    OperatorFunction(
      type,
      single: { _, call in
        try Arithmetic.apply(Op.self, try call.input(0), try call.input(1), call)
      })
  }

  fileprivate static func variadic<Op: Operator, Rule: ArithmeticRule>(
    _ type: Op.Type, _ rule: Rule.Type
  ) -> OperatorFunction {
    OperatorFunction(type, single: { _, call in try fold(rule, call) })
  }
}

private func fold<Rule: ArithmeticRule>(
  _ rule: Rule.Type, _ call: OperatorCall
) throws -> Tensor {
  try call.inputs.indices.dropFirst().reduce(call.input(0)) { result, index in
    try Arithmetic.apply(rule, result, try call.input(index), call)
  }
}

private func mean(_: Mean, _ call: OperatorCall) throws -> Tensor {
  let sum = try fold(Add.self, call)
  let count = Double(call.inputs.count)
  switch sum.elementType {
  case .float32: return try Arithmetic.apply(Div.self, sum, Tensor(scalar: Float(count)), call)
  case .float64: return try Arithmetic.apply(Div.self, sum, Tensor(scalar: count), call)
  default: throw ExecutionError(.unsupported, "is not computed for \(sum.elementType)")
  }
}

// MARK: - Division

/// Throws ``ExecutionError`` where a divisor of integers is zero.
private func refuseZeros(in divisor: Tensor) throws {
  guard divisor.elementType.isInteger, divisor.elementType.bitWidth >= 8 else { return }
  guard let index = divisor.integers().firstIndex(of: 0) else { return }
  throw ExecutionError(
    .invalidValue, "an integer is divided by zero: element \(index) of the divisor")
}

private func remainder(_ op: Mod, _ call: OperatorCall) throws -> Tensor {
  let (a, b) = (try call.input(0), try call.input(1))
  try refuseZeros(in: b)
  guard op.takesDividendSign || !a.elementType.isFloatingPoint else {
    throw ExecutionError(
      .invalidValue, "attribute 'fmod' is 0; must be 1 for floating-point numbers")
  }
  return op.takesDividendSign
    ? try Arithmetic.apply(RemainderRule.self, a, b, call)
    : try Arithmetic.apply(ModuloRule.self, a, b, call)
}

// MARK: - Powers

private struct PowerBody: NumericBody {
  let base, exponent: Tensor
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    try Elementwise.combine(base, exponent, call, Element.self, Double.self, Element.self) {
      Elementwise.row($0, $1, $2, $3, $4, $5) { $0.power($1) }
    }
  }
}

private struct DoubleBody: NumericBody {
  let x: Tensor
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    Elementwise.map(x, call, Element.self, Double.self) { x, y, count in
      for i in 0..<count { y[i] = x[i].double }
    }
  }
}

private func power(_: Pow, _ call: OperatorCall) throws -> Tensor {
  let base = try call.input(0)
  let exponent = try call.input(1)
  let exponents = try withNumericType(exponent.elementType, DoubleBody(x: exponent, call: call))
  if exponents.count == 1, exponents.elements(of: Double.self) == [2],
    exponents.shape.rank <= base.shape.rank
  {
    return try Arithmetic.apply(Mul.self, base, base, call)
  }
  return try withNumericType(
    base.elementType, PowerBody(base: base, exponent: exponents, call: call))
}
