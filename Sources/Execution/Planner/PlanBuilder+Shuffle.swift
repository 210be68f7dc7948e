import Graphs
import Tensors

/// The shuffle of channels between grouped convolutions: Reshape, Transpose, Reshape, which with the channels innermost only
/// move the channels within each pixel.
extension PlanBuilder {
  private struct Shuffle {
    /// Into how many groups the channels fall.
    let groups: Int
    /// The nodes that are so computed.
    let nodes: [Int]
    /// What the last of them gives.
    let result: String
  }

  /// Lowers the three nodes of which this Reshape is the first.
  mutating func lowerShuffle(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    let type = try type(of: node.inputs[0])
    guard let image = type.image, type.elementType == .float32, type.shape.count > 0,
      isChannelsLast(node.inputs[0]),
      let shuffle = try shuffle(index, type.shape, codes[node.inputs[0]])
    else { return false }
    let (pixels, groups) = (image.count * image.pixels, shuffle.groups)
    let size = image.channels / groups
    if let source = codes[node.inputs[0]] {
      guard let output = quantizedOutput(of: shuffle.result),
        output.codes.hasSameMeaning(as: source), output.clamp == 0...255
      else { return false }
      let slot = try unsignedCodes(source, .channelsLast)
      let target = try newSlot(
        for: output.codes.name,
        Form(layout: .channelsLast, isShifted: source.elementType == .int8))
      steps.append(
        .shuffle(slot, pixels, image.channels, into: target, node.label) {
          (x: UnsafePointer<UInt8>, y, pixels) in
          Kernels.shuffle(x, pixels: pixels, groups: groups, size: size, into: y)
        })
      done.formUnion(output.nodes)
    } else {
      let slot = try slot(of: node.inputs[0], Form(layout: .channelsLast))
      let target = try newSlot(for: shuffle.result, Form(layout: .channelsLast))
      steps.append(
        .shuffle(slot, pixels, image.channels, into: target, node.label) {
          (x: UnsafePointer<Float>, y, pixels) in
          Kernels.shuffle(x, pixels: pixels, groups: groups, size: size, into: y)
        })
    }
    done.formUnion(shuffle.nodes)
    return true
  }

  /// The shuffle of `[N, groups × size, H, W]` that a Reshape begins; nil for any other.
  private func shuffle(_ index: Int, _ shape: Shape, _ source: Codes?) throws -> Shuffle? {
    let first = graph.nodes[index].outputs[0]
    let split = try type(of: first).shape
    guard split.rank == 5, split[0] == shape[0], split[1] * split[2] == shape[1],
      Array(split.dimensions[3...]) == Array(shape.dimensions[2...]),
      let swap = reader(of: first, source), graph.nodes[swap.node].operation == "Transpose",
      let transpose = try Operators.decode(graph.nodes[swap.node], opsets: opsets) as? Transpose,
      try transpose.order(rank: 5) == [0, 2, 1, 3, 4],
      let join = reader(of: graph.nodes[swap.node].outputs[0], source),
      graph.nodes[join.node].operation == "Reshape",
      graph.nodes[join.node].inputs[0] == join.value
    else { return nil }
    let result = graph.nodes[join.node].outputs[0]
    guard try type(of: result).shape == shape else { return nil }
    return Shuffle(
      groups: split[1], nodes: swap.passed + [swap.node] + join.passed + [join.node], result: result
    )
  }

  /// The only node that reads a value, and under which name: past a pair that quantizes it on the scale of `source`, which it
  /// has already, and whose nodes are told.
  private func reader(of name: String, _ source: Codes?) -> (
    node: Int, value: String, passed: [Int]
  )? {
    guard let index = soleConsumer(of: name) else { return nil }
    let node = graph.nodes[index]
    guard node.operation == "QuantizeLinear" else { return (index, name, []) }
    guard let source, let held = perTensorCodes(node, holding: node.outputs[0]),
      held.hasSameMeaning(as: source),
      let back = soleConsumer(of: node.outputs[0]),
      let returned = perTensorCodes(graph.nodes[back], holding: node.outputs[0]),
      graph.nodes[back].operation == "DequantizeLinear", returned.hasSameMeaning(as: held),
      let next = soleConsumer(of: graph.nodes[back].outputs[0])
    else { return nil }
    return (next, graph.nodes[back].outputs[0], [index, back])
  }
}

extension PlanStep {
  /// `body(x, y, pixels)` deals out the channels of pixels.
  fileprivate static func shuffle<Element>(
    _ source: Slot, _ pixels: Int, _ channels: Int, into target: Slot, _ label: String,
    _ body: @escaping (UnsafePointer<Element>, UnsafeMutablePointer<Element>, Int) -> Void
  ) -> PlanStep {
    PlanStep(label, kind: "channel shuffle", reads: [source], writes: [target]) { arena in
      let x = arena.pointer(source, as: Element.self)
      let y = arena.pointer(target, as: Element.self)
      return ParallelRanges(pixels, grain: max(1, (1 << 13) / channels)) { part in
        let start = part.lowerBound * channels
        body(x + start, y + start, part.count)
      }.run
    }
  }
}
