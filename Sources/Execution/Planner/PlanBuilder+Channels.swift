import Graphs
import Tensors

/// Operations on images and one number per channel: squeeze-and-excitation, clamps that differ by channel.
extension PlanBuilder {
  /// Two operands of which the second has one number per channel, or per image and channel, of the first.
  struct ChannelOperands {
    /// The positions of the images and of the numbers among the node's inputs.
    let images: Int
    let numbers: Int
    /// The lengths of the images.
    let image: (count: Int, channels: Int, pixels: Int)
    /// Whether each image has numbers of its own.
    let isPerImage: Bool
  }

  /// How the inputs of a node pair up, where one has the images and the other their channels' numbers; else nil.
  func channelOperands(_ node: Node) throws -> ChannelOperands? {
    guard node.inputs.count == 2 else { return nil }
    let output = try type(of: node.outputs[0])
    for (images, numbers) in [(0, 1), (1, 0)] {
      let shape = try type(of: node.inputs[numbers]).shape
      guard try type(of: node.inputs[images]).shape == output.shape, let image = output.image,
        image.count * image.channels * image.pixels > 0, shape.rank >= 3,
        shape[-3] == image.channels, shape[-2] == 1, shape[-1] == 1
      else { continue }
      let count = shape.rank == 4 ? shape[0] : 1
      guard count == 1 || count == image.count else { continue }
      return ChannelOperands(
        images: images, numbers: numbers, image: image, isPerImage: count > 1)
    }
    return nil
  }

  /// Lowers an operation on images, channels innermost, and one number per channel.
  mutating func lowerWithChannels(_ node: Node, _ operation: Kernels.Binary) throws -> Bool {
    guard let operands = try channelOperands(node), isChannelsLast(node.inputs[operands.images])
    else { return false }
    if try lowerInt8WithChannels(node, operation, operands) { return true }
    let images = try slot(of: node.inputs[operands.images], Form(layout: .channelsLast))
    let numbers = try rowMajor(node.inputs[operands.numbers])
    var clamp = -Float.infinity...Float.infinity
    let result = fuseClamp(node.outputs[0], &clamp)
    let target = try newSlot(for: result, Form(layout: .channelsLast))
    let (range, isClamped) = (clamp, result != node.outputs[0])
    let (channels, imagesFirst) = (operands.image.channels, operands.images == 0)
    steps.append(
      .perPixel("float \(operation)", operands, images, numbers, into: target, label: node.label) {
        (x: UnsafePointer<Float>, row: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>) in
        if imagesFirst {
          Kernels.apply(operation, x, row, y, count: channels)
        } else {
          Kernels.apply(operation, row, x, y, count: channels)
        }
        if isClamped { Kernels.clamp(y, y, count: channels, to: range) }
      })
    return true
  }

  /// Products of codes: the factors of squeeze-and-excitation.
  private mutating func lowerInt8WithChannels(
    _ node: Node, _ operation: Kernels.Binary, _ operands: ChannelOperands
  ) throws -> Bool {
    guard operation == .multiply, let x = codes[node.inputs[operands.images]],
      let factors = codes[node.inputs[operands.numbers]],
      let output = quantizedOutput(of: node.outputs[0])
    else { return false }
    let images = try unsignedCodes(x, .channelsLast)
    let numbers = try unsignedCodes(factors, .rowMajor)
    let target = try newSlot(
      for: output.codes.name,
      Form(layout: .channelsLast, isShifted: output.codes.elementType == .int8))
    let (qx, qf, qy) = (x.affine, factors.affine, output.codes.affine)
    let offset = output.codes.offset
    let (channels, clamp) = (operands.image.channels, output.clamp)
    steps.append(
      .perPixel("int8 \(operation)", operands, images, numbers, into: target, label: node.label) {
        (x: UnsafePointer<UInt8>, row: UnsafePointer<UInt8>, y: UnsafeMutablePointer<UInt8>) in
        Kernels.multiply(x, qx, row, qf, y, qy, offset: offset, count: channels)
        if clamp != 0...255 { Kernels.clamp(y, y, count: channels, to: clamp) }
      })
    done.formUnion(output.nodes)
    return true
  }
}

