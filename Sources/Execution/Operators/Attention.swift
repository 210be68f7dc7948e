import Foundation
import Graphs
import Tensors

/// The functions of the operators that transformers are made of.
let attentionFunctions: [OperatorFunction] = [
  OperatorFunction(Attention.self, attention),
  OperatorFunction(RotaryEmbedding.self, single: rotaryEmbedding),
]

private func attention(_ op: Attention, _ call: OperatorCall) throws -> [Tensor] {
  let types = try call.outputTypes(of: op)
  try call.floats(0, 1, 2, 4, 5)
  let run = try AttentionRun(op, call)
  return try run.outputs(
    shapes: types.map { type in
      guard let shape = type.shape else {
        throw ExecutionError(.invalidValue, "the result would be \(type), which is no shape")
      }
      return shape
    })
}

/// One run of attention in float32.
private struct AttentionRun {
  let op: Attention
  let call: OperatorCall
  /// `[batch, heads, time, size]`; keys and values with the past ones first.
  let q, k, v: Tensor
  let mask: AttentionMask

  init(_ op: Attention, _ call: OperatorCall) throws {
    self.op = op
    self.call = call
    let x = try call.input(0)
    q = byHead(x, op.queryHeads)
    k = joined(call[4], byHead(try call.input(1), op.keyHeads))
    v = joined(call[5], byHead(try call.input(2), op.keyHeads))
    mask = try AttentionMask(op, call, q: q.shape, keys: k.shape[2])
  }

  private var batch: Int { q.shape[0] }
  private var heads: Int { q.shape[1] }
  private var queries: Int { q.shape[2] }
  private var keys: Int { k.shape[2] }

  func outputs(shapes: [Shape]) throws -> [Tensor] {
    let (size, valueSize) = (q.shape[3], v.shape[3])
    let share = heads / max(k.shape[1], 1)
    var products = [Float](repeating: 0, count: batch * heads * queries * keys)
    let y = products.withUnsafeMutableBufferPointer { products in
      q.withElements(of: Float.self) { q in
        k.withElements(of: Float.self) { k in
          v.withElements(of: Float.self) { v in
            call.output(Shape([batch, heads, queries, valueSize]), of: Float.self) { y in
              guard y.count > 0, let products = products.baseAddress else {
                return y.update(repeating: 0)
              }
              parallelFor(batch * heads) { index in
                let shared = index / share
                head(
                  index, q: q.baseAddress! + index * queries * size,
                  k: k.baseAddress! + shared * keys * size,
                  v: v.baseAddress! + shared * keys * valueSize,
                  products: products + index * queries * keys,
                  y: y.baseAddress! + index * queries * valueSize)
              }
            }
          }
        }
      }
    }
    let isFlat = try call.input(0).shape.rank == 3
    let result = isFlat ? withHeadsInside(y).reshaped(to: shapes[0]) : y
    let all = [result, k, v, Tensor(products, shape: shapes[3])]
    return Array(all.prefix(call.outputCount))
  }

  /// One head; `products` end as the stage that the fourth output asks for.
  private func head(
    _ index: Int, q: UnsafePointer<Float>, k: UnsafePointer<Float>, v: UnsafePointer<Float>,
    products: UnsafeMutablePointer<Float>, y: UnsafeMutablePointer<Float>
  ) {
    let (size, valueSize, count) = (self.q.shape[3], self.v.shape[3], queries * keys)
    let root = (op.scale ?? 1 / Float(size).squareRoot()).squareRoot()
    MatrixProduct.withScratch(queries * size + keys * size + 2 * count) { scratch in
      let (left, right) = (scratch, scratch + queries * size)
      let scores = right + keys * size
      for i in 0..<(queries * size) { left[i] = q[i] * root }
      for i in 0..<(keys * size) { right[i] = k[i] * root }
      MatrixProduct.multiply(
        .init(elements: left), .init(elements: right, isTransposed: true), rows: queries,
        inner: size, columns: keys, into: products)
      func keep(_ stage: Attention.ProductsOutput) {
        if op.productsOutput == stage { products.update(from: scores, count: count) }
      }
      scores.update(from: products, count: count)
      if op.softcap > 0 {
        for i in 0..<count { scores[i] = op.softcap * tanh(scores[i] / op.softcap) }
      }
      keep(.capped)
      for query in 0..<queries {
        mask.apply(to: scores + query * keys, head: index, query: query)
      }
      keep(.masked)
      for query in 0..<queries { softmax(scores + query * keys) }
      keep(.softmax)
      MatrixProduct.multiply(
        .init(elements: scores), .init(elements: v), rows: queries, inner: keys,
        columns: valueSize, into: y)
    }
  }

