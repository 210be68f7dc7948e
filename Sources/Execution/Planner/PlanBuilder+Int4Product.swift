import Graphs
import Tensors

/// Constant weights of 4 bits of a product, with a scale for each group of inputs and each output.
private struct GroupedCodes: Sendable {
  let inputs: Int
  let outputs: Int
  let groupSize: Int
  /// [outputs, groups], as are the zero points, of codes 0…15.
  let scales: [Float]
  let zeroPoints: [Float]
  private let codes: Tensor
  private let isTransposed: Bool

  /// Nil where the kernel knows no such grouping.
  init?(
    _ codes: Tensor, _ scale: Tensor, _ zeroPoint: Tensor?, _ layout: ScaleSharing.Layout,
    _ product: PlanBuilder.Product
  ) {
    guard [.int4, .uint4].contains(codes.elementType), scale.elementType == .float32 else {
      return nil
    }
    (inputs, outputs, isTransposed) = (product.inputs, product.outputs, product.isTransposed)
    self.codes = codes
    let inputAxis = isTransposed ? 1 : 0
    switch layout {
    case .perTensor: groupSize = inputs
    case .perIndex(let axis) where axis != inputAxis: groupSize = inputs
    case .perBlock(let axis, let size)
    where axis == inputAxis && (size % 8 == 0 || size >= inputs):
      groupSize = size
    default: return nil
    }
    let groups = (inputs - 1) / groupSize + 1
    let (isOne, isTransposed, outputs) = (scale.count == 1, isTransposed, outputs)
    func arranged(_ values: [Float]) -> [Float] {
      (0..<outputs * groups).map { index in
        let (output, group) = (index / groups, index % groups)
        return values[isOne ? 0 : isTransposed ? index : group * outputs + output]
      }
    }
    scales = arranged(scale.elements(of: Float.self))
    let offset = codes.elementType == .int4 ? 8 : 0
    let zeros = zeroPoint?.integers() ?? [Int](repeating: 0, count: scale.count)
    zeroPoints = arranged(zeros.map { Float($0 + offset) })
  }

  func packed(in memory: WeightMemory) -> PackedInt4Matrix {
    let sign: UInt8 = codes.elementType == .int4 ? 8 : 0
    let (rowStep, columnStep) = isTransposed ? (1, inputs) : (outputs, 1)
    return codes.unpacked().withElements(of: UInt8.self) { bytes in
      nonisolated(unsafe) let start = bytes.baseAddress!
      return PackedInt4Matrix(
        rows: inputs, columns: outputs, groupSize: groupSize, scales: scales,
        zeroPoints: zeroPoints.allSatisfy { $0 == 8 } ? nil : zeroPoints, in: memory
      ) { column, target in
        let first = start + column * columnStep
        for row in 0..<inputs { target[row] = first[row * rowStep] ^ sign }
      }
    }
  }
}

extension PlanBuilder {
  /// Lowers a product of numbers with weights of 4 bits, which stay codes in memory: an eighth of what they take as numbers,
  /// which is what few rows wait for; many rows are multiplied nearly as fast as with numbers.
  mutating func lowerInt4(_ product: Product) throws -> Bool {
    let node = product.node
    guard let weights = try groupedCodes(product) else { return false }
    guard let end = try productEnd(node, bias: product.bias) else { return false }
    let source = try rowMajor(node.inputs[0])
    let layout = PackedWeights.Layout.int4Codes(isTransposed: product.isTransposed)
    let packed = packed(node.inputs[1], layout) { weights.packed(in: $0.weightMemory) }
    steps.append(
      .int4Product(
        source, rows: product.rows, packed, nil, end,
        label: node.label))
    return true
  }

  private func groupedCodes(_ product: Product) throws -> GroupedCodes? {
    guard let index = producers[product.node.inputs[1]], isConstant(product.node.inputs[1])
    else { return nil }
    let node = graph.nodes[index]
    guard let codes = graph.constants[node.inputs[0]], let scale = graph.constants[node.inputs[1]],
      let decoded = try Operators.decode(node, opsets: opsets) as? DequantizeLinear,
      let layout = try? decoded.sharing.layout(codes.shape, scale: scale.shape)
    else { return nil }
    return GroupedCodes(
      codes, scale, node.input(2).flatMap { graph.constants[$0] }, layout, product)
  }
}
