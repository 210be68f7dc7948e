import Graphs
import Tensors

/// Products of two values that are computed in the run, such as queries and keys: operands are read, and results written, where
/// the transposes around them leave them.
extension PlanBuilder {
  /// How the elements of an operand lie: the elements from neighbour to neighbour along each axis.
  private struct Operand {
    let slot: Slot
    let strides: [Int]
  }

  /// Lowers a MatMul of two values of rank 2 or more.
  mutating func lowerStackedProduct(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    let (a, b) = (try type(of: node.inputs[0]), try type(of: node.inputs[1]))
    let shape = try type(of: node.outputs[0]).shape
    guard a.elementType == .float32, b.elementType == .float32, a.shape.rank >= 2,
      b.shape.rank >= 2, shape.count > 0, a.shape[-1] > 0, try constant(node.inputs[0]) == nil,
      try constant(node.inputs[1]) == nil
    else { return false }
    if let left = codes[node.inputs[0]], let right = codes[node.inputs[1]] {
      return try lower(node, left, a.shape, right, b.shape, into: shape)
    }
    let left = try operand(node.inputs[0], a.shape) { $0[$0.count - 1] == 1 }
    let right = try operand(node.inputs[1], b.shape) {
      $0[$0.count - 1] == 1 || $0[$0.count - 2] == 1
    }
    let (result, targetStrides) = try target(node, shape)
    let slot = try newSlot(for: result, Form(layout: .rowMajor))
    let products = products(
      shape, (a.shape, left.strides), (b.shape, right.strides), targetStrides)
    let memory = newSlot(products.floatMemory)
    steps.append(
      PlanStep(
        node.label, kind: "float product", reads: [left.slot, right.slot], writes: [slot, memory],
        multiplications: products.multiplications
      ) { arena in
        products.loop(
          arena.pointer(left.slot), arena.pointer(right.slot), memory: arena.bytes(memory),
          into: arena.pointer(slot))
      })
    return true
  }

  /// The same where both are codes: as QLinearMatMul does it, or to numbers where nobody reads the result's codes.
  private mutating func lower(
    _ node: Node, _ left: Codes, _ a: Shape, _ right: Codes, _ b: Shape, into shape: Shape
  ) throws -> Bool {
    let x = try operand(left.name, a, left) { $0[$0.count - 1] == 1 }
    let w = try operand(right.name, b, right) { $0[$0.count - 1] == 1 || $0[$0.count - 2] == 1 }
    let output = quantizedOutput(of: node.outputs[0])
    let product = left.scale * right.scale
    let slot: Slot
    var strides = shape.strides
    if let output {
      slot = try newSlot(
        for: output.codes.name,
        Form(layout: .rowMajor, isShifted: output.codes.elementType == .int8))
      done.formUnion(output.nodes)
    } else {
      let (result, targetStrides) = try target(node, shape)
      slot = try newSlot(for: result, Form(layout: .rowMajor))
      strides = targetStrides
    }
    let products = products(shape, (a, x.strides), (b, w.strides), strides)
    let multipliers = Tensor(
      [Float](
        repeating: output.map { product / $0.codes.scale } ?? product, count: shape[-1]))
    let memory = newSlot(products.codeMemory)
    steps.append(
      PlanStep(
        node.label, kind: "int8 product", reads: [x.slot, w.slot], writes: [slot, memory],
        multiplications: products.multiplications
      ) { arena in
        let y = arena.bytes(slot)
        let factors = PinnedElements<Float>(multipliers)
        return products.loop(
          arena.pointer(x.slot), zeroPoint: left.unsignedZeroPoint, arena.pointer(w.slot),
          zeroPoint: right.unsignedZeroPoint, memory: arena.bytes(memory)
        ) { start, stride in
          guard let output else {
            return .float(
              y.assumingMemoryBound(to: Float.self) + start, stride: stride,
              multiplier: factors.start)
          }
          return .uint8(
            y.assumingMemoryBound(to: UInt8.self) + start, stride: stride,
            multiplier: factors.start,
            zeroPoint: output.codes.unsignedZeroPoint, clamp: output.clamp)
        }
      })
    return true
  }

