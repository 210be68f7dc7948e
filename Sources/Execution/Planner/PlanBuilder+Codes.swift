import Graphs
import Tensors

extension PlanBuilder {
  /// Codes that a constant holds: weights or a bias.
  struct ConstantCodes {
    let codes: Tensor
    /// One for all, or one per index of `axis`.
    let scales: [Float]
    let zeroPoints: [Int]
    let axis: Int
  }

  /// What follows a node's output when it is turned into codes at once: an activation that only clamps, and the
  /// `QuantizeLinear`.
  struct QuantizedOutput {
    /// The codes that the last node gives.
    let codes: Codes
    /// What the codes are clamped to, as unsigned bytes.
    let clamp: ClosedRange<UInt8>
    /// The nodes that are so computed.
    let nodes: [Int]
  }

  /// The scale and zero point of a per-tensor Q or DQ node of 8-bit codes held in the value `name`.
  func perTensorCodes(_ node: Node, holding name: String) -> Codes? {
    guard let scale = scalar(node.input(1)) else { return nil }
    var zeroPoint = 0
    if let input = node.input(2) {
      guard let tensor = graph.constants[input], tensor.count == 1 else { return nil }
      zeroPoint = tensor.integers()[0]
    }
    guard let type = try? type(of: name).elementType, type == .uint8 || type == .int8 else {
      return nil
    }
    return Codes(name: name, scale: scale, zeroPoint: zeroPoint, elementType: type)
  }

  /// The codes of a weight or bias that a `DequantizeLinear` of a constant gives, nil where `name` is no such value.
  func constantCodes(_ name: String) -> ConstantCodes? {
    guard let index = producers[name] else { return nil }
    let node = graph.nodes[index]
    guard node.operation == "DequantizeLinear", let codes = graph.constants[node.inputs[0]],
      let scale = graph.constants[node.inputs[1]], scale.elementType == .float32,
      let decoded = try? Operators.decode(node, opsets: opsets) as? DequantizeLinear,
      decoded.blockSize == 0, scale.shape.rank <= 1
    else { return nil }
    let zeroPoints = node.input(2).flatMap { graph.constants[$0]?.integers() }
    let scales = scale.elements(of: Float.self)
    return ConstantCodes(
      codes: codes, scales: scales,
      zeroPoints: zeroPoints ?? [Int](repeating: 0, count: scales.count),
      axis: decoded.axis < 0 ? decoded.axis + codes.shape.rank : decoded.axis)
  }

  /// What the value `name` becomes when its only reader, past clamping activations, quantizes it.
  func quantizedOutput(of name: String) -> QuantizedOutput? {
    var nodes: [Int] = []
    var bounds: [(Float, Float)] = []
    var current = name
    while let index = soleConsumer(of: current) {
      let node = graph.nodes[index]
      nodes.append(index)
      if let range = clampRange(node) {
        bounds.append(range)
        current = node.outputs[0]
        continue
      }
      guard node.operation == "QuantizeLinear", node.inputs[0] == current,
        let codes = perTensorCodes(node, holding: node.outputs[0])
      else { return nil }
      return QuantizedOutput(codes: codes, clamp: codes.clamp(bounds), nodes: nodes)
    }
    return nil
  }

  /// The bounds of a node that only clamps its input; nil for any other node.
  func clampRange(_ node: Node) -> (Float, Float)? {
    if node.operation == "Relu" { return (0, .infinity) }
    guard node.operation == "Clip" else { return nil }
    let bounds = [node.input(1), node.input(2)].map { $0 == nil ? nil : scalar($0) }
    if node.input(1) != nil && bounds[0] == nil || node.input(2) != nil && bounds[1] == nil {
      return nil
    }
    return (bounds[0] ?? -.infinity, bounds[1] ?? .infinity)
  }

  mutating func lowerDequantize(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    // Weights and biases: taken as they are by the nodes that can, made float where one can't.
    if node.inputs.allSatisfy({ graph.constants[$0] != nil }) { return true }
    guard let found = perTensorCodes(node, holding: node.inputs[0]) else { return false }
    codes[node.outputs[0]] = found
    return true
  }

  mutating func lowerQuantize(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    guard let target = perTensorCodes(node, holding: node.outputs[0]) else {
      return try lowerRounding(index)
    }
    let input = node.inputs[0]
    let count = try type(of: input).shape.count
    guard try type(of: input).elementType == .float32 else { return false }
    let form = Form(layout: preferredLayout(input), isShifted: target.elementType == .int8)
    if let source = codes[input] {
      // From codes to codes: a table of 256 entries.
      let slot = try unsignedCodes(source, form.layout)
      let table = Codes.table(from: source, to: target) { $0 }
      steps.append(
        .lookup(
          slot, table, into: try newSlot(for: target.name, form), count: count, label: node.label))
      return true
    }
    let slot = try slot(of: input, Form(layout: form.layout))
    steps.append(
      .quantize(
        slot, target, into: try newSlot(for: target.name, form), count: count, label: node.label))
    return true
  }
}

extension PlanBuilder.Codes {
  /// The unsigned code of a number.
  func unsignedCode(of value: Float) -> UInt8 {
    let code = (value / scale).rounded(.toNearestOrEven) + Float(unsignedZeroPoint)
    return code.isNaN ? 0 : UInt8(min(max(code, 0), 255))
  }

  /// The number that an unsigned code stands for.
  func value(ofUnsigned code: UInt8) -> Float {
    Float(Int32(code) - unsignedZeroPoint) * scale
  }

  /// The unsigned codes that clamping to each of the bounds, one after the other, leaves.
  ///
  /// Quantizing is monotone, so that clamping codes to the bounds' codes is the same as clamping first.
  func clamp(_ bounds: [(Float, Float)]) -> ClosedRange<UInt8> {
    var low = UInt8.min
    var high = UInt8.max
    for (lower, upper) in bounds {
      let (lowest, highest) = (unsignedCode(of: lower), unsignedCode(of: upper))
      low = min(max(low, lowest), highest)
      high = min(max(high, lowest), highest)
    }
    return low...max(low, high)
  }

  /// For each unsigned code of `source` the unsigned code of `target` that `function` of it becomes.
  static func table(
    from source: Self, to target: Self, _ function: (Float) throws -> Float
  ) rethrows -> [UInt8] {
    try (0...255).map { code in
      target.unsignedCode(of: try function(source.value(ofUnsigned: UInt8(code))))
    }
  }

  /// Whether two values mean the same by the same code.
  func hasSameMeaning(as other: Self) -> Bool {
    scale == other.scale && zeroPoint == other.zeroPoint && elementType == other.elementType
  }
}
