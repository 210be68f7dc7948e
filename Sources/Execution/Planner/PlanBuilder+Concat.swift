import Graphs
import Tensors

/// Where a step puts images with the channels innermost: into a slot of their own, or among the channels of a
/// concatenation.
struct ImageTarget {
  let slot: Slot
  /// Elements from one pixel to the next.
  let stride: Int
  /// The first of its channels.
  var offset = 0

  /// The element that a pixel begins with.
  func index(ofPixel pixel: Int) -> Int { offset + pixel * stride }

  /// What a step that puts so many channels there writes of the slot.
  func part(channels: Int) -> (slot: Slot, channels: Int, all: Int) { (slot, channels, stride) }
}

extension PlanBuilder {
  /// A concatenation of images along their channels.
  private struct Concatenation {
    let image: (count: Int, channels: Int, pixels: Int)
    /// Where each input's channels begin.
    let offsets: [Int]
    /// What each input is held as, and the result: codes, where all are; else numbers.
    let codes: (inputs: [Codes], output: QuantizedOutput)?

    /// What an input's codes become, nil where they stay as they are.
    func table(_ input: Int) -> [UInt8]? {
      guard let codes else { return nil }
      let (source, output) = (codes.inputs[input], codes.output)
      if source.hasSameMeaning(as: output.codes) && output.clamp == 0...255 { return nil }
      return Codes.table(from: source, to: output.codes) { $0 }.map {
        min(max($0, output.clamp.lowerBound), output.clamp.upperBound)
      }
    }
  }

  /// `held` tells what codes a value is held as.
  private func concatenation(
    _ node: Node, _ held: (String) -> Codes?
  ) throws -> Concatenation? {
    let output = try type(of: node.outputs[0])
    guard node.operation == "Concat", let image = output.image, output.elementType == .float32,
      let concat = try Operators.decode(node, opsets: opsets) as? Concat,
      concat.axis == 1 || concat.axis == -3
    else { return nil }
    var offsets = [0]
    for name in node.inputs { try offsets.append(offsets.last! + type(of: name).shape[1]) }
    let codes = node.inputs.compactMap(held)
    let quantized = codes.count == node.inputs.count ? quantizedOutput(of: node.outputs[0]) : nil
    return Concatenation(image: image, offsets: offsets, codes: quantized.map { (codes, $0) })
  }

  /// The codes that a `DequantizeLinear` makes a value of, whether or not it has been lowered.
  private func dequantizedCodes(_ name: String) -> Codes? {
    guard let index = producers[name] else { return nil }
    let node = graph.nodes[index]
    guard node.operation == "DequantizeLinear", graph.constants[node.inputs[0]] == nil else {
      return nil
    }
    return perTensorCodes(node, holding: node.inputs[0])
  }

  /// Where a step that comes next puts images with the channels innermost, or their codes: where a concatenation that is their
  /// only reader has them, else into a new slot.
  mutating func imageTarget(for name: String, isShifted: Bool = false) throws -> ImageTarget {
    let form = Form(layout: .channelsLast, isShifted: isShifted)
    if let target = try targetInConcatenation(name, form) { return target }
    return ImageTarget(
      slot: try newSlot(for: name, form), stride: try type(of: name).shape[1])
  }

  private mutating func targetInConcatenation(_ name: String, _ form: Form) throws -> ImageTarget? {
    guard var reader = soleConsumer(of: name) else { return nil }
    var value = name
    let isCoded = graph.nodes[reader].operation == "DequantizeLinear"
    if isCoded {
      value = graph.nodes[reader].outputs[0]
      guard let next = soleConsumer(of: value) else { return nil }
      reader = next
    }
    let node = graph.nodes[reader]
    let places = node.inputs.indices.filter { node.inputs[$0] == value }
    guard let concatenation = try concatenation(node, dequantizedCodes), places.count == 1,
      isCoded == (concatenation.codes != nil), concatenation.table(places[0]) == nil
    else { return nil }
    let byteCount = try type(of: concatenation.codes?.output.codes.name ?? node.outputs[0])
      .byteCount
    let slot = concatenationSlots[reader] ?? newSlot(byteCount)
    concatenationSlots[reader] = slot
    let target = ImageTarget(
      slot: slot, stride: concatenation.image.channels, offset: concatenation.offsets[places[0]])
    imagesInConcatenations[name] = ImageInConcatenation(
      form: form, target: target, step: steps.count)
    return target
  }

