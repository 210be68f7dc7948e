import Graphs
import Tensors

extension PlanBuilder {
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
