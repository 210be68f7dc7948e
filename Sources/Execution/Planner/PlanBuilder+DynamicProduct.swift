import Graphs
import Tensors

/// Products of activations that are quantized as they come: DynamicQuantizeLinear, MatMulInteger and what turns its sums into
/// numbers.
extension PlanBuilder {
  /// Lowers the quantization of a value by its own range.
  mutating func lowerDynamicQuantize(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    let count = try type(of: node.inputs[0]).shape.count
    guard count > 0, node.outputs.count == 3, !node.outputs.contains("") else { return false }
    let source = try rowMajor(node.inputs[0])
    let targets = try node.outputs.map { try newSlot(for: $0, Form(layout: .rowMajor)) }
    let label = node.label
    steps.append(
      PlanStep(label, kind: "dynamic quantize", reads: [source], writes: targets) { arena in
        let x = arena.pointer(source, as: Float.self)
        let y = arena.pointer(targets[0], as: UInt8.self)
        let scale = arena.pointer(targets[1], as: Float.self)
        let zero = arena.pointer(targets[2], as: UInt8.self)
        let loop = ParallelRanges(count) { part in
          let i = part.lowerBound
          Kernels.quantize(
            x + i, y + i, count: part.count, scale: scale.pointee, zeroPoint: Int32(zero.pointee),
            codes: 0...255)
        }
        return {
          let found = try located(label) { try dynamicScale(Kernels.range(x, count: count)) }
          scale.pointee = found.scale
          zero.pointee = UInt8(found.zeroPoint)
          loop.run()
        }
      })
    return true
  }

  /// What follows an integer product: numbers of its sums, times scales, plus a bias.
  private struct Tail {
    /// The value that is then computed.
    var result: String
    /// The scale of the activations, which is known only when they are.
    var scale: Slot?
    /// One number per output, which are multiplied with it.
    var factors: [Float] = []
    /// One number per output.
    var bias: [Float]?
    var nodes: [Int] = []

    var scaling: DynamicScaling? {
      scale.map { DynamicScaling(scale: $0, factors: factors, bias: bias) }
    }
  }

  /// Lowers a product of codes with constant codes.
  mutating func lowerMatMulInteger(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    let a = try type(of: node.inputs[0])
    let b = try type(of: node.inputs[1]).shape
    guard a.elementType == .uint8, a.shape.rank >= 2, b.rank == 2, a.shape.count > 0, b.count > 0,
      let codes = graph.constants[node.inputs[1]]
    else { return false }
    if let zero = node.input(2), try type(of: zero).shape.count != 1 { return false }
    var zeros = [0]
    if let name = node.input(3) {
      guard let constant = graph.constants[name] else { return false }
      zeros = constant.integers()
    }
    let constant = ConstantCodes(
      codes: codes, scales: [Float](repeating: 1, count: zeros.count), zeroPoints: zeros, axis: 1)
    guard let weights = Int8Weights(constant, outputs: b[1], axis: 1) else { return false }
    let source = try rowMajor(node.inputs[0])
    let zero = try node.input(2).map { try rowMajor($0) }
    let packed = packed(node.inputs[1], .int8Matrix(isTransposed: false)) {
      weights.matrix(inputs: b[0], transposed: false, in: $0.weightMemory)
    }
    let tail = try tail(of: node.outputs[0], outputs: b[1])
    let target = try newSlot(for: tail.result, Form(layout: .rowMajor))
    steps.append(
      .dynamicProduct(
        source, rows: a.shape.count / b[0], zero: zero, packed, weights, tail.scaling,
        memory: (newSlot(4 * b[1]), newSlot(4 * b[1])), into: target, label: node.label))
    done.formUnion(tail.nodes)
    return true
  }

