import Foundation
import Graphs
import Tensors

/// A floating-point element and the functions of one real number.
protocol RealElement: NumericElement, BinaryFloatingPoint {
  static func exp(_ x: Self) -> Self
  static func expm1(_ x: Self) -> Self
  static func log(_ x: Self) -> Self
  static func log1p(_ x: Self) -> Self
  static func erf(_ x: Self) -> Self
  static func sin(_ x: Self) -> Self
  static func cos(_ x: Self) -> Self
  static func tan(_ x: Self) -> Self
  static func asin(_ x: Self) -> Self
  static func acos(_ x: Self) -> Self
  static func atan(_ x: Self) -> Self
  static func sinh(_ x: Self) -> Self
  static func cosh(_ x: Self) -> Self
  static func tanh(_ x: Self) -> Self
  static func asinh(_ x: Self) -> Self
  static func acosh(_ x: Self) -> Self
  static func atanh(_ x: Self) -> Self
}

extension RealElement {
  /// `1 ÷ (1 + e⁻ˣ)`, without overflow.
  static func sigmoid(_ x: Self) -> Self {
    let e = exp(-x.magnitude)
    return (x < 0 ? e : 1) / (1 + e)
  }

  /// `log(1 + eˣ)`, without overflow.
  static func softplus(_ x: Self) -> Self {
    x.greater(0) + log1p(exp(-x.magnitude))
  }
}

extension Float: RealElement {
  static func exp(_ x: Float) -> Float { Foundation.exp(x) }
  static func expm1(_ x: Float) -> Float { Foundation.expm1(x) }
  static func log(_ x: Float) -> Float { Foundation.log(x) }
  static func log1p(_ x: Float) -> Float { Foundation.log1p(x) }
  static func erf(_ x: Float) -> Float { Foundation.erf(x) }
  static func sin(_ x: Float) -> Float { Foundation.sin(x) }
  static func cos(_ x: Float) -> Float { Foundation.cos(x) }
  static func tan(_ x: Float) -> Float { Foundation.tan(x) }
  static func asin(_ x: Float) -> Float { Foundation.asin(x) }
  static func acos(_ x: Float) -> Float { Foundation.acos(x) }
  static func atan(_ x: Float) -> Float { Foundation.atan(x) }
  static func sinh(_ x: Float) -> Float { Foundation.sinh(x) }
  static func cosh(_ x: Float) -> Float { Foundation.cosh(x) }
  static func tanh(_ x: Float) -> Float { Foundation.tanh(x) }
  static func asinh(_ x: Float) -> Float { Foundation.asinh(x) }
  static func acosh(_ x: Float) -> Float { Foundation.acosh(x) }
  static func atanh(_ x: Float) -> Float { Foundation.atanh(x) }
}

extension Double: RealElement {
  static func exp(_ x: Double) -> Double { Foundation.exp(x) }
  static func expm1(_ x: Double) -> Double { Foundation.expm1(x) }
  static func log(_ x: Double) -> Double { Foundation.log(x) }
  static func log1p(_ x: Double) -> Double { Foundation.log1p(x) }
  static func erf(_ x: Double) -> Double { Foundation.erf(x) }
  static func sin(_ x: Double) -> Double { Foundation.sin(x) }
  static func cos(_ x: Double) -> Double { Foundation.cos(x) }
  static func tan(_ x: Double) -> Double { Foundation.tan(x) }
  static func asin(_ x: Double) -> Double { Foundation.asin(x) }
  static func acos(_ x: Double) -> Double { Foundation.acos(x) }
  static func atan(_ x: Double) -> Double { Foundation.atan(x) }
  static func sinh(_ x: Double) -> Double { Foundation.sinh(x) }
  static func cosh(_ x: Double) -> Double { Foundation.cosh(x) }
  static func tanh(_ x: Double) -> Double { Foundation.tanh(x) }
  static func asinh(_ x: Double) -> Double { Foundation.asinh(x) }
  static func acosh(_ x: Double) -> Double { Foundation.acosh(x) }
  static func atanh(_ x: Double) -> Double { Foundation.atanh(x) }
}

/// Work that is the same for float32 and float64.
protocol RealBody {
  associatedtype Result
  func run<Element: RealElement>(_ type: Element.Type) throws -> Result
}

/// Runs `body` for the Swift type of a floating-point element type, compiled for each.
///
/// Throws ``ExecutionError`` for all other types.
func withRealType<Body: RealBody>(_ type: ElementType, _ body: Body) throws -> Body.Result {
  switch type {
  case .float32: try body.run(Float.self)
  case .float64: try body.run(Double.self)
  default: throw ExecutionError(.unsupported, "is not computed for \(type)")
  }
}

/// A function of one real number, applied to each element of a tensor.
protocol RealFunction: Sendable {
  /// The kernel that computes it in float32, where there is one.
  var kernel: Kernels.Unary? { get }
  func value<Element: RealElement>(at x: Element) -> Element
}

extension RealFunction {
  var kernel: Kernels.Unary? { nil }
}

private struct RealFunctionBody<Function: RealFunction>: RealBody {
  let function: Function
  let x: Tensor
  let call: OperatorCall

  func run<Element: RealElement>(_ type: Element.Type) throws -> Tensor {
    Elementwise.map(x, call, Element.self, Element.self) { x, y, count in
      for i in 0..<count { y[i] = function.value(at: x[i]) }
    }
  }
}

extension RealFunction {
  /// The function's value at each element of a tensor of floating-point numbers.
  func values(at x: Tensor, _ call: OperatorCall) throws -> Tensor {
    if let kernel, x.elementType == .float32 {
      return Elementwise.map(x, call, Float.self, Float.self) {
        Kernels.apply(kernel, $0, $1, count: $2)
      }
    }
    return try withRealType(
      x.elementType, RealFunctionBody(function: self, x: x, call: call))
  }
}

extension OperatorFunction {
  /// The function of an operator that is a function of each element.
  static func elementwise<Op: Operator & RealFunction>(_ type: Op.Type) -> OperatorFunction {
    OperatorFunction(type, single: { op, call in try op.values(at: call.input(0), call) })
  }
}