// MARK: - Min and Max

extension PlanBuilder {
  /// Lowers the smaller or greater of two values as codes.
  ///
  /// Quantizing is monotone, so that the least of the codes is the code of the least: exactly what the definition gives.
  mutating func lowerExtremum(_ index: Int, _ operation: Kernels.Binary) throws -> Bool {
    let node = graph.nodes[index]
    guard node.inputs.count == 2, try type(of: node.outputs[0]).elementType == .float32 else {
      return false
    }
    if try lowerInt8Extremum(node, operation) { return true }
    if try type(of: node.inputs[0]).shape == type(of: node.inputs[1]).shape {
      return try lowerBinary(index, operation)
    }
    return try lowerWithChannels(node, operation) || lowerRows(index)
      || lowerWithScalar(node, operation)
  }

  private mutating func lowerInt8Extremum(
    _ node: Node, _ operation: Kernels.Binary
  ) throws -> Bool {
    guard let output = quantizedOutput(of: node.outputs[0]) else { return false }
    if let (source, bound) = try boundedByConstant(node) {
      return try lowerBound(node, operation, source, bound, output)
    }
    guard let a = codes[node.inputs[0]], let b = codes[node.inputs[1]],
      try type(of: node.inputs[0]).shape == type(of: node.inputs[1]).shape
    else { return false }
    let layout: Form.Layout =
      isChannelsLast(node.inputs[0]) || isChannelsLast(node.inputs[1]) ? .channelsLast : .rowMajor
    let count = try type(of: node.outputs[0]).shape.count
    let first = try requantized(a, output.codes, layout, count: count, label: node.label)
    let second = try requantized(b, output.codes, layout, count: count, label: node.label)
    let target = try newSlot(
      for: output.codes.name, Form(layout: layout, isShifted: output.codes.elementType == .int8))
    let clamp = output.clamp
    steps.append(
      PlanStep(
        node.label, kind: "int8 \(operation)", reads: [first, second], writes: [target]
      ) { arena in
        let x0 = arena.pointer(first, as: UInt8.self)
        let x1 = arena.pointer(second, as: UInt8.self)
        let y = arena.pointer(target, as: UInt8.self)
        return ParallelRanges(count) { part in
          let i = part.lowerBound
          extremum(operation, x0 + i, x1 + i, y + i, count: part.count)
          if clamp != 0...255 { Kernels.clamp(y + i, y + i, count: part.count, to: clamp) }
        }.run
      })
    done.formUnion(output.nodes)
    return true
  }

  /// The codes and the constant of a node that has one of each.
  private mutating func boundedByConstant(_ node: Node) throws -> (source: Int, bound: Tensor)? {
    for (source, bound) in [(0, 1), (1, 0)] where codes[node.inputs[source]] != nil {
      if let tensor = try constant(node.inputs[bound]) { return (source, tensor) }
    }
    return nil
  }

  /// One bound for all, or one per channel.
  private mutating func lowerBound(
    _ node: Node, _ operation: Kernels.Binary, _ source: Int, _ bound: Tensor,
    _ output: QuantizedOutput
  ) throws -> Bool {
    let type = try type(of: node.outputs[0])
    guard let codes = codes[node.inputs[source]],
      try self.type(of: node.inputs[source]).shape == type.shape
    else { return false }
    let bounds = bound.elements(of: Float.self)
    guard bounds.count > 1 else {
      let table = Codes.table(from: codes, to: output.codes) {
        operation == .min ? min($0, bounds[0]) : max($0, bounds[0])
      }.map { min(max($0, output.clamp.lowerBound), output.clamp.upperBound) }
      return try lowerTable(node, codes, table, output, count: type.shape.count)
    }
    guard let operands = try channelOperands(node), operands.images == source,
      !operands.isPerImage
    else { return false }
    let images = try requantized(
      codes, output.codes, .channelsLast, count: type.shape.count, label: node.label)
    let target = try newSlot(
      for: output.codes.name,
      Form(layout: .channelsLast, isShifted: output.codes.elementType == .int8))
    steps.append(
      .bound(
        operation, images, operands.image, bounds.map { output.codes.unsignedCode(of: $0) },
        output.clamp, into: target, node.label))
    done.formUnion(output.nodes)
    return true
  }

