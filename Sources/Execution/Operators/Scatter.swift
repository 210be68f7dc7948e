import Graphs
import Tensors

/// The functions of the operators that write elements at given indices.
let scatteringFunctions: [OperatorFunction] = [
  OperatorFunction(ScatterElements.self, single: scatterElements).widening(except: 1),
  OperatorFunction(Scatter.self, single: { op, call in try scatterElements(op.elements, call) }),
  OperatorFunction(ScatterND.self, single: scatterND).widening(except: 1),
]

private func scatterElements(_ op: ScatterElements, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  _ = try call.outputShape(of: op)
  let axis = try ShapeRules.axis(op.axis, rank: x.shape.rank)
  let places = try Gathering.places(of: try call.input(1), in: x.shape, axis: axis)
  return try scattered(
    try call.input(2), over: x, at: places, length: 1, op.reduction, call)
}

private func scatterND(_ op: ScatterND, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  _ = try call.outputShape(of: op)
  let indices = try call.input(1)
  let places = try Gathering.places(ofTuples: indices, in: x.shape, batchRank: 0)
  return try scattered(
    try call.input(2), over: x, at: places,
    length: x.shape.count(in: indices.shape[-1]..<x.shape.rank), op.reduction, call)
}

/// A copy of `x` in which runs of `length` elements at `places` are updated, one after the other.
private func scattered(
  _ updates: Tensor, over x: Tensor, at places: [Int], length: Int, _ reduction: ScatterReduction,
  _ call: OperatorCall
) throws -> Tensor {
  guard x.count > 0 else { return x }
  if reduction == .replace {
    let patterns = x.bitPatterns
    let scatter = Scattering(
      x: patterns, updates: updates.bitPatterns, places: places, length: length,
      reduction: reduction, call: call)
    return try withBitPatternType(patterns.elementType, scatter).asElements(of: x.elementType)
  }
  return try withNumericType(
    x.elementType,
    Scattering(
      x: x, updates: updates, places: places, length: length, reduction: reduction, call: call))
}

private struct Scattering: NumericBody {
  let x: Tensor
  let updates: Tensor
  let places: [Int]
  let length: Int
  let reduction: ScatterReduction
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    call.output(x.shape, of: Element.self) { target in
      x.withElements(of: Element.self) { _ = target.initialize(from: $0) }
      updates.withElements(of: Element.self) { updates in
        guard let to = target.baseAddress, let from = updates.baseAddress else { return }
        for (index, place) in places.enumerated() {
          update(to + place, from + index * length)
        }
      }
    }
  }

  @inline(__always)
  private func update<Element: NumericElement>(
    _ target: UnsafeMutablePointer<Element>, _ source: UnsafePointer<Element>
  ) {
    switch reduction {
    case .replace: target.update(from: source, count: length)
    case .add: for i in 0..<length { target[i] = target[i].adding(source[i]) }
    case .multiply: for i in 0..<length { target[i] = target[i].multiplying(source[i]) }
    case .maximum: for i in 0..<length { target[i] = target[i].greater(source[i]) }
    case .minimum: for i in 0..<length { target[i] = target[i].lesser(source[i]) }
    }
  }
}
