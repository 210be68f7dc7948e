import Graphs
import Tensors

/// Operators that move whole pixels of images: every channel alike.
extension PlanBuilder {
  /// Lowers Pad, Resize to the nearest pixel, and Slice along height and width, as codes or as numbers with the channels
  /// innermost.
  mutating func lowerPixels(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    let input = try type(of: node.inputs[0])
    guard let image = input.image, input.elementType == .float32, input.shape.count > 0 else {
      return false
    }
    let output = try type(of: node.outputs[0]).shape
    guard Array(output.dimensions[..<2]) == Array(input.shape.dimensions[..<2]),
      let sources = try sourcePixels(node, input.shape, output)
    else { return false }
    if let source = codes[node.inputs[0]], let quantized = quantizedOutput(of: node.outputs[0]),
      quantized.codes.hasSameMeaning(as: source), quantized.clamp == 0...255
    {
      let slot = try unsignedCodes(source, .channelsLast)
      let target = try newSlot(
        for: quantized.codes.name,
        Form(layout: .channelsLast, isShifted: source.elementType == .int8))
      let padding = [UInt8](
        repeating: source.unsignedCode(of: paddingValue(node)), count: image.channels)
      steps.append(
        .pixels(slot, image, sources, padding: padding, into: target, label: node.label))
      done.formUnion(quantized.nodes)
      return true
    }
    guard isChannelsLast(node.inputs[0]) else { return false }
    let slot = try slot(of: node.inputs[0], Form(layout: .channelsLast))
    let target = try newSlot(for: node.outputs[0], Form(layout: .channelsLast))
    let padding = [Float](repeating: paddingValue(node), count: image.channels)
    steps.append(.pixels(slot, image, sources, padding: padding, into: target, label: node.label))
    return true
  }

  private func paddingValue(_ node: Node) -> Float {
    node.operation == "Pad" ? scalar(node.input(2)) ?? 0 : 0
  }

  /// For each output pixel the input pixel that it is, −1 where it is padding; nil where channels are not moved alike.
  ///
  /// The operator's reference function moves the numbers of the pixels of an image with one channel.
  private func sourcePixels(_ node: Node, _ input: Shape, _ output: Shape) throws -> [Int32]? {
    var others: [Tensor?] = []
    for name in node.inputs.dropFirst() {
      guard !name.isEmpty else {
        others.append(nil)
        continue
      }
      guard let constant = graph.constants[name] else { return nil }
      others.append(constant)
    }
    let decoded = try Operators.decode(node, opsets: opsets)
    guard let inputs = onePixelChannel(node, decoded, others),
      let function = OperatorFunctions.all[node.operation]
    else { return nil }
    let (height, width) = (input[2], input[3])
    let numbers = Tensor((0..<Int32(height * width)).map { $0 }, shape: [1, 1, height, width])
    let call = OperatorCall(
      inputs: [numbers] + inputs, outputCount: 1, pool: BufferPool(), opsets: opsets,
      scope: { _ in nil })
    let result = try function.run(decoded, call)[0]
    guard result.shape == [1, 1, output[2], output[3]] else { return nil }
    return result.elements(of: Int32.self)
  }

  /// The other inputs for an image with one channel; nil where the node does not leave images and channels alone.
  private func onePixelChannel(
    _ node: Node, _ decoded: any Operator, _ others: [Tensor?]
  ) -> [Tensor?]? {
    func isSpatial(_ axes: [Int]) -> Bool { axes.allSatisfy { [2, 3, -1, -2].contains($0) } }
    var others = others
    switch decoded {
    case let resize as Resize:
      guard resize.mode == .nearest, resize.coordinates != .cropAndResize else { return nil }
      if let axes = resize.axes { return isSpatial(axes) ? others : nil }
      if others.count > 2, let sizes = others[2]?.integers(), sizes.count == 4 {
        others[2] = Tensor([1, 1, Int64(sizes[2]), Int64(sizes[3])])
      }
      return others
    case is Pad:
      guard let pads = others[0]?.integers() else { return nil }
      if others.count > 2, let axes = others[2]?.integers() {
        guard isSpatial(axes) else { return nil }
      } else {
        guard pads.count == 8, [0, 1, 4, 5].allSatisfy({ pads[$0] == 0 }) else { return nil }
      }
      if others.count > 1, others[1] != nil, others[1]?.elementType != .float32 { return nil }
      if others.count == 1 { others.append(nil) }
      others[1] = Tensor(scalar: Int32(-1))
      return others
    case is Slice:
      guard others.count > 2, let axes = others[2]?.integers(), isSpatial(axes) else { return nil }
      return others
    default: return nil
    }
  }
}

extension PlanStep {
  /// Each output pixel is an input pixel, or padding where its number is negative.
  fileprivate static func pixels<Element: BitwiseCopyable & Sendable>(
    _ source: Slot, _ image: (count: Int, channels: Int, pixels: Int), _ sources: [Int32],
    padding: [Element], into target: Slot, label: String
  ) -> PlanStep {
    let (count, channels) = (image.count, image.channels)
    return PlanStep(label, kind: "pixels", reads: [source], writes: [target]) { arena in
      let x = arena.pointer(source, as: Element.self)
      let y = arena.pointer(target, as: Element.self)
      return ParallelRanges(count * sources.count, grain: max(1, (1 << 12) / channels)) { part in
        padding.withUnsafeBufferPointer { padding in
          for pixel in part {
            let from = Int(sources[pixel % sources.count])
            let start = x + (pixel / sources.count * image.pixels + from) * channels
            (y + pixel * channels).update(
              from: from < 0 ? padding.baseAddress! : UnsafePointer(start), count: channels)
          }
        }
      }.run
    }
  }
}
