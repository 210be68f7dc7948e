import Foundation
import Graphs
import Tensors

/// The functions of the matrix products and convolutions of codes.
let quantizedProductFunctions: [OperatorFunction] = [
  OperatorFunction(QLinearConv.self, single: quantizedConvolution),
  OperatorFunction(QLinearMatMul.self, single: quantizedProduct),
  OperatorFunction(QGemm.self, single: quantizedGemm),
  OperatorFunction(DynamicQuantizeMatMul.self, single: dynamicProduct),
  OperatorFunction(MatMulIntegerToFloat.self, single: productToFloat),
  OperatorFunction(QAttention.self, single: quantizedAttention),
]

extension OperatorCall {
  /// `a × b / result` for each scale of b, in float32 from left to right.
  fileprivate func multipliers(a: Float, b: Int, result: Float? = nil) throws -> [Float] {
    try scales(b).map { scale in
      let product = a * scale
      return result.map { product / $0 } ?? product
    }
  }
}

/// Checks that there is one multiplier, or one for each of `count`.
private func check(_ multipliers: [Float], count: Int) throws {
  guard multipliers.count == 1 || multipliers.count == count else {
    throw ExecutionError(
      .invalidInput, "\(multipliers.count) scales for \(count) outputs; must be as many, or one")
  }
}

private func quantizedConvolution(_ op: QLinearConv, _ call: OperatorCall) throws -> Tensor {
  let shape = try call.outputShape(of: op)
  let inner = shape.count(in: 2..<shape.rank)
  var sums = try Requantization.run(
    op.sums, [try call.input(0), try call.input(3), call[2], call[5]], call)
  if let bias = try call.integers(8), inner > 0 {
    sums = Requantization.adding(bias, inner: inner, to: sums, call)
  }
  let multipliers = try call.multipliers(
    a: try call.scale(1), b: 4, result: try call.scale(6))
  try check(multipliers, count: shape[1])
  return try Requantization.codes(
    sums, multipliers: multipliers, inner: inner, zeroPoint: try call.zeroPoint(7),
    to: try call.input(7).elementType, call)
}

private func quantizedProduct(_ op: QLinearMatMul, _ call: OperatorCall) throws -> Tensor {
  let (a, b) = (try call.input(0), try call.input(3))
  _ = try call.outputShape(of: op)
  let sums = try Requantization.sums(a, b, zeroPoints: (call[2], call[5]), call)
  let multipliers = try call.multipliers(
    a: try call.scale(1), b: 4, result: try call.scale(6))
  try check(multipliers, count: b.shape.rank > 1 ? b.shape[-1] : 1)
  return try Requantization.codes(
    sums, multipliers: multipliers, inner: 1, zeroPoint: try call.zeroPoint(7),
    to: try call.input(7).elementType, call)
}

private func quantizedGemm(_ op: QGemm, _ call: OperatorCall) throws -> Tensor {
  let shape = try call.outputShape(of: op)
  let a = try op.transposesA ? transposed(call.input(0), call) : call.input(0)
  let b = try op.transposesB ? transposed(call.input(3), call) : call.input(3)
  var sums = try Requantization.sums(a, b, zeroPoints: (call[2], call[5]), call)
  if let c = call[6], sums.count > 0 {
    let bias = try Requantization.run(
      Expand.plain(), [c, Tensor(shape.dimensions.map { Int64($0) })], call)
    sums = Requantization.adding(bias.integers(), inner: 1, to: sums, call)
  }
  let multipliers = try call.multipliers(
    a: op.alpha * (try call.scale(1)), b: 4, result: call.has(7) ? try call.scale(7) : nil)
  try check(multipliers, count: shape[1])
  guard call.has(7) else {
    return Requantization.numbers(sums, multipliers: multipliers, inner: 1, call)
  }
  return try Requantization.codes(
    sums, multipliers: multipliers, inner: 1, zeroPoint: try call.zeroPoint(8),
    to: try call.input(8).elementType, call)
}

extension Expand {
  /// The operator, which has no settings.
  static func plain() throws -> Expand {
    var reader = AttributeReader([:], opset: 13)
    return try Expand(&reader)
  }
}

private func transposed(_ x: Tensor, _ call: OperatorCall) throws -> Tensor {
  try StridedCopy.view(of: x, [x.shape[1], x.shape[0]], strides: [1, x.shape[1]], call)
}

private func dynamicProduct(_ op: DynamicQuantizeMatMul, _ call: OperatorCall) throws -> Tensor {
  let b = try call.input(1)
  _ = try call.outputShape(of: op)
  let (codes, scale, zero) = try dynamicallyQuantized(try call.input(0), call)
  let sums = try Requantization.sums(
    codes, b, zeroPoints: (Tensor(scalar: UInt8(zero)), call[3]), call)
  return try numbers(sums, try call.multipliers(a: scale, b: 2), bias: 4, columns: b, call)
}

