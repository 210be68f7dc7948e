import Graphs
import Tensors

extension PlanBuilder {
  /// Lowers a node whose output is its input under another shape: no step, the same memory.
  mutating func lowerView(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    guard node.outputs.count == 1, try constant(node.inputs[0]) == nil else { return false }
    if let source = codes[node.inputs[0]], let output = quantizedOutput(of: node.outputs[0]),
      output.codes.hasSameMeaning(as: source), output.clamp == 0...255
    {
      let form = Form(layout: .rowMajor, isShifted: source.elementType == .int8)
      forms[output.codes.name, default: [:]][form] = try unsignedCodes(source, .rowMajor)
      done.formUnion(output.nodes)
      return true
    }
    if let source = codes[node.inputs[0]] {
      // The view's codes are the input's; numbers are made of them only where somebody wants them.
      let form = Form(layout: .rowMajor, isShifted: source.elementType == .int8)
      let name = node.outputs[0] + "/codes"
      forms[name, default: [:]][form] = try unsignedCodes(source, .rowMajor)
      codes[node.outputs[0]] = Codes(
        name: name, scale: source.scale, zeroPoint: source.zeroPoint,
        elementType: source.elementType)
      return true
    }
    forms[node.outputs[0], default: [:]][Form(layout: .rowMajor)] = try rowMajor(node.inputs[0])
    return true
  }

  /// Lowers a node that only moves elements: on codes where all that follows takes the same codes.
  mutating func lowerMovement(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    guard let source = codes[node.inputs[0]], let function = OperatorFunctions.all[node.operation]
    else { return false }
    let outputs = node.outputs.map { quantizedOutput(of: $0) }
    guard
      outputs.allSatisfy({
        $0?.codes.hasSameMeaning(as: source) == true && $0?.clamp == 0...255
      })
    else { return false }
    let slot = try unsignedCodes(source, .rowMajor)
    let shape = try type(of: node.inputs[0]).shape
    var inputs: [ReferenceInput] = [
      .value(slot, KnownType(elementType: .uint8, shape: shape))
    ]
    for name in node.inputs.dropFirst() {
      if name.isEmpty {
        inputs.append(.none)
      } else if let constant = graph.constants[name] {
        inputs.append(.constant(constant))
      } else {
        inputs.append(.value(try rowMajor(name), try type(of: name)))
      }
    }
    let isShifted = source.elementType == .int8
    var targets: [(slot: Slot, type: KnownType)?] = []
    for (name, output) in zip(node.outputs, outputs) {
      guard let output else { continue }
      let slot = try newSlot(
        for: output.codes.name, Form(layout: .rowMajor, isShifted: isShifted))
      targets.append((slot, KnownType(elementType: .uint8, shape: try type(of: name).shape)))
      done.formUnion(output.nodes)
    }
    steps.append(
      .reference(
        function, try Operators.decode(node, opsets: opsets), inputs: inputs, outputs: targets,
        opsets: opsets, label: node.label, kind: "codes \(node.operation)"))
    return true
  }

  /// Lowers a concatenation of images along their channels, as codes or as numbers.
  mutating func lowerConcat(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    let output = try type(of: node.outputs[0])
    guard let image = output.image, output.elementType == .float32,
      let concat = try Operators.decode(node, opsets: opsets) as? Concat,
      concat.axis == 1 || concat.axis == -3
    else { return false }
    let channels = try node.inputs.map { try type(of: $0).shape[1] }
    let pixels = image.count * image.pixels
    let sources = node.inputs.map { codes[$0] }
    if let quantized = quantizedOutput(of: node.outputs[0]), sources.allSatisfy({ $0 != nil }) {
      let target = quantized.codes
      var parts: [ConcatPart] = []
      for (source, count) in zip(sources, channels) {
        guard let source else { return false }
        let isSame = source.hasSameMeaning(as: target) && quantized.clamp == 0...255
        let table = Codes.table(from: source, to: target) { $0 }.map {
          min(max($0, quantized.clamp.lowerBound), quantized.clamp.upperBound)
        }
        parts.append(
          ConcatPart(
            slot: try unsignedCodes(source, .channelsLast), rowBytes: count,
            table: isSame ? nil : table))
      }
      let slot = try newSlot(
        for: target.name, Form(layout: .channelsLast, isShifted: target.elementType == .int8))
      steps.append(.concat(parts, pixels: pixels, into: slot, label: node.label))
      done.formUnion(quantized.nodes)
      return true
    }
    guard node.inputs.contains(where: { isChannelsLast($0) }) else { return false }
    var parts: [ConcatPart] = []
    for (name, count) in zip(node.inputs, channels) {
      parts.append(
        ConcatPart(
          slot: try slot(of: name, Form(layout: .channelsLast)), rowBytes: 4 * count, table: nil))
    }
    let slot = try newSlot(for: node.outputs[0], Form(layout: .channelsLast))
    steps.append(.concat(parts, pixels: pixels, into: slot, label: node.label))
    return true
  }
}

/// One input of a concatenation along the channels.
private struct ConcatPart {
  let slot: Slot
  /// The bytes of one pixel.
  let rowBytes: Int
  /// What each code becomes, nil where codes stay as they are.
  let table: [UInt8]?
}

/// Where one input of a concatenation lies, once its memory is known.
private struct ConcatSource {
  /// Keeps the table alive.
  let owner: Tensor
  let start: UnsafePointer<UInt8>
  let rowBytes: Int
  let table: UnsafePointer<UInt8>?

  func copy(_ pixel: Int, to target: UnsafeMutablePointer<UInt8>) {
    let from = start + pixel * rowBytes
    if let table {
      Kernels.map(from, through: table, target, count: rowBytes)
    } else {
      UnsafeMutableRawPointer(target).copyMemory(from: from, byteCount: rowBytes)
    }
  }
}

extension PlanStep {
  fileprivate static func concat(
    _ parts: [ConcatPart], pixels: Int, into target: Slot, label: String
  ) -> PlanStep {
    let rowBytes = parts.reduce(0) { $0 + $1.rowBytes }
    let tables = Tensor(parts.flatMap { $0.table ?? [UInt8](repeating: 0, count: 256) })
    return PlanStep(label, kind: "concat", reads: parts.map(\.slot), writes: [target]) { arena in
      let y = arena.pointer(target, as: UInt8.self)
      let table = tables.withElements(of: UInt8.self) { $0.baseAddress! }
      let sources = parts.enumerated().map { index, part in
        ConcatSource(
          owner: tables, start: arena.pointer(part.slot), rowBytes: part.rowBytes,
          table: part.table == nil ? nil : table + 256 * index)
      }
      return ParallelRanges(pixels, grain: max(1, (1 << 13) / max(rowBytes, 1))) { range in
        sources.withUnsafeBufferPointer { sources in
          for pixel in range {
            var to = y + pixel * rowBytes
            for source in sources {
              source.copy(pixel, to: to)
              to += source.rowBytes
            }
          }
        }
      }.run
    }
  }
}
