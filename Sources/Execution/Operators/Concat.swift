import Graphs
import Tensors

/// The functions of the operators that put tensors together and take them apart.
let joiningFunctions: [OperatorFunction] = [
  OperatorFunction(
    Concat.self,
    single: { op, call in
      try Joining.concat(
        try call.inputs.indices.map { try call.input($0) }, axis: op.axis,
        shape: try call.outputShape(of: op), call)
    }),
  OperatorFunction(Split.self, split),
]

enum Joining {
  /// Tensors of one element type one behind the other along an axis, as the shape rule of `Concat` allows.
  static func concat(
    _ parts: [Tensor], axis: Int, shape: Shape, _ call: OperatorCall
  ) throws -> Tensor {
    let elementType = parts[0].elementType
    if parts.count == 1 { return parts[0] }
    let patterns = parts.map { elementType.bitWidth < 8 ? $0.unpacked() : $0 }
    let axis = try ShapeRules.axis(axis, rank: shape.rank)
    let outer = shape.count(in: 0..<axis)
    let inner = shape.count(in: (axis + 1)..<shape.rank)
    let row = shape[axis] * inner
    let result = try call.output(shape, patterns[0].elementType) { bytes in
      guard let target = bytes.baseAddress, shape.count > 0 else { return }
      var offset = 0
      for part in patterns {
        let length = part.shape[axis] * inner
        let copy = StridedCopy([outer, length], source: [length, 1], target: [row, 1])
        try copy.run(part, from: 0, to: target, at: offset)
        offset += length
      }
    }
    return elementType.bitWidth < 8 ? result.packed(as: elementType) : result
  }
}

private func split(_ op: Split, _ call: OperatorCall) throws -> [Tensor] {
  let x = try call.input(0)
  let axis = try ShapeRules.axis(op.axis, rank: x.shape.rank)
  let strides = x.shape.strides
  var start = 0
  return try call.outputTypes(of: op).map { type in
    guard let shape = type.shape else {
      throw ExecutionError(.invalidValue, "part \(type) has more elements than can be counted")
    }
    defer { start += shape[axis] }
    return try StridedCopy.view(
      of: x, shape, strides: strides, offset: start * strides[axis], call)
  }
}
