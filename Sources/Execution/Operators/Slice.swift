import Graphs
import Tensors

/// The functions of the operators that cut tensors out and fill them up.
let slicingFunctions: [OperatorFunction] = [
  OperatorFunction(Slice.self, single: slice), OperatorFunction(Pad.self, single: pad),
  OperatorFunction(CenterCropPad.self, single: centerCropPad),
  OperatorFunction(Trilu.self, single: trilu),
  OperatorFunction(ReverseSequence.self, single: reverseSequence),
  OperatorFunction(Compress.self, single: compress),
]

private func slice(_ op: Slice, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let shape = try call.outputShape(of: op)
  let runs = try op.runs(
    x.shape.dimensions, starts: call.integers(1) ?? [], ends: call.integers(2) ?? [],
    axes: call.integers(3), steps: call.integers(4))
  var strides = x.shape.strides
  var offset = 0
  for case (let axis, let run?) in runs {
    offset += run.start * strides[axis]
    strides[axis] *= run.step
  }
  if shape == x.shape, strides == x.shape.strides { return x }
  return try StridedCopy.view(of: x, shape, strides: strides, offset: offset, call)
}

// MARK: - Padding

private func pad(_ op: Pad, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let shape = try call.outputShape(of: op)
  let amounts = try op.amounts(
    call.integers(1) ?? [], axes: call.integers(3), rank: x.shape.rank)
  guard op.mode != .constant else {
    if let value = call[2], value.elementType != x.elementType {
      throw ExecutionError(
        .invalidInput, "the value to pad with is \(value); must be \(x.elementType)")
    }
    return try Padding.constant(
      x, shape, before: amounts.map(\.before), value: call[2].flatMap { $0.count > 0 ? $0 : nil },
      call)
  }
  let indices = try zip(x.shape.dimensions, amounts).map { length, amount in
    let cut = max(-amount.before, 0)
    let available = length - cut - max(-amount.behind, 0)
    let total = length + amount.before + amount.behind
    guard total == 0 || available > 0 else {
      throw ExecutionError(
        .invalidValue, "an axis of length \(length) has nothing to pad with; use mode constant")
    }
    return (0..<total).map { index in
      cut + op.mode.source(index - max(amount.before, 0), length: available)
    }
  }
  return try IndexedCopy.tensor(of: x, indices, call)
}

extension Pad.Mode {
  /// The index that stands in for one outside of `0..<length`.
  fileprivate func source(_ index: Int, length: Int) -> Int {
    switch self {
    case .edge: return min(max(index, 0), length - 1)
    case .wrap:
      let rest = index % length
      return rest < 0 ? rest + length : rest
    case .reflect, .constant:
      guard length > 1 else { return 0 }
      let period = 2 * (length - 1)
      let rest = (index % period + period) % period
      return rest < length ? rest : period - rest
    }
  }
}

enum Padding {
  /// `x` at `before` in a tensor that is `value` elsewhere, zero where there is none; negative positions cut.
  static func constant(
    _ x: Tensor, _ shape: Shape, before: [Int], value: Tensor?, _ call: OperatorCall
  ) throws -> Tensor {
    let source = x.bitPatterns
    let from = before.map { max(-$0, 0) }
    let to = before.map { max($0, 0) }
    let lengths = shape.dimensions.indices.map { axis in
      max(0, min(source.shape[axis] - from[axis], shape[axis] - to[axis]))
    }
    let (sourceStrides, strides) = (source.shape.strides, shape.strides)
    let copy = StridedCopy(lengths, source: sourceStrides, target: strides)
    let result = try call.output(shape, source.elementType) { bytes in
      guard let target = bytes.baseAddress else { return }
      bytes.fill(with: value?.bitPatterns)
      try copy.run(
        source, from: zip(from, sourceStrides).reduce(0) { $0 + $1.0 * $1.1 },
        to: target, at: zip(to, strides).reduce(0) { $0 + $1.0 * $1.1 })
    }
    return result.asElements(of: x.elementType)
  }
}

