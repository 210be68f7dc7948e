import Foundation
import Graphs
import Tensors

/// The functions of the activations.
let activationFunctions: [OperatorFunction] = [
  OperatorFunction(Relu.self, single: relu), .elementwise(LeakyRelu.self),
  .elementwise(Elu.self), .elementwise(Selu.self), .elementwise(Celu.self),
  .elementwise(ThresholdedRelu.self), .elementwise(Sigmoid.self),
  .elementwise(HardSigmoid.self), .elementwise(HardSwish.self), .elementwise(Mish.self),
  .elementwise(Softplus.self), .elementwise(Softsign.self), .elementwise(Gelu.self),
  .elementwise(Swish.self), OperatorFunction(Shrink.self, single: shrink),
  OperatorFunction(PRelu.self, single: prelu), OperatorFunction(Clip.self, single: clip),
  .elementwise(MicrosoftGelu.self), .elementwise(QuickGelu.self),
  OperatorFunction(
    FastGelu.self, single: { _, call in try gelu(GeluFunction(isApproximate: true), call) }),
  OperatorFunction(
    BiasGelu.self, single: { _, call in try gelu(GeluFunction(isApproximate: false), call) }),
]

// MARK: - Functions of a real number

extension LeakyRelu: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { x < 0 ? Element(alpha) * x : x }
}

extension Elu: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element {
    x < 0 ? Element(alpha) * Element.expm1(x) : x
  }
}

extension Selu: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element {
    Element(gamma) * (x > 0 ? x : Element(alpha) * Element.expm1(x))
  }
}

extension Celu: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element {
    x.greater(0) + (Element(alpha) * Element.expm1(x / Element(alpha))).lesser(0)
  }
}

extension ThresholdedRelu: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element {
    x > Element(alpha) || x.isNaN ? x : 0
  }
}

extension Sigmoid: RealFunction {
  var kernel: Kernels.Unary? { .sigmoid }
  func value<Element: RealElement>(at x: Element) -> Element { .sigmoid(x) }
}

extension HardSigmoid: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element {
    (Element(alpha) * x + Element(beta)).greater(0).lesser(1)
  }
}

extension HardSwish: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element {
    x * (x / 6 + 0.5).greater(0).lesser(1)
  }
}

extension Mish: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { x * .tanh(.softplus(x)) }
}

extension Softplus: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { .softplus(x) }
}

extension Softsign: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { x / (1 + x.magnitude) }
}

extension Swish: RealFunction {
  var kernel: Kernels.Unary? { alpha == 1 ? .silu : nil }
  func value<Element: RealElement>(at x: Element) -> Element { x * .sigmoid(Element(alpha) * x) }
}

extension QuickGelu: RealFunction {
  func value<Element: RealElement>(at x: Element) -> Element { x * .sigmoid(Element(alpha) * x) }
}

private struct GeluFunction: RealFunction {
  let isApproximate: Bool

  var kernel: Kernels.Unary? { isApproximate ? .geluTanh : .gelu }

  func value<Element: RealElement>(at x: Element) -> Element {
    let half = Element(0.5) * x
    guard isApproximate else { return half * (1 + .erf(x * Element(0.5.squareRoot()))) }
    let inner = Element((2 / Double.pi).squareRoot()) * (x + Element(0.044715) * x * x * x)
    return half * (1 + .tanh(inner))
  }
}

extension Gelu: RealFunction {
  private var function: GeluFunction { GeluFunction(isApproximate: isApproximate) }
  var kernel: Kernels.Unary? { function.kernel }
  func value<Element: RealElement>(at x: Element) -> Element { function.value(at: x) }
}

extension MicrosoftGelu: RealFunction {
  private var function: GeluFunction { GeluFunction(isApproximate: false) }
  var kernel: Kernels.Unary? { function.kernel }
  func value<Element: RealElement>(at x: Element) -> Element { function.value(at: x) }
}

