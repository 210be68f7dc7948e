import Graphs
import Tensors

/// The functions of the operators that put elements into another order of axes.
let transposingFunctions: [OperatorFunction] = [
  OperatorFunction(Transpose.self, single: transpose),
  OperatorFunction(DepthToSpace.self, single: depthToSpace),
  OperatorFunction(SpaceToDepth.self, single: spaceToDepth),
]

private func transpose(_ op: Transpose, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let shape = try call.outputShape(of: op)
  let order = try op.order(rank: x.shape.rank)
  let moved = order.filter { x.shape[$0] != 1 }
  if moved == moved.sorted() { return x.reshaped(to: shape) }
  let strides = x.shape.strides
  return try StridedCopy.view(of: x, shape, strides: order.map { strides[$0] }, call)
}

private func depthToSpace(_ op: DepthToSpace, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let shape = try call.outputShape(of: op)
  let b = op.blockSize
  let (n, c, h, w) = (x.shape[0], shape[1], x.shape[2], x.shape[3])
  let s = x.shape.strides
  // Result axes: image, channel, row, row in the block, column, column in the block.
  let channel = op.mode == .depthColumnRow ? s[1] : s[1] * b * b
  let row = op.mode == .depthColumnRow ? s[1] * c * b : s[1] * b
  let column = op.mode == .depthColumnRow ? s[1] * c : s[1]
  return try StridedCopy.view(
    of: x, shape, axes: [n, c, h, b, w, b], strides: [s[0], channel, s[2], row, s[3], column], call)
}

private func spaceToDepth(_ op: SpaceToDepth, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let shape = try call.outputShape(of: op)
  let b = op.blockSize
  let s = x.shape.strides
  // Result axes: image, row in the block, column in the block, channel, row, column.
  return try StridedCopy.view(
    of: x, shape, axes: [shape[0], b, b, x.shape[1], shape[2], shape[3]],
    strides: [s[0], s[2], s[3], s[1], s[2] * b, s[3] * b], call)
}