  /// The nodes behind a product's sums that its step can take over.
  private mutating func tail(of sums: String, outputs: Int) throws -> Tail {
    let none = Tail(result: sums)
    guard let cast = soleConsumer(of: sums), graph.nodes[cast].operation == "Cast",
      try type(of: graph.nodes[cast].outputs[0]).elementType == .float32,
      let multiply = soleConsumer(of: graph.nodes[cast].outputs[0]),
      graph.nodes[multiply].operation == "Mul"
    else { return none }
    let numbers = graph.nodes[cast].outputs[0]
    let inputs = graph.nodes[multiply].inputs
    let scales = inputs[0] == numbers ? inputs[1] : inputs[0]
    guard scales != numbers, let producer = producers[scales],
      graph.nodes[producer].operation == "Mul", graph.nodes[producer].inputs.count == 2
    else { return none }
    var tail = Tail(result: graph.nodes[multiply].outputs[0], nodes: [cast, multiply])
    guard try type(of: tail.result).shape == type(of: sums).shape else { return none }
    for (scale, factors) in [(0, 1), (1, 0)] {
      let scale = graph.nodes[producer].inputs[scale]
      guard forms[scale] != nil, try type(of: scale).shape.count == 1,
        let constant = graph.constants[graph.nodes[producer].inputs[factors]],
        constant.elementType == .float32, constant.count == 1 || constant.count == outputs
      else { continue }
      let found = constant.elements(of: Float.self)
      tail.factors = found.count == 1 ? [Float](repeating: found[0], count: outputs) : found
      tail.scale = try rowMajor(scale)
    }
    guard tail.scale != nil else { return none }
    if soleConsumer(of: scales) == multiply { tail.nodes.append(producer) }
    if let add = soleConsumer(of: tail.result), graph.nodes[add].operation == "Add" {
      let inputs = graph.nodes[add].inputs
      let other = inputs[0] == tail.result ? inputs[1] : inputs[0]
      if let bias = graph.constants[other], bias.elementType == .float32, bias.count == outputs,
        bias.shape.rank >= 1, bias.shape[-1] == outputs,
        try type(of: graph.nodes[add].outputs[0]).shape == type(of: tail.result).shape
      {
        tail.bias = bias.elements(of: Float.self)
        tail.result = graph.nodes[add].outputs[0]
        tail.nodes.append(add)
      }
    }
    return tail
  }
}

/// How sums become numbers, where the activations' scale is known only when they are.
private struct DynamicScaling {
  let scale: Slot
  let factors: [Float]
  let bias: [Float]?
}

extension PlanStep {
  /// Sums, or numbers where there is a scaling. `memory`: for what joins each output's sums, and what they are multiplied by.
  fileprivate static func dynamicProduct(
    _ source: Slot, rows: Int, zero: Slot?, _ packed: PackedInt8Matrix, _ weights: Int8Weights,
    _ scaling: DynamicScaling?, memory: (sums: Slot, factors: Slot), into target: Slot,
    label: String
  ) -> PlanStep {
    let (inputs, outputs) = (packed.inputs, packed.columns)
    let zeroPoints = weights.outputZeroPoints
    // What one step of the activations' zero point takes off each sum.
    let columns = (0..<outputs).map { column in
      packed.columnSums[column] &- Int32(truncatingIfNeeded: inputs) &* (zeroPoints?[column] ?? 0)
    }
    return PlanStep(
      label, kind: "int8 product", reads: [source] + [zero, scaling?.scale].compactMap { $0 },
      writes: [target, memory.sums, memory.factors], multiplications: rows * inputs * outputs,
      weightByteCount: packed.byteCount + 12 * outputs
    ) { arena in
      let x = arena.pointer(source, as: UInt8.self)
      let zero = zero.map { arena.pointer($0, as: UInt8.self) }
      let scale = (scaling?.scale).map { arena.pointer($0, as: Float.self) }
      let sums = arena.pointer(memory.sums, as: Int32.self)
      let factors = arena.pointer(memory.factors, as: Float.self)
      let y = arena.bytes(target)
      return {
        let zero = Int32(zero?.pointee ?? 0)
        for column in 0..<outputs { sums[column] = 0 &- zero &* columns[column] }
        if let scaling, let scale = scale?.pointee {
          for column in 0..<outputs { factors[column] = scale * scaling.factors[column] }
        }
        withPointers(zeroPoints, scaling?.bias) { zeroPoints, bias in
          Kernels.multiply(
            .dense(x, stride: inputs), rows: rows, packed,
            correction: .init(bias: sums, weightZeroPoints: zeroPoints),
            output: scaling == nil
              ? .int32(y.assumingMemoryBound(to: Int32.self), stride: outputs)
              : .float(
                y.assumingMemoryBound(to: Float.self), stride: outputs, multiplier: factors,
                bias: bias))
        }
      }
    }
  }
}

/// Calls `body` with the arrays in memory.
private func withPointers(
  _ first: [Int32]?, _ second: [Float]?,
  _ body: (UnsafePointer<Int32>?, UnsafePointer<Float>?) -> Void
) {
  (first ?? []).withUnsafeBufferPointer { a in
    (second ?? []).withUnsafeBufferPointer { b in
      body(first == nil ? nil : a.baseAddress, second == nil ? nil : b.baseAddress)
    }
  }
}