private func gelu(_ function: GeluFunction, _ call: OperatorCall) throws -> Tensor {
  var x = try call.input(0)
  if let bias = call[1] {
    guard bias.shape.rank == 1, x.shape.rank > 0, bias.shape[0] == x.shape[-1] else {
      throw ExecutionError(
        .invalidValue, "the bias is \(bias); must be a vector as long as \(x)'s innermost axis")
    }
    x = try Arithmetic.apply(Add.self, x, bias, call)
  }
  return try function.values(at: x, call)
}

// MARK: - Functions of any number

/// Elements kept between two bounds.
struct ClampBody: NumericBody {
  let x: Tensor
  let low, high: Tensor?
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    let low = try bound(low, Element.self)
    let high = try bound(high, Element.self)
    return Elementwise.map(x, call, Element.self, Element.self) { x, y, count in
      switch (low, high) {
      case (let low?, let high?):
        for i in 0..<count { y[i] = x[i].greater(low).lesser(high) }
      case (let low?, nil): for i in 0..<count { y[i] = x[i].greater(low) }
      case (nil, let high?): for i in 0..<count { y[i] = x[i].lesser(high) }
      case (nil, nil): for i in 0..<count { y[i] = x[i] }
      }
    }
  }

  private func bound<Element: NumericElement>(
    _ bound: Tensor?, _ type: Element.Type
  ) throws -> Element? {
    guard let bound else { return nil }
    guard bound.count == 1, bound.elementType == Element.elementType else {
      throw ExecutionError(
        .invalidInput, "a bound is \(bound); must be one \(Element.elementType)")
    }
    return bound.elements(of: Element.self)[0]
  }
}

private func clip(_: Clip, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let body = ClampBody(x: x, low: call[1], high: call[2], call: call)
  guard x.elementType == .float32, let low = scalar(call[1], -.infinity),
    let high = scalar(call[2], .infinity), low <= high
  else { return try withNumericType(x.elementType, body) }
  return clamped(x, to: low...high, call)
}

private func scalar(_ tensor: Tensor?, _ absent: Float) -> Float? {
  guard let tensor else { return absent }
  guard tensor.count == 1, tensor.elementType == .float32 else { return nil }
  return tensor.elements(of: Float.self)[0]
}

/// Float32 elements kept in a range; NaN stays.
func clamped(_ x: Tensor, to range: ClosedRange<Float>, _ call: OperatorCall) -> Tensor {
  Elementwise.map(x, call, Float.self, Float.self) {
    Kernels.clamp($0, $1, count: $2, to: range)
  }
}

private func relu(_: Relu, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  if x.elementType == .float32 { return clamped(x, to: 0...Float.infinity, call) }
  let zero = Tensor.zeros([], x.elementType)
  return try withNumericType(
    x.elementType, ClampBody(x: x, low: zero, high: nil, call: call))
}

private struct ShrinkBody: NumericBody {
  let op: Shrink
  let x: Tensor
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    let (lambda, bias) = (Double(op.lambd), Double(op.bias))
    return Elementwise.map(x, call, Element.self, Element.self) { x, y, count in
      for i in 0..<count {
        let value = x[i].double
        if value < -lambda {
          y[i] = Element.rounding(value + bias)
        } else {
          y[i] = value > lambda ? Element.rounding(value - bias) : 0
        }
      }
    }
  }
}

private func shrink(_ op: Shrink, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  return try withNumericType(x.elementType, ShrinkBody(op: op, x: x, call: call))
}

private struct SlopeBody: NumericBody {
  let x, slope: Tensor
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    try Elementwise.combine(x, slope, call, Element.self, Element.self, Element.self) {
      Elementwise.row($0, $1, $2, $3, $4, $5) { $0 < 0 ? $0.multiplying($1) : $0 }
    }
  }
}

private func prelu(_ op: PRelu, _ call: OperatorCall) throws -> Tensor {
  _ = try call.outputTypes(of: op)
  let (x, slope) = (try call.input(0), try call.input(1))
  let result = try withNumericType(
    x.elementType, SlopeBody(x: x, slope: slope, call: call))
  guard result.shape == x.shape else {
    throw ExecutionError(.invalidValue, "slopes \(slope) can't be broadcast to \(x)")
  }
  return result
}
