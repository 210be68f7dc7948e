import Graphs
import Tensors

/// The functions of the operators that run along an axis and write down what they have so far.
let cumulatingFunctions: [OperatorFunction] = [
  .cumulating(CumSum.self, isProduct: false), .cumulating(CumProd.self, isProduct: true),
]

extension OperatorFunction {
  fileprivate static func cumulating<Op: CumulativeOperator>(
    _ type: Op.Type, isProduct: Bool
  ) -> OperatorFunction {
    OperatorFunction(
      type,
      single: { op, call in
        let x = try call.input(0)
        _ = try call.outputShape(of: op)
        guard let axis = try call.integers(1)?.first else {
          throw ExecutionError(.invalidInput, "the axis is empty; must be one whole number")
        }
        let cumulation = Cumulation(
          x: x, axis: try ShapeRules.axis(axis, rank: x.shape.rank), isExclusive: op.isExclusive,
          isReversed: op.isReversed, isProduct: isProduct, call: call)
        switch x.elementType {
        case .float32: return cumulation.overFloats(Float.self)
        case .float64: return cumulation.overFloats(Double.self)
        default: return try withNumericType(x.elementType, cumulation)
        }
      }
    ).widening(except: 1)
  }
}

private struct Cumulation: NumericBody {
  let x: Tensor
  let axis: Int
  let isExclusive: Bool
  let isReversed: Bool
  let isProduct: Bool
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    isProduct
      ? along(Element.self, 1 as Element, { $0.multiplying($1) }, { $0 })
      : along(Element.self, 0 as Element, { $0.adding($1) }, { $0 })
  }

  /// Floating-point numbers are added up in double precision.
  func overFloats<Element: NumericElement & BinaryFloatingPoint>(_ type: Element.Type) -> Tensor {
    isProduct
      ? along(Element.self, 1.0, { $0 * $1.double }, { Element($0) })
      : along(Element.self, 0.0, { $0 + $1.double }, { Element($0) })
  }

  @inline(__always)
  private func along<Element: NumericElement, Sum>(
    _: Element.Type, _ start: Sum, _ join: (Sum, Element) -> Sum, _ result: (Sum) -> Element
  ) -> Tensor {
    let shape = x.shape
    let (length, inner) = (shape[axis], shape.count(in: (axis + 1)..<shape.rank))
    return x.withElements(of: Element.self) { source in
      call.output(shape, of: Element.self) { target in
        guard shape.count > 0 else { return }
        for lane in 0..<shape.count / length {
          let first = lane / inner * length * inner + lane % inner
          var sum = start
          for step in 0..<length {
            let index = first + (isReversed ? length - 1 - step : step) * inner
            if isExclusive { target[index] = result(sum) }
            sum = join(sum, source[index])
            if !isExclusive { target[index] = result(sum) }
          }
        }
      }
    }
  }
}
