import Graphs
import Tensors

extension PlanBuilder {
  /// A product of rows with constant weights: what `Gemm` and `MatMul` have in common.
  struct Product {
    let node: Node
    let rows: Int
    let inputs: Int
    let outputs: Int
    /// Whether weights are stored `[outputs, inputs]`.
    let isTransposed: Bool
    let bias: String?
  }

  mutating func lowerGemm(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    guard let gemm = try Operators.decode(node, opsets: opsets) as? Gemm, !gemm.transposesA,
      gemm.alpha == 1, gemm.beta == 1 || node.input(2) == nil
    else { return false }
    let a = try type(of: node.inputs[0])
    let b = try type(of: node.inputs[1]).shape
    guard a.elementType == .float32 else { return false }
    let outputs = gemm.transposesB ? b[0] : b[1]
    if let bias = node.input(2) {
      let shape = try type(of: bias).shape
      guard shape.count == outputs, shape.rank <= 1 || shape[-1] == outputs else { return false }
    }
    return try lower(
      Product(
        node: node, rows: a.shape[0], inputs: a.shape[1], outputs: outputs,
        isTransposed: gemm.transposesB, bias: node.input(2)))
  }

  mutating func lowerMatMul(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    let a = try type(of: node.inputs[0])
    let b = try type(of: node.inputs[1])
    guard a.elementType == .float32, a.shape.rank >= 2, b.shape.rank >= 2 else { return false }
    if b.shape.rank == 2 {
      let product = Product(
        node: node, rows: a.shape.count / max(a.shape[-1], 1), inputs: b.shape[0],
        outputs: b.shape[1], isTransposed: false, bias: nil)
      if try lower(product) { return true }
    }
    return false
  }

  private mutating func lower(_ product: Product) throws -> Bool {
    guard product.rows > 0, product.inputs > 0, product.outputs > 0 else { return false }
    if try lowerInt8(product) { return true }
    if try lowerInt4(product) { return true }
    return try lowerFloat(product)
  }

  private mutating func lowerInt8(_ product: Product) throws -> Bool {
    let node = product.node
    let axis = product.isTransposed ? 0 : 1
    guard let input = codes[node.inputs[0]],
      let weights = Int8Weights(
        constantCodes(node.inputs[1]), outputs: product.outputs, axis: axis),
      let bias = int8Bias(product.bias, input, weights)
    else { return false }
    let output = quantizedOutput(of: node.outputs[0])
    let source = try unsignedCodes(input, .rowMajor)
    let packed = packed(node.inputs[1], .int8Matrix(isTransposed: product.isTransposed)) {
      weights.matrix(
        inputs: product.inputs, transposed: product.isTransposed, in: $0.weightMemory)
    }
    let scaling = weights.scaling(
      bias, input, output, sums: packed.columnSums, length: product.inputs)
    let target =
      if let codes = output?.codes {
        try newSlot(
          for: codes.name, Form(layout: .rowMajor, isShifted: codes.elementType == .int8))
      } else {
        try newSlot(for: node.outputs[0], Form(layout: .rowMajor))
      }
    let (rows, inputs, outputs) = (product.rows, product.inputs, product.outputs)
    steps.append(
      PlanStep(
        node.label, kind: "int8 product", reads: [source], writes: [target],
        multiplications: rows * inputs * outputs,
        weightByteCount: packed.byteCount + scaling.byteCount
      ) { arena in
        let x = arena.pointer(source, as: UInt8.self)
        let y = arena.bytes(target)
        return {
          scaling.withPointers { bias, weightZeroPoints, multipliers in
            Kernels.multiply(
              .dense(x, stride: inputs), rows: rows, packed,
              correction: .init(bias: bias, weightZeroPoints: weightZeroPoints),
              output: scaling.output(y, at: 0, stride: outputs, channel: 0, multipliers))
          }
        }
      })
    done.formUnion(output?.nodes ?? [])
    return true
  }

  private mutating func lowerFloat(_ product: Product) throws -> Bool {
    let node = product.node
    let name = node.inputs[1]
    guard isConstant(name) else { return false }
    guard let end = try productEnd(node, bias: product.bias) else { return false }
    let source = try rowMajor(node.inputs[0])
    let (rows, inputs, outputs) = (product.rows, product.inputs, product.outputs)
    let packed = try packed(name, .floatMatrix(isTransposed: product.isTransposed)) { builder in
      try builder.numbers(name).withElements(of: Float.self) {
        PackedFloatMatrix(
          $0.baseAddress!, rows: inputs, columns: outputs,
          stride: product.isTransposed ? inputs : outputs, transposed: product.isTransposed,
          in: builder.weightMemory)
      }
    }
    steps.append(
      PlanStep(
        node.label, kind: "float product", reads: [source], writes: [end.target],
        multiplications: rows * inputs * outputs,
        weightByteCount: packed.byteCount + end.byteCount
      ) { arena in
        let x = arena.pointer(source, as: Float.self)
        let y = arena.pointer(end.target, as: Float.self)
        return {
          end.withBias { bias in
            Kernels.multiply(
              .dense(x, stride: inputs), rows: rows, packed,
              epilogue: .init(bias: bias, clamp: end.clamp), into: y, stride: outputs)
          }
        }
      })
    return true
  }
}
