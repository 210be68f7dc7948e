import Graphs
import Tensors

extension PlanBuilder {
  /// Where rows of activations are rounded to bytes, and how many of them share a scale.
  struct Rounding {
    let memory: Slot
    let blockSize: Int
  }

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
    guard let end = try productEnd(node, bias: node.input(5)) else { return false }
    let source = try rowMajor(node.inputs[0])
    let layout = PackedWeights.Layout.int4Blocks(
      inputs: product.inner, scales: node.inputs[2], zeroPoints: node.input(3))
    let packed = packed(node.inputs[1], layout) { weights.packed(in: $0.weightMemory) }
    var rounding: Rounding?
    if weights.roundsActivations {
      let byteCount = Kernels.RoundedRows.byteCount(
        rows: rows, length: product.inner, blockSize: product.blockSize)
      rounding = Rounding(memory: newSlot(byteCount), blockSize: product.blockSize)
    }
    steps.append(
      .int4Product(
        source, rows: rows, packed, rounding, end,
        label: node.label))
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