  /// A row without any key becomes zeros.
  private func softmax(_ row: UnsafeMutablePointer<Float>) {
    if (0..<keys).allSatisfy({ row[$0] == -.infinity }) {
      row.update(repeating: 0, count: keys)
    } else {
      Kernels.softmax(row, row, rows: 1, count: keys)
    }
  }
}

/// What is added to the products of queries and keys.
private struct AttentionMask {
  private let added: [Float]?
  /// The mask's shape, four axes, and its strides, 0 where it is repeated.
  private let strides: [Int]
  private let columns: Int
  private let heads, keys: Int
  private let isCausal: Bool
  private let before, after: Int?
  /// For each sample how many keys come before the first query, and how many are valid.
  private let offsets, valid: [Int]

  init(_ op: Attention, _ call: OperatorCall, q: Shape, keys: Int) throws {
    (heads, self.keys) = (q[1], keys)
    isCausal = op.isCausal
    (before, after) = (op.windowBefore, op.windowAfter)
    let past = call[4]?.shape[2] ?? 0
    if let counts = try call.integers(6) {
      guard counts.count == q[0], counts.allSatisfy({ 0...keys ~= $0 }) else {
        throw ExecutionError(
          .invalidInput, "valid keys are \(counts); must be \(q[0]) numbers of 0 to \(keys)")
      }
      valid = counts
      offsets = counts.map { $0 - q[2] }
    } else {
      valid = [Int](repeating: keys, count: q[0])
      offsets = [Int](repeating: past, count: q[0])
    }
    guard let mask = call[3] else {
      (added, strides, columns) = (nil, [], 0)
      return
    }
    let lengths = [Int](repeating: 1, count: max(4 - mask.shape.rank, 0)) + mask.shape.dimensions
    guard mask.shape.rank > 0, lengths.count == 4, lengths[3] <= keys,
      (0..<3).allSatisfy({ lengths[$0] == 1 || lengths[$0] == q[$0] })
    else {
      throw ExecutionError(
        .invalidInput,
        "the mask is \(mask); must be broadcast to \(q[0]) × \(q[1]) × \(q[2]) × \(keys)")
    }
    columns = lengths[3]
    strides = zip(lengths, Shape(lengths).strides).map { $0 == 1 ? 0 : $1 }
    switch mask.elementType {
    case .bool: added = mask.integers().map { $0 == 0 ? -Float.infinity : 0 }
    case .float32: added = mask.elements(of: Float.self)
    default:
      throw ExecutionError(.invalidInput, "the mask is \(mask); must be bool or float32")
    }
  }

  /// Adds the mask to the scores of one query of one head of one sample.
  func apply(to row: UnsafeMutablePointer<Float>, head index: Int, query: Int) {
    let (sample, head) = (index / heads, index % heads)
    let place = query + offsets[sample]
    var first = 0
    var end = valid[sample]
    if let before { first = max(first, place - before) }
    if isCausal { end = min(end, place + 1) }
    if let after { end = min(end, place + after + 1) }
    if added != nil { end = min(end, columns) }
    for key in 0..<keys {
      guard key >= first, key < end else {
        row[key] = -.infinity
        continue
      }
      guard let added else { continue }
      let step = columns == 1 ? 0 : key
      let value =
        added[sample * strides[0] + head * strides[1] + query * strides[2] + step]
      // A key that is masked plays no role, whatever its score.
      row[key] = value == -.infinity ? value : row[key] + value
    }
  }
}

// MARK: - Layout

/// `[batch, time, heads · size]` as `[batch, heads, time, size]`; four axes as they are.
private func byHead(_ x: Tensor, _ heads: Int?) -> Tensor {
  guard x.shape.rank == 3, let heads else { return x }
  let size = x.shape[2] / heads
  return swappedMiddle(x, [x.shape[0], x.shape[1], heads, size])
}

/// `[batch, heads, time, size]` as `[batch, time, heads, size]`.
private func withHeadsInside(_ x: Tensor) -> Tensor { swappedMiddle(x, x.shape.dimensions) }

private func swappedMiddle(_ x: Tensor, _ lengths: [Int]) -> Tensor {
  let (a, b, c, size) = (lengths[0], lengths[1], lengths[2], lengths[3])
  return x.withElements(of: Float.self) { x in
    Tensor([a, c, b, size], of: Float.self) { y in
      guard let from = x.baseAddress, let to = y.baseAddress else { return }
      for i in 0..<(a * b * c) {
        let (outer, middle, inner) = (i / (b * c), i / c % b, i % c)
        (to + ((outer * c + inner) * b + middle) * size).update(from: from + i * size, count: size)
      }
    }
  }
}