  /// The operand where it lies if `isReadable` says so of its strides, else as its shape says.
  private mutating func operand(
    _ name: String, _ shape: Shape, _ codes: Codes? = nil, _ isReadable: ([Int]) -> Bool
  ) throws -> Operand {
    if forms[name] == nil, let view = views[name], isReadable(view.strides),
      let slot = forms[view.source]?[view.form]
    {
      return Operand(slot: slot, strides: view.strides)
    }
    let slot = try codes.map { try unsignedCodes($0, .rowMajor) } ?? rowMajor(name)
    return Operand(slot: slot, strides: shape.strides)
  }

  /// What the numbers are written as: the result of a transpose that alone reads the product, if rows stay rows.
  private mutating func target(_ node: Node, _ shape: Shape) throws -> (name: String, [Int]) {
    let output = node.outputs[0]
    guard !tellsNodes, let reader = soleConsumer(of: output),
      let transpose = try Operators.decode(graph.nodes[reader], opsets: opsets) as? Transpose
    else { return (output, shape.strides) }
    let order = try transpose.order(rank: shape.rank)
    guard order.last == shape.rank - 1 else { return (output, shape.strides) }
    let outer = Shape(order.map { shape[$0] }).strides
    var strides = [Int](repeating: 0, count: shape.rank)
    for (axis, source) in order.enumerated() { strides[source] = outer[axis] }
    done.insert(reader)
    return (graph.nodes[reader].outputs[0], strides)
  }

  private func products(
    _ shape: Shape, _ a: (shape: Shape, strides: [Int]), _ b: (shape: Shape, strides: [Int]),
    _ target: [Int]
  ) -> Kernels.StackedProducts {
    let (rows, inner, columns) = (shape[-2], a.shape[-1], shape[-1])
    let stack = Shape(Array(shape.dimensions.dropLast(2)))
    var starts = (
      a: matrixStarts(a.shape, a.strides, in: stack),
      b: matrixStarts(b.shape, b.strides, in: stack),
      y: matrixStarts(shape, target, in: stack)
    )
    func stride(_ strides: [Int], _ axis: Int) -> Int { strides[strides.count + axis] }
    let isTransposed = stride(b.strides, -1) != 1 || columns == 1 && stride(b.strides, -2) == 1
    let bStride = stride(b.strides, isTransposed ? -1 : -2)
    let (aStride, yStride) = (stride(a.strides, -2), stride(target, -2))
    var height = rows
    if Set(starts.b).count == 1, starts.a.count > 1,
      starts.a.indices.allSatisfy({
        starts.a[$0] - starts.a[0] == $0 * rows * aStride
          && starts.y[$0] - starts.y[0] == $0 * rows * yStride
      })
    {
      // One second operand for all: the first ones are one tall matrix.
      height = rows * starts.a.count
      starts = ([starts.a[0]], [starts.b[0]], [starts.y[0]])
    }
    return Kernels.StackedProducts(
      rows: height, inner: inner, columns: columns,
      .init(starts: starts.a, stride: max(aStride, inner)),
      .init(
        starts: starts.b, stride: max(bStride, isTransposed ? inner : columns),
        isTransposed: isTransposed),
      into: .init(starts: starts.y, stride: max(yStride, columns)))
  }
}

/// Where the matrix of each index of `stack` begins in an operand that is broadcast to it.
private func matrixStarts(_ shape: Shape, _ strides: [Int], in stack: Shape) -> [Int] {
  let missing = stack.rank - (shape.rank - 2)
  return (0..<stack.count).map { index in
    var (rest, start) = (index, 0)
    for axis in stack.dimensions.indices.reversed() {
      let position = rest % stack[axis]
      rest /= stack[axis]
      if axis >= missing, shape[axis - missing] > 1 { start += position * strides[axis - missing] }
    }
    return start
  }
}

extension Kernels.StackedProducts {
  fileprivate var multiplications: Int { count * rows * inner * columns }
}