  /// The codes of a value on another scale, through a table where the scales differ.
  private mutating func requantized(
    _ source: Codes, _ target: Codes, _ layout: Form.Layout, count: Int, label: String
  ) throws -> Slot {
    let slot = try unsignedCodes(source, layout)
    if source.unsignedMeaning == target.unsignedMeaning { return slot }
    let result = newSlot(count)
    let table = Codes.table(from: source, to: target) { $0 }
    steps.append(.lookup(slot, table, into: result, count: count, label: label))
    return result
  }
}

extension PlanBuilder.Codes {
  /// What an unsigned code means.
  fileprivate var unsignedMeaning: [Float] { [scale, Float(unsignedZeroPoint)] }
}

/// The smaller or greater of each pair of codes.
private func extremum(
  _ operation: Kernels.Binary, _ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>,
  _ y: UnsafeMutablePointer<UInt8>, count: Int
) {
  if operation == .min {
    for i in 0..<count { y[i] = min(a[i], b[i]) }
  } else {
    for i in 0..<count { y[i] = max(a[i], b[i]) }
  }
}

extension PlanStep {
  /// `body(pixel, numbers, result)` for each pixel of images with the channels innermost.
  fileprivate static func perPixel<Element>(
    _ kind: String, _ operands: PlanBuilder.ChannelOperands, _ images: Slot, _ numbers: Slot,
    into target: Slot, label: String,
    _ body:
      @escaping (
        UnsafePointer<Element>, UnsafePointer<Element>, UnsafeMutablePointer<Element>
      ) -> Void
  ) -> PlanStep {
    let (count, channels, pixels) = operands.image
    let numbersPerImage = operands.isPerImage ? channels : 0
    return PlanStep(label, kind: kind, reads: [images, numbers], writes: [target]) { arena in
      let x = arena.pointer(images, as: Element.self)
      let row = arena.pointer(numbers, as: Element.self)
      let y = arena.pointer(target, as: Element.self)
      return ParallelRanges(count * pixels, grain: max(1, (1 << 12) / channels)) { part in
        for pixel in part {
          body(
            x + pixel * channels, row + pixel / pixels * numbersPerImage, y + pixel * channels)
        }
      }.run
    }
  }

  /// Codes of images held to one bound per channel, then to `clamp`.
  fileprivate static func bound(
    _ operation: Kernels.Binary, _ source: Slot, _ image: (count: Int, channels: Int, pixels: Int),
    _ bounds: [UInt8], _ clamp: ClosedRange<UInt8>, into target: Slot, _ label: String
  ) -> PlanStep {
    PlanStep(label, kind: "int8 \(operation)", reads: [source], writes: [target]) { arena in
      let x = arena.pointer(source, as: UInt8.self)
      let y = arena.pointer(target, as: UInt8.self)
      let channels = image.channels
      return ParallelRanges(image.count * image.pixels, grain: max(1, (1 << 12) / channels)) {
        part in
        for pixel in part {
          let result = y + pixel * channels
          extremum(operation, x + pixel * channels, bounds, result, count: channels)
          if clamp != 0...255 { Kernels.clamp(result, result, count: channels, to: clamp) }
        }
      }.run
    }
  }
}