extension UnsafeMutableRawBufferPointer {
  /// Repeats the first element of a tensor, or zero.
  func fill(with value: Tensor?) {
    guard let value else {
      _ = initializeMemory(as: UInt8.self, repeating: 0)
      return
    }
    value.withUnsafeBytes { pattern in
      let width = value.elementType.bitWidth / 8
      switch width {
      case 1: _ = initializeMemory(as: UInt8.self, repeating: pattern[0])
      case 2:
        _ = initializeMemory(as: UInt16.self, repeating: pattern.loadUnaligned(as: UInt16.self))
      case 4:
        _ = initializeMemory(as: UInt32.self, repeating: pattern.loadUnaligned(as: UInt32.self))
      default:
        _ = initializeMemory(as: UInt64.self, repeating: pattern.loadUnaligned(as: UInt64.self))
      }
    }
  }
}

private func centerCropPad(_ op: CenterCropPad, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let shape = try call.outputShape(of: op)
  let before = zip(x.shape.dimensions, shape.dimensions).map { length, wanted in
    wanted >= length ? (wanted - length) / 2 : -((length - wanted) / 2)
  }
  return try Padding.constant(x, shape, before: before, value: nil, call)
}

// MARK: - Triangles, sequences

private func trilu(_ op: Trilu, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let source = x.bitPatterns
  let shape = try call.outputShape(of: op)
  let diagonal = try call[1].map { try $0.firstNumber() } ?? 0
  let width = source.elementType.bitWidth / 8
  let (rows, columns) = (shape[-2], shape[-1])
  let result = call.output(shape, source.elementType) { bytes in
    source.withUnsafeBytes { bytes.copyMemory(from: $0) }
    guard let start = bytes.baseAddress, shape.count > 0 else { return }
    for row in 0..<shape.count / columns {
      // The first column right of the diagonal's left neighbour, or right of the diagonal.
      let bound = Double(row % rows) + diagonal + (op.keepsUpper ? 0 : 1)
      let column = Int(min(max(bound, 0), Double(columns)))
      let zeros = op.keepsUpper ? 0..<column : column..<columns
      (start + (row * columns + zeros.lowerBound) * width).initializeMemory(
        as: UInt8.self, repeating: 0, count: zeros.count * width)
    }
  }
  return result.asElements(of: x.elementType)
}

private func reverseSequence(_ op: ReverseSequence, _ call: OperatorCall) throws -> Tensor {
  let x = try call.input(0)
  let source = x.bitPatterns
  let shape = try call.outputShape(of: op)
  let lengths = try call.integers(1) ?? []
  let times = shape[op.timeAxis]
  if let wrong = lengths.first(where: { !(0...times).contains($0) }) {
    throw ExecutionError(
      .invalidValue, "sequence length \(wrong) is out of range; must be 0 to \(times)")
  }
  let width = shape.count(in: 2..<shape.rank) * source.elementType.bitWidth / 8
  let batchStride = (op.batchAxis == 0 ? shape[1] : 1) * width
  let timeStride = (op.timeAxis == 0 ? shape[1] : 1) * width
  let result = call.output(shape, source.elementType) { bytes in
    source.withUnsafeBytes { from in
      guard let from = from.baseAddress, let to = bytes.baseAddress, shape.count > 0 else { return }
      for (sequence, length) in lengths.enumerated() {
        for time in 0..<times {
          let origin = time < length ? length - 1 - time : time
          (to + sequence * batchStride + time * timeStride).copyMemory(
            from: from + sequence * batchStride + origin * timeStride, byteCount: width)
        }
      }
    }
  }
  return result.asElements(of: x.elementType)
}

private func compress(_ op: Compress, _ call: OperatorCall) throws -> Tensor {
  var x = try call.input(0)
  _ = try call.outputTypes(of: op)
  if op.axis == nil { x = x.reshaped(to: [x.count]) }
  let axis = try ShapeRules.axis(op.axis ?? 0, rank: x.shape.rank)
  let condition = try call.integers(1) ?? []
  let taken = condition.indices.filter { condition[$0] != 0 }
  guard taken.allSatisfy({ $0 < x.shape[axis] }) else {
    throw ExecutionError(
      .invalidValue,
      "the condition is true at \(taken.last!); the axis has \(x.shape[axis]) elements")
  }
  var lengths = x.shape.dimensions
  lengths[axis] = taken.count
  return try Gathering.slices(of: x, axis: axis, at: taken, Shape(lengths), call)
}