  /// Lowers a concatenation of images along their channels, as codes or as numbers: what steps have not put there already is
  /// copied.
  mutating func lowerConcat(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    guard let concatenation = try concatenation(node, { codes[$0] }) else { return false }
    let output = concatenation.codes?.output
    guard
      output != nil || concatenationSlots[index] != nil
        || node.inputs.contains(where: { isChannelsLast($0) })
    else { return false }
    let elementSize = output == nil ? 4 : 1
    var parts: [ConcatPart] = []
    for (input, name) in node.inputs.enumerated() {
      let held = concatenation.codes?.inputs[input]
      if imagesInConcatenations[held?.name ?? name] != nil { continue }
      let slot =
        try held.map { try unsignedCodes($0, .channelsLast) }
        ?? slot(of: name, Form(layout: .channelsLast))
      let offset = concatenation.offsets[input]
      parts.append(
        ConcatPart(
          slot: slot, rowBytes: elementSize * (concatenation.offsets[input + 1] - offset),
          offset: elementSize * offset, table: concatenation.table(input)))
    }
    let form = Form(
      layout: .channelsLast, isShifted: output?.codes.elementType == .int8)
    let name = output?.codes.name ?? node.outputs[0]
    let slot = try concatenationSlots[index] ?? newSlot(type(of: name).byteCount)
    forms[name, default: [:]][form] = slot
    done.formUnion(output?.nodes ?? [])
    guard !parts.isEmpty else { return true }
    let image = concatenation.image
    steps.append(
      .concat(
        parts, pixels: image.count * image.pixels, rowBytes: elementSize * image.channels,
        into: slot, label: node.label))
    return true
  }
}

/// One input of a concatenation along the channels.
private struct ConcatPart {
  let slot: Slot
  /// The bytes of one pixel, and where they begin in a pixel of the result.
  let rowBytes: Int
  let offset: Int
  /// What each code becomes, nil where codes stay as they are.
  let table: [UInt8]?
}

/// Where one input of a concatenation lies, once its memory is known.
private struct ConcatSource {
  /// Keeps the table alive.
  let owner: PinnedElements<UInt8>
  let start: UnsafePointer<UInt8>
  let rowBytes: Int
  let offset: Int
  let table: UnsafePointer<UInt8>?

  func copy(_ pixel: Int, to pixels: UnsafeMutablePointer<UInt8>) {
    let from = start + pixel * rowBytes
    let target = pixels + offset
    if let table {
      Kernels.map(from, through: table, target, count: rowBytes)
    } else {
      UnsafeMutableRawPointer(target).copyMemory(from: from, byteCount: rowBytes)
    }
  }
}

extension PlanStep {
  fileprivate static func concat(
    _ parts: [ConcatPart], pixels: Int, rowBytes: Int, into target: Slot, label: String
  ) -> PlanStep {
    let tables = Tensor(parts.flatMap { $0.table ?? [UInt8](repeating: 0, count: 256) })
    let written = parts.reduce(0) { $0 + $1.rowBytes }
    return PlanStep(
      label, kind: "concat", reads: parts.map(\.slot), writes: [target],
      part: (target, written, rowBytes)
    ) { arena in
      let y = arena.pointer(target, as: UInt8.self)
      let tables = PinnedElements<UInt8>(tables)
      let sources = parts.enumerated().map { index, part in
        ConcatSource(
          owner: tables, start: arena.pointer(part.slot), rowBytes: part.rowBytes,
          offset: part.offset, table: part.table == nil ? nil : tables.start + 256 * index)
      }
      return ParallelRanges(pixels, grain: max(1, (1 << 13) / max(rowBytes, 1))) { range in
        sources.withUnsafeBufferPointer { sources in
          for pixel in range {
            for source in sources { source.copy(pixel, to: y + pixel * rowBytes) }
          }
        }
      }.run
    }
  }
}
