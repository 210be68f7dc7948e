import Graphs
import Tensors

/// The functions of the operators of linear algebra with indices.
let indexAlgebraFunctions: [OperatorFunction] = [
  OperatorFunction(Einsum.self, single: einsum).widening(),
  OperatorFunction(Determinant.self, single: determinant).widening(),
]

private func einsum(_ op: Einsum, _ call: OperatorCall) throws -> Tensor {
  let operands = try call.inputs.indices.map { try call.input($0) }
  let shape = try call.outputShape(of: op)
  let elementType = try operands.dropFirst().reduce(operands[0].elementType) { type, operand in
    guard operand.elementType == type else {
      throw ExecutionError(.invalidInput, "inputs are \(type) and \(operand.elementType)")
    }
    return type
  }
  let terms = try zip(op.operands, operands).map { try op.labels($0, rank: $1.shape.rank) }
  var lengths: [Einsum.Label: Int] = [:]
  for (labels, operand) in zip(terms, operands) {
    for (label, length) in zip(labels, operand.shape.dimensions) {
      lengths[label] = max(lengths[label] ?? 1, length)
      if length == 0 { lengths[label] = 0 }
    }
  }
  let unnamed = lengths.keys.compactMap { label -> Int? in
    if case .unnamed(let place) = label { place } else { nil }
  }.sorted(by: >)
  let wanted = op.result.flatMap { term -> [Einsum.Label] in
    term.map { [.letter($0)] } ?? unnamed.map { .unnamed($0) }
  }
  var factors = zip(terms, operands).map { LabelledTensor(labels: $0, tensor: $1) }
  while factors.count > 1 {
    let (a, b) = (factors.removeFirst(), factors.removeFirst())
    let needed = Set(wanted).union(factors.flatMap(\.labels))
    factors.insert(try a.multiplied(by: b, keeping: needed, lengths, call), at: 0)
  }
  let sum = try factors[0].summed(keeping: Set(wanted), lengths, call)
  let result = try sum.arranged(as: wanted, lengths, call)
  return result.reinterpreted(as: elementType).reshaped(to: shape)
}

/// A tensor whose axes have labels.
private struct LabelledTensor {
  let labels: [Einsum.Label]
  let tensor: Tensor

  /// The tensor with one axis for each of `order`: repeated labels become diagonals, missing ones and lengths of 1 repeat.
  func arranged(
    as order: [Einsum.Label], _ lengths: [Einsum.Label: Int], _ call: OperatorCall
  ) throws -> Tensor {
    var strides: [Einsum.Label: Int] = [:]
    for (axis, label) in labels.enumerated() {
      let isRepeated = tensor.shape[axis] == 1 && lengths[label] != 1
      strides[label, default: 0] += isRepeated ? 0 : tensor.shape.strides[axis]
    }
    let shape = try OperatorCall.shape(order.map { lengths[$0] ?? 1 }, tensor.elementType)
    if order == labels, shape == tensor.shape { return tensor }
    return try StridedCopy.view(of: tensor, shape, strides: order.map { strides[$0] ?? 0 }, call)
  }

  /// Summed over all labels but these.
  func summed(
    keeping needed: Set<Einsum.Label>, _ lengths: [Einsum.Label: Int], _ call: OperatorCall
  ) throws -> LabelledTensor {
    var seen: Set<Einsum.Label> = []
    let own = labels.filter { seen.insert($0).inserted }
    let (kept, gone) = (own.filter(needed.contains), own.filter { !needed.contains($0) })
    let dense = try arranged(as: kept + gone, lengths, call)
    guard !gone.isEmpty else { return LabelledTensor(labels: kept, tensor: dense) }
    let sums = try RowReduction.sum.reduce(
      dense, Array(kept.count..<dense.shape.rank), call)
    return LabelledTensor(
      labels: kept,
      tensor: sums.reshaped(to: Shape(dense.shape.dimensions.prefix(kept.count).map { $0 })))
  }

  /// The product, summed over what nobody needs any more: one matrix product for each index of the shared labels.
  func multiplied(
    by other: LabelledTensor, keeping needed: Set<Einsum.Label>,
    _ lengths: [Einsum.Label: Int], _ call: OperatorCall
  ) throws -> LabelledTensor {
    let a = try summed(keeping: needed.union(other.labels), lengths, call)
    let b = try other.summed(keeping: needed.union(labels), lengths, call)
    let shared = a.labels.filter(b.labels.contains)
    let batch = shared.filter(needed.contains)
    let inner = shared.filter { !needed.contains($0) }
    let rows = a.labels.filter { !shared.contains($0) }
    let columns = b.labels.filter { !shared.contains($0) }
    let count = { (labels: [Einsum.Label]) in labels.reduce(1) { $0 * (lengths[$1] ?? 1) } }
    let product = MatrixProducts(
      a: try a.arranged(as: batch + rows + inner, lengths, call),
      b: try b.arranged(as: batch + inner + columns, lengths, call),
      batch: count(batch), rows: count(rows), inner: count(inner), columns: count(columns),
      shape: try OperatorCall.shape(
        (batch + rows + columns).map { lengths[$0] ?? 1 }, tensor.elementType), call: call)
    return LabelledTensor(
      labels: batch + rows + columns, tensor: try withNumericType(tensor.elementType, product))
  }
}

/// Matrix products one by one, in the elements' own precision.
private struct MatrixProducts: NumericBody {
  let a: Tensor
  let b: Tensor
  let batch: Int
  let rows: Int
  let inner: Int
  let columns: Int
  let shape: Shape
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    a.withElements(of: Element.self) { a in
      b.withElements(of: Element.self) { b in
        call.output(shape, of: Element.self) { target in
          target.initialize(repeating: 0)
          guard let x = a.baseAddress, let w = b.baseAddress, let y = target.baseAddress else {
            return
          }
          parallelFor(batch * rows) { row in
            let weights = w + row / rows * inner * columns
            let result = y + row * columns
            for k in 0..<inner {
              let factor = x[row * inner + k]
              let weightRow = weights + k * columns
              for j in 0..<columns {
                result[j] = result[j].adding(factor.multiplying(weightRow[j]))
              }
            }
          }
        }
      }
    }
  }
}

/// By elimination with partial pivoting, in double precision.
private func determinant(_ op: Determinant, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let shape = try call.outputShape(of: op)
  let n = x.shape[-1]
  let numbers = try Casting.cast(x, to: .float64, call).elements(of: Double.self)
  let determinants = (0..<shape.count).map { matrix in
    eliminate(Array(numbers[matrix * n * n..<(matrix + 1) * n * n]), n)
  }
  return try Casting.cast(Tensor(determinants, shape: shape), to: x.elementType, call)
}

private func eliminate(_ matrix: [Double], _ n: Int) -> Double {
  var m = matrix
  var determinant = 1.0
  for column in 0..<n {
    let pivot = (column..<n).max { m[$0 * n + column].magnitude < m[$1 * n + column].magnitude }!
    guard m[pivot * n + column] != 0 else { return 0 }
    if pivot != column {
      for k in 0..<n { m.swapAt(pivot * n + k, column * n + k) }
      determinant = -determinant
    }
    determinant *= m[column * n + column]
    for row in (column + 1)..<max(n, column + 1) {
      let factor = m[row * n + column] / m[column * n + column]
      for k in column..<n { m[row * n + k] -= factor * m[column * n + k] }
    }
  }
  return determinant
}