/// Past keys or values, then new ones, along the time.
private func joined(_ past: Tensor?, _ new: Tensor) -> Tensor {
  guard let past else { return new }
  let sizes = (past.shape[2] * past.shape[3], new.shape[2] * new.shape[3])
  let shape = Shape([new.shape[0], new.shape[1], past.shape[2] + new.shape[2], new.shape[3]])
  return past.withElements(of: Float.self) { past in
    new.withElements(of: Float.self) { new in
      Tensor(shape, of: Float.self) { y in
        guard let y = y.baseAddress else { return }
        for index in 0..<(shape[0] * shape[1]) {
          let target = y + index * (sizes.0 + sizes.1)
          target.update(from: past.baseAddress! + index * sizes.0, count: sizes.0)
          (target + sizes.0).update(from: new.baseAddress! + index * sizes.1, count: sizes.1)
        }
      }
    }
  }
}

// MARK: - Rotation

private func rotaryEmbedding(_ op: RotaryEmbedding, _ call: OperatorCall) throws -> Tensor {
  _ = try call.outputTypes(of: op)
  try call.floats(0, 1, 2)
  let input = try call.input(0)
  if input.count == 0 { return input }
  let isFlat = input.shape.rank == 3
  if let heads = op.heads, isFlat, input.shape[2] % heads != 0 {
    throw ExecutionError(.invalidInput, "\(heads) heads do not divide \(input)")
  }
  // [batch, heads, time, size], or [batch, time, heads, size] where flat.
  let lengths =
    isFlat
    ? [input.shape[0], input.shape[1], op.heads ?? 1, input.shape[2] / (op.heads ?? 1)]
    : input.shape.dimensions
  let (batch, size) = (lengths[0], lengths[3])
  let time = isFlat ? lengths[1] : lengths[2]
  let rotated = op.rotatedSize == 0 ? size : op.rotatedSize
  let angles = try RotationAngles(op, call, batch: batch, time: time, pairs: rotated / 2)
  guard rotated <= size, rotated % 2 == 0 else {
    throw ExecutionError(
      .invalidInput, "\(rotated) of \(size) numbers can't be rotated in pairs")
  }
  var result = input
  result.withMutableElements(of: Float.self) { y in
    for token in 0..<(size == 0 ? 0 : y.count / size) {
      let sample = token / (lengths[1] * lengths[2])
      let step = isFlat ? token / lengths[2] % lengths[1] : token % lengths[2]
      let first = angles.starts[sample * time + step]
      for pair in 0..<(rotated / 2) {
        let a = token * size + (op.isInterleaved ? 2 * pair : pair)
        let b = op.isInterleaved ? a + 1 : a + rotated / 2
        let (cosine, sine) = (angles.cosines[first + pair], angles.sines[first + pair])
        (y[a], y[b]) = (cosine * y[a] - sine * y[b], sine * y[a] + cosine * y[b])
      }
    }
  }
  return result
}

/// The cosines and sines of each token's angles.
private struct RotationAngles {
  let cosines, sines: [Float]
  /// Where each token's angles begin, `[batch, time]`.
  let starts: [Int]

  init(
    _ op: RotaryEmbedding, _ call: OperatorCall, batch: Int, time: Int, pairs: Int
  ) throws {
    let cosine = try call.input(1)
    let sine = try call.input(2)
    let positions = try call.integers(3)
    let rows = positions == nil ? [batch, time, pairs] : [cosine.shape[0], pairs]
    guard cosine.shape == Shape(rows), sine.shape == cosine.shape else {
      throw ExecutionError(
        .invalidInput, "cosines are \(cosine), sines \(sine); must be of shape \(Shape(rows))")
    }
    cosines = cosine.elements(of: Float.self)
    sines = sine.elements(of: Float.self)
    guard let positions else {
      starts = (0..<(batch * time)).map { $0 * pairs }
      return
    }
    guard positions.count == batch * time, positions.allSatisfy({ 0..<cosine.shape[0] ~= $0 })
    else {
      throw ExecutionError(
        .invalidInput,
        "positions must be \(batch) × \(time) numbers of 0 to \(cosine.shape[0] - 1)")
    }
    starts = positions.map { $0 * pairs }
  }
}