private func productToFloat(_ op: MatMulIntegerToFloat, _ call: OperatorCall) throws -> Tensor {
  let b = try call.input(1)
  _ = try call.outputShape(of: op)
  let sums = try Requantization.sums(
    try call.input(0), b, zeroPoints: (call[4], call[5]), call)
  return try numbers(
    sums, try call.multipliers(a: try call.scale(2), b: 3), bias: 6, columns: b, call)
}

/// Sums times multipliers, plus a bias where the call has one.
private func numbers(
  _ sums: Tensor, _ multipliers: [Float], bias index: Int, columns b: Tensor, _ call: OperatorCall
) throws -> Tensor {
  let columns = b.shape.rank > 1 ? b.shape[-1] : 1
  try check(multipliers, count: columns)
  var result = Requantization.numbers(sums, multipliers: multipliers, inner: 1, call)
  guard call.has(index), result.count > 0 else { return result }
  let bias = try call.scales(index)
  try check(bias, count: columns)
  result.withMutableElements(of: Float.self) { values in
    for i in values.indices { values[i] += bias[i % bias.count] }
  }
  return result
}

// MARK: - Attention

private func quantizedAttention(_ op: QAttention, _ call: OperatorCall) throws -> Tensor {
  let (x, w) = (try call.input(0), try call.input(1))
  let shape = try call.outputShape(of: op)
  let sums = try Requantization.sums(x, w, zeroPoints: (call[6], call[7]), call)
  let projected = try numbers(
    sums, try call.multipliers(a: try call.scale(3), b: 4), bias: 2, columns: w, call)
  let mask = try op.mask(call[5], batch: shape[0], length: shape[1])
  let head = shape[2] / op.headCount
  let scale = op.scale ?? 1 / Float(head).squareRoot()
  return projected.withElements(of: Float.self) { source in
    call.output(shape, of: Float.self) { target in
      guard shape.count > 0, let to = target.baseAddress else { return }
      let attention = Attention(
        projections: source, length: shape[1], hidden: shape[2], head: head, scale: scale)
      parallelFor(shape[0] * op.headCount) { index in
        attention.run(
          batch: index / op.headCount, first: index % op.headCount * head, op, mask, to)
      }
    }
  }
}

extension QAttention {
  /// Which positions of each sequence may be seen; nil where all may.
  fileprivate func mask(_ mask: Tensor?, batch: Int, length: Int) throws -> [Bool]? {
    guard let mask else { return nil }
    guard mask.elementType == .int32 else {
      throw ExecutionError(.invalidInput, "the mask is \(mask); must be int32")
    }
    let values = mask.integers()
    if mask.shape == [batch] {
      return values.flatMap { end in (0..<length).map { $0 < end } }
    }
    guard mask.shape == [batch, length] else {
      throw ExecutionError(
        .unsupported, "the mask is \(mask); only [\(batch)] and [\(batch), \(length)] are supported"
      )
    }
    return values.map { $0 != 0 }
  }
}

/// Softmax of scaled products of queries and keys, times values, of one head.
private struct Attention {
  /// [batch, length, 3, hidden]: queries, keys, values.
  let projections: UnsafeBufferPointer<Float>
  let length: Int
  let hidden: Int
  let head: Int
  let scale: Float

  private func row(_ batch: Int, _ position: Int, _ kind: Int, _ first: Int) -> Int {
    ((batch * length + position) * 3 + kind) * hidden + first
  }

  func run(
    batch: Int, first: Int, _ op: QAttention, _ mask: [Bool]?,
    _ target: UnsafeMutablePointer<Float>
  ) {
    for position in 0..<length {
      let query = row(batch, position, 0, first)
      var weights = (0..<length).map { other -> Double in
        let key = row(batch, other, 1, first)
        var score = 0.0
        for i in 0..<head { score += Double(projections[query + i] * projections[key + i]) }
        let isHidden = (op.isCausal && other > position) || mask?[batch * length + other] == false
        return score * Double(scale) + (isHidden ? Double(op.maskValue) : 0)
      }
      let greatest = weights.max() ?? 0
      var sum = 0.0
      for other in weights.indices {
        weights[other] = exp(weights[other] - greatest)
        sum += weights[other]
      }
      for i in 0..<head {
        var value = 0.0
        for other in 0..<length {
          value += weights[other] * Double(projections[row(batch, other, 2, first) + i])
        }
        target[(batch * length + position) * hidden + first + i] = Float(value / sum)
      }
    }
  }
}
