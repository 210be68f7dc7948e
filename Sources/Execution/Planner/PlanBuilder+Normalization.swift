import Graphs
import Tensors

extension PlanBuilder {
  /// Lowers a softmax over neighbouring elements.
  mutating func lowerSoftmax(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    let type = try type(of: node.inputs[0])
    guard type.elementType == .float32, type.shape.count > 0,
      let softmax = try Operators.decode(node, opsets: opsets) as? Softmax
    else { return false }
    let lines = try AxisLines(type.shape, axis: softmax.axis)
    guard lines.step == 1 else { return false }
    let source = try rowMajor(node.inputs[0])
    let target = try newSlot(for: node.outputs[0], Form(layout: .rowMajor))
    let length = lines.length
    steps.append(
      PlanStep(node.label, kind: "Softmax", reads: [source], writes: [target]) { arena in
        let x = arena.pointer(source, as: Float.self)
        let y = arena.pointer(target, as: Float.self)
        return ParallelRanges(lines.count, grain: max(1, (1 << 11) / length)) { part in
          let start = part.lowerBound * length
          Kernels.softmax(x + start, y + start, rows: part.count, count: length)
        }.run
      })
    return true
  }

  /// Lowers local response normalization of images with the channels innermost.
  mutating func lowerResponseNormalization(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    let type = try type(of: node.inputs[0])
    guard let image = type.image, type.elementType == .float32, type.shape.count > 0,
      isChannelsLast(node.inputs[0]),
      let norm = try Operators.decode(node, opsets: opsets) as? LRN, norm.size <= 64
    else { return false }
    let source = try slot(of: node.inputs[0], Form(layout: .channelsLast))
    let target = try newSlot(for: node.outputs[0], Form(layout: .channelsLast))
    let factor = Float(Double(norm.alpha) / Double(norm.size))
    steps.append(
      PlanStep(node.label, kind: "response normalization", reads: [source], writes: [target]) {
        arena in
        let x = arena.pointer(source, as: Float.self)
        let y = arena.pointer(target, as: Float.self)
        return {
          Kernels.normalizeResponses(
            x, rows: image.count * image.pixels, channels: image.channels, size: norm.size,
            factor: factor, beta: norm.beta, bias: norm.bias, into: y)
        }
      })
    return true
  }
}
