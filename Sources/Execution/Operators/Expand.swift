import Graphs
import Tensors

/// The functions of the operators that repeat elements or make them up.
let generatingFunctions: [OperatorFunction] = [
  OperatorFunction(Expand.self, single: expand), OperatorFunction(Tile.self, single: tile),
  OperatorFunction(NumberRange.self, single: numberRange),
  OperatorFunction(ConstantOfShape.self, single: constantOfShape),
  OperatorFunction(EyeLike.self, single: eyeLike), OperatorFunction(OneHot.self, single: oneHot),
  OperatorFunction(Constant.self, single: { op, _ in op.value }),
  OperatorFunction(
    ShapeOf.self,
    single: { op, call in
      let shape = try call.input(0).shape
      return Tensor(shape.dimensions[op.axes(rank: shape.rank)].map { Int64($0) })
    }),
  OperatorFunction(
    Size.self,
    single: { _, call in
      Tensor(scalar: Int64(try call.input(0).count))
    }),
]

private func expand(_ op: Expand, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let shape = try call.outputShape(of: op)
  if shape == x.shape { return x }
  let strides = zip(x.shape.dimensions, x.shape.strides).map { $0 == 1 ? 0 : $1 }
  let added = [Int](repeating: 0, count: shape.rank - x.shape.rank)
  return try StridedCopy.view(of: x, shape, strides: added + strides, call)
}

private func tile(_ op: Tile, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let shape = try call.outputShape(of: op)
  let repeats = try call.integers(1) ?? []
  let axes = zip(repeats, x.shape.dimensions).flatMap { [$0, $1] }
  return try StridedCopy.view(
    of: x, shape, axes: axes, strides: x.shape.strides.flatMap { [0, $0] }, call)
}

private func numberRange(_ op: NumberRange, _ call: OperatorCall) throws -> Tensor {
  let shape = try call.outputShape(of: op)
  let (start, step) = (try call.input(0), try call.input(2))
  switch start.elementType {
  case .float32:
    let (start, step) = (start.elements(of: Float.self)[0], step.elements(of: Float.self)[0])
    return call.output(shape, of: Float.self) { target in
      for i in target.indices { target[i] = start + Float(i) * step }
    }
  case .float64:
    let (start, step) = (start.elements(of: Double.self)[0], step.elements(of: Double.self)[0])
    return call.output(shape, of: Double.self) { target in
      for i in target.indices { target[i] = start + Double(i) * step }
    }
  default:
    let (first, step) = (start.integers()[0], step.integers()[0])
    return try withNumericType(
      start.elementType, Progression(shape: shape, first: first, step: step, call: call))
  }
}

/// The numbers `first + i × step`.
private struct Progression: NumericBody {
  let shape: Shape
  let first: Int
  let step: Int
  let call: OperatorCall

  func run<Element: NumericElement>(_ type: Element.Type) throws -> Tensor {
    call.output(shape, of: Element.self) { target in
      var value = first
      for i in target.indices {
        target[i] = Element(exactly: value) ?? 0
        value &+= step
      }
    }
  }
}

private func constantOfShape(_ op: ConstantOfShape, _ call: OperatorCall) throws -> Tensor {
  let shape = try call.outputShape(of: op)
  let value = op.value.bitPatterns
  return call.output(shape, value.elementType) { $0.fill(with: value) }
    .asElements(of: op.value.elementType)
}

private func eyeLike(_ op: EyeLike, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let shape = try call.outputShape(of: op)
  let elementType = op.outputType ?? x.elementType
  let eye = call.output(shape, of: Float.self) { target in
    target.initialize(repeating: 0)
    guard op.diagonal > -shape[0], op.diagonal < shape[1] else { return }
    for row in max(0, -op.diagonal)..<shape[0] where row + op.diagonal < shape[1] {
      target[row * shape[1] + row + op.diagonal] = 1
    }
  }
  return try Casting.cast(eye, to: elementType, call)
}

private func oneHot(_ op: OneHot, _ call: OperatorCall) throws -> Tensor {
  let indices = try call.input(0)
  let shape = try call.outputShape(of: op)
  let values = try call.input(2)
  let patterns = values.bitPatterns
  let axis = try ShapeRules.axis(op.axis, rank: shape.rank)
  let depth = shape[axis]
  let inner = shape.count(in: (axis + 1)..<shape.rank)
  let numbers =
    try Casting.cast(indices, to: .int64, call).elements(of: Int64.self)
  let width = patterns.elementType.bitWidth / 8
  let result = call.output(shape, patterns.elementType) { bytes in
    bytes.fill(with: patterns)
    guard let target = bytes.baseAddress, inner > 0 else { return }
    patterns.withUnsafeBytes { values in
      for (position, number) in numbers.enumerated() {
        let index = number < 0 ? number + Int64(depth) : number
        guard index >= 0, index < Int64(depth) else { continue }
        let row = position / inner * depth + Int(index)
        (target + (row * inner + position % inner) * width).copyMemory(
          from: values.baseAddress! + width, byteCount: width)
      }
    }
  }
  return result.asElements(of: values.elementType)
}
