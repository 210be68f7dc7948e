import Graphs
import Tensors

/// The functions of the operators that put elements of an axis in order.
let rankingFunctions: [OperatorFunction] = [
  .extremeIndex(ArgMax.self, greatest: true), .extremeIndex(ArgMin.self, greatest: false),
  OperatorFunction(TopK.self, topK).widening(except: 1),
]

extension OperatorFunction {
  fileprivate static func extremeIndex<Op: ExtremeIndexOperator>(
    _ type: Op.Type, greatest: Bool
  ) -> OperatorFunction {
    OperatorFunction(
      type,
      single: { op, call in
        let x = try call.input(0)
        let shape = try call.outputShape(of: op)
        let rows = try AxisRows(x, axis: op.axis, call)
        return try withNumericType(
          x.elementType,
          ExtremeIndex(rows: rows, shape: shape, greatest: greatest, last: op.namesLast, call: call)
        )
      }
    ).widening()
  }
}

/// The elements along one axis, row by row.
private struct AxisRows {
  /// [..., axis]
  let x: Tensor
  let axis: Int
  /// The shape with the axis innermost.
  var shape: Shape { x.shape }
  var length: Int { x.shape[-1] }
  var count: Int { length == 0 ? 0 : x.count / length }

  init(_ x: Tensor, axis: Int, _ call: OperatorCall) throws {
    let rank = x.shape.rank
    let axis = try ShapeRules.axis(axis, rank: rank)
    self.axis = axis
    let order = (0..<rank).filter { $0 != axis } + [axis]
    let strides = x.shape.strides
    self.x =
      axis == rank - 1
      ? x
      : try StridedCopy.view(
        of: x, Shape(order.map { x.shape[$0] }), strides: order.map { strides[$0] }, call)
  }

  /// Rows of another length put back along the axis.
  func restored(_ rows: Tensor, _ shape: Shape, _ call: OperatorCall) throws -> Tensor {
    guard axis != shape.rank - 1 else { return rows.reshaped(to: shape) }
    var order = Array(0..<(shape.rank - 1))
    order.insert(shape.rank - 1, at: axis)
    let lengths = shape.dimensions
    let inner = lengths.indices.filter { $0 != axis }.map { lengths[$0] } + [lengths[axis]]
    let strides = Shape(inner).strides
    return try StridedCopy.view(of: rows, shape, strides: order.map { strides[$0] }, call)
  }
}

/// Whether `a` stands before `b` in falling or rising order; NaN is greater than all numbers.
@inline(__always)
private func precedes<Element: NumericElement>(_ a: Element, _ b: Element, falling: Bool) -> Bool {
  if a != a { return falling && b == b }
  if b != b { return !falling }
  return falling ? a > b : a < b
}

private struct ExtremeIndex: NumericBody {
  let rows: AxisRows
  let shape: Shape
  let greatest: Bool
  let last: Bool
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    let length = rows.length
    return rows.x.withElements(of: Element.self) { source in
      call.output(shape, of: Int64.self) { target in
        for row in target.indices {
          let start = row * length
          var best = 0
          for index in 1..<max(length, 1) {
            let (new, old) = (source[start + index], source[start + best])
            // A NaN stands out in both directions, as in NumPy.
            let isBetter =
              new != new ? old == old : old == old && (greatest ? new > old : new < old)
            let isEqual = new == old || (new != new && old != old)
            if isBetter || (last && isEqual) { best = index }
          }
          target[row] = Int64(best)
        }
      }
    }
  }
}

private func topK(_ op: TopK, _ call: OperatorCall) throws -> [Tensor] {
  let x = try call.input(0)
  let shape = try call.outputShape(of: op)
  let rows = try AxisRows(x, axis: op.axis, call)
  let k = shape[rows.axis]
  let sorting = Sorting(rows: rows, k: k, falling: op.takesGreatest, call: call)
  let (values, indices) = try withNumericType(x.elementType, sorting)
  return [try rows.restored(values, shape, call), try rows.restored(indices, shape, call)]
}

private struct Sorting: NumericBody {
  let rows: AxisRows
  let k: Int
  let falling: Bool
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> (Tensor, Tensor) {
    let length = rows.length
    let shape: Shape = [rows.count, k]
    return rows.x.withElements(of: Element.self) { source in
      var indices: [Int64] = []
      let values = call.output(shape, of: Element.self) { target in
        for row in 0..<rows.count {
          let start = row * length
          let order = (0..<length).sorted { a, b in
            let (x, y) = (source[start + a], source[start + b])
            return precedes(x, y, falling: falling)
              || (a < b && !precedes(y, x, falling: falling))
          }
          for rank in 0..<k {
            target[row * k + rank] = source[start + order[rank]]
            indices.append(Int64(order[rank]))
          }
        }
      }
      return (values, Tensor(indices, shape: shape))
    }
  }
}
