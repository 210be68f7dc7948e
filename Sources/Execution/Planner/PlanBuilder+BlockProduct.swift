import Graphs
import Tensors

extension PlanBuilder {
  /// A product with constant weights of 4 bits becomes a step on their kernel, which computes what the operator's reference
  /// function defines: for rounded activations bit by bit.
  mutating func lowerBlockProduct(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    guard let product = try Operators.decode(node, opsets: opsets) as? MatMulNBits,
      product.bits == 4
    else { return false }
    let a = try type(of: node.inputs[0])
    let rows = a.shape.count / product.inner
    guard a.elementType == .float32, rows > 0, let weights = try blockWeights(product, node)
    else { return false }
    var bias: [Float]?
    if let name = node.input(5) {
      guard let tensor = try constant(name) else { return false }
      bias = tensor.elements(of: Float.self)
    }
    let source = try rowMajor(node.inputs[0])
    var clamp = -Float.infinity...Float.infinity
    let result = fuseClamp(node.outputs[0], &clamp)
    let target = try newSlot(for: result, Form(layout: .rowMajor))
    let packed = weights.packed(in: weightMemory)
    letGo(of: node.inputs[1])
    let blockSize = weights.roundsActivations ? product.blockSize : nil
    let memory = blockSize.map {
      newSlot(Kernels.RoundedRows.byteCount(rows: rows, length: product.inner, blockSize: $0))
    }
    steps.append(
      PlanStep(
        node.label, kind: blockSize == nil ? "4-bit product" : "4-bit int8 product",
        reads: [source],
        writes: [target] + (memory.map { [$0] } ?? []),
        multiplications: rows * product.inner * product.outputs,
        weightByteCount: packed.byteCount + 4 * (bias?.count ?? 0)
      ) { arena in
        let x = arena.pointer(source, as: Float.self)
        let y = arena.pointer(target, as: Float.self)
        var rounded: Kernels.RoundedRows?
        if let memory, let blockSize {
          rounded = .init(
            arena.bytes(memory), rows: rows, length: product.inner, blockSize: blockSize)
        }
        return { [rounded] in
          func multiply(_ bias: UnsafePointer<Float>?) {
            Kernels.multiply(
              x, stride: product.inner, rows: rows, packed, rounded: rounded, bias: bias,
              clamp: clamp, into: y, stride: product.outputs)
          }
          if let bias {
            bias.withUnsafeBufferPointer { multiply($0.baseAddress) }
          } else {
            multiply(nil)
          }
        }
      })
    return true
  }

  /// The constant weights of such a product, nil where one of their parts is computed.
  private mutating func blockWeights(_ op: MatMulNBits, _ node: Node) throws -> BlockWeights? {
    guard let codes = try constant(node.inputs[1]), let scales = try constant(node.inputs[2]),
      scales.elementType == .float32
    else { return nil }
    guard let name = node.input(3) else { return BlockWeights(op, codes, scales, zeroPoints: nil) }
    guard let zeroPoints = try constant(name),
      [.uint8, .float32].contains(zeroPoints.elementType)
    else { return nil }
    return BlockWeights(op, codes, scales, zeroPoints: zeroPoints)
  }
}
