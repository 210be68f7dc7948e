import Graphs
import Tensors

/// The functions of the operators whose result is as long as the data says.
let selectingFunctions: [OperatorFunction] = [
  OperatorFunction(NonZero.self, single: nonZero).widening(),
  OperatorFunction(Unique.self, unique),
  OperatorFunction(NonMaxSuppression.self, single: nonMaxSuppression),
]

private func nonZero(_ op: NonZero, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let truth = try Casting.cast(x, to: .bool, call).reinterpreted(as: .uint8)
  let found = truth.withElements(of: UInt8.self) { bytes in
    bytes.indices.filter { bytes[$0] != 0 }
  }
  let strides = x.shape.strides
  var result: [Int64] = []
  result.reserveCapacity(found.count * x.shape.rank)
  for axis in 0..<x.shape.rank {
    for place in found { result.append(Int64(place / strides[axis] % x.shape[axis])) }
  }
  return Tensor(result, shape: [x.shape.rank, found.count])
}

private func unique(_ op: Unique, _ call: OperatorCall) throws -> [Tensor] {
  var x = try call.input(0)
  _ = try call.outputTypes(of: op)
  if op.axis == nil { x = x.reshaped(to: [x.count]) }
  let axis = try ShapeRules.axis(op.axis ?? 0, rank: x.shape.rank)
  let order = [axis] + x.shape.dimensions.indices.filter { $0 != axis }
  let strides = x.shape.strides
  let rows = try StridedCopy.view(
    of: x.elementType == .bool ? x.reinterpreted(as: .uint8) : x,
    Shape(order.map { x.shape[$0] }), strides: order.map { strides[$0] }, call)
  let grouped = try withNumericType(
    rows.elementType, Grouping(rows: rows, isSorted: op.isSorted))
  var lengths = x.shape.dimensions
  lengths[axis] = grouped.firsts.count
  let values = try Gathering.slices(
    of: x, axis: axis, at: grouped.firsts, Shape(lengths), call)
  let lists = [grouped.firsts, grouped.groups, grouped.counts]
  return ([values] + lists.map { Tensor($0.map { Int64($0) }) }).prefix(call.outputCount)
    .map { $0 }
}

/// Equal rows put together.
private struct Grouping: NumericBody {
  let rows: Tensor
  let isSorted: Bool

  /// The first row of each group, the group of each row, the size of each group.
  typealias Result = (firsts: [Int], groups: [Int], counts: [Int])

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Result {
    let count = rows.shape[0]
    let length = rows.shape.count(in: 1..<rows.shape.rank)
    return rows.withElements(of: Element.self) { elements in
      let compare = { (a: Int, b: Int) -> Int in
        for column in 0..<length {
          let (x, y) = (elements[a * length + column], elements[b * length + column])
          if x < y { return -1 }
          if x > y { return 1 }
          if (x != x) != (y != y) { return x != x ? 1 : -1 }
        }
        return 0
      }
      let order = (0..<count).sorted { a, b in
        let sign = compare(a, b)
        return sign < 0 || (sign == 0 && a < b)
      }
      var groups: [[Int]] = []
      for row in order {
        if let last = groups.last, compare(last[0], row) == 0 {
          groups[groups.count - 1].append(row)
        } else {
          groups.append([row])
        }
      }
      if !isSorted { groups.sort { $0[0] < $1[0] } }
      var groupOfRow = [Int](repeating: 0, count: count)
      for (group, members) in groups.enumerated() {
        for row in members { groupOfRow[row] = group }
      }
      return (groups.map { $0[0] }, groupOfRow, groups.map(\.count))
    }
  }
}

// MARK: - Boxes

private func nonMaxSuppression(_ op: NonMaxSuppression, _ call: OperatorCall) throws -> Tensor {
  let (boxes, scores) = (try call.input(0), try call.input(1))
  _ = try call.outputTypes(of: op)
  let limit = try call[2].map { Int(exactly: try $0.firstNumber()) ?? Int.max } ?? 0
  let overlap = try call[3].map { Float(try $0.firstNumber()) } ?? 0
  let least = try call[4].map { Float(try $0.firstNumber()) }
  let count = boxes.shape[1]
  let corners = boxes.elements(of: Float.self)
  let values = scores.elements(of: Float.self)
  var result: [Int64] = []
  for batch in 0..<scores.shape[0] {
    let all = (0..<count).map { box in
      Box(corners[(batch * count + box) * 4..<(batch * count + box + 1) * 4], op.areCentered)
    }
    for kind in 0..<scores.shape[1] {
      let first = (batch * scores.shape[1] + kind) * count
      let candidates = (0..<count).filter { box in
        least.map { values[first + box] > $0 } ?? true
      }.sorted { a, b in
        let (x, y) = (values[first + a], values[first + b])
        return x > y || (!(x < y) && a < b)
      }
      var kept: [Int] = []
      for box in candidates where kept.count < limit {
        if kept.allSatisfy({ all[$0].overlap(with: all[box]) <= overlap }) { kept.append(box) }
      }
      for box in kept { result += [Int64(batch), Int64(kind), Int64(box)] }
    }
  }
  return Tensor(result, shape: [result.count / 3, 3])
}

private struct Box {
  var top, left, bottom, right: Float

  init(_ numbers: ArraySlice<Float>, _ isCentered: Bool) {
    let n = Array(numbers)
    if isCentered {
      left = n[0] - n[2] / 2
      right = n[0] + n[2] / 2
      top = n[1] - n[3] / 2
      bottom = n[1] + n[3] / 2
    } else {
      top = min(n[0], n[2])
      bottom = max(n[0], n[2])
      left = min(n[1], n[3])
      right = max(n[1], n[3])
    }
  }

  var area: Float { (bottom - top) * (right - left) }

  /// Intersection over union.
  func overlap(with other: Box) -> Float {
    let height = max(0, min(bottom, other.bottom) - max(top, other.top))
    let width = max(0, min(right, other.right) - max(left, other.left))
    let common = height * width
    let union = area + other.area - common
    return area > 0 && other.area > 0 && union > 0 ? common / union : 0
  }
}
