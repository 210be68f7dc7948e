import Graphs
import Tensors

/// The mathematical functions of one number.
let mathFunctions: [OperatorFunction] = [
  .numeric(Neg.self), .numeric(Abs.self), .numeric(Sign.self), .elementwise(Reciprocal.self),
  .elementwise(Sqrt.self), .elementwise(Exp.self), .elementwise(Log.self),
  .elementwise(Floor.self), .elementwise(Ceil.self), .elementwise(Round.self),
  .elementwise(Erf.self), .elementwise(Sin.self), .elementwise(Cos.self),
  .elementwise(Tan.self), .elementwise(Asin.self), .elementwise(Acos.self),
  .elementwise(Atan.self), .elementwise(Sinh.self), .elementwise(Cosh.self),
  .elementwise(Tanh.self), .elementwise(Asinh.self), .elementwise(Acosh.self),
  .elementwise(Atanh.self),
]

// MARK: - Functions of any number

/// A function of one number of any type.
protocol NumericFunction {
  static func value<Element: NumericElement>(at x: Element) -> Element
}

extension Neg: NumericFunction {
  static func value<Element: NumericElement>(at x: Element) -> Element { x.negated() }
}

extension Abs: NumericFunction {
  static func value<Element: NumericElement>(at x: Element) -> Element { x.absolute() }
}

extension Sign: NumericFunction {
  static func value<Element: NumericElement>(at x: Element) -> Element { x.signum() }
}

private struct NumericFunctionBody<Function: NumericFunction>: NumericBody {
  let x: Tensor
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    Elementwise.map(x, call, Element.self, Element.self) { x, y, count in
      for i in 0..<count { y[i] = Function.value(at: x[i]) }
    }
  }
}

extension OperatorFunction {
  fileprivate static func numeric<Op: Operator & NumericFunction>(
    _ type: Op.Type
  ) -> OperatorFunction {
    OperatorFunction(
      type,
      single: { _, call in
        let x = try call.input(0)
        return try withNumericType(x.elementType, NumericFunctionBody<Op>(x: x, call: call))
      })
  }
}

// MARK: - Functions of a real number

extension Reciprocal: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { 1 / x }
}

extension Sqrt: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { x.squareRoot() }
}

extension Exp: RealFunction {
  var kernel: Kernels.Unary? { .exp }
  func value<Element: RealElement>(at x: Element) -> Element { .exp(x) }
}

extension Log: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { .log(x) }
}

extension Floor: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { x.rounded(.down) }
}

extension Ceil: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { x.rounded(.up) }
}

extension Round: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { x.rounded(.toNearestOrEven) }
}

extension Erf: RealFunction {
  var kernel: Kernels.Unary? { .erf }
  func value<Element: RealElement>(at x: Element) -> Element { .erf(x) }
}

extension Sin: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { .sin(x) }
}

extension Cos: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { .cos(x) }
}

extension Tan: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { .tan(x) }
}

extension Asin: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { .asin(x) }
}

extension Acos: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { .acos(x) }
}

extension Atan: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { .atan(x) }
}

extension Sinh: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { .sinh(x) }
}

extension Cosh: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { .cosh(x) }
}

extension Tanh: RealFunction {
  var kernel: Kernels.Unary? { .tanh }
  func value<Element: RealElement>(at x: Element) -> Element { .tanh(x) }
}

extension Asinh: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { .asinh(x) }
}

extension Acosh: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { .acosh(x) }
}

extension Atanh: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { .atanh(x) }
}
