import Graphs
import Tensors

extension CrossLayerEqualization {
  /// Holds each channel behind a Clip to the bound that its factor makes of the Clip's.
  ///
  /// `Clip(x, 0, u)` becomes `Min(Clip(x, 0, max u[i]), u[i])` with `u[i] = u / s[i]`, channel by channel.
  func addBounds(_ pairs: [EqualizationPair], _ factors: [[Double]], to graph: inout Graph) {
    var names = graph.names()
    let ordered = zip(pairs, factors).compactMap { pair, factors in
      pair.clip.map { (clip: $0, first: pair.first, factors: factors) }
    }
    for (index, first, factors) in ordered.sorted(by: { $0.clip > $1.clip }) {
      guard factors.contains(where: { $0 != 1 }),
        let upper = ClipBounds(graph.nodes[index], constants: graph.constants)?.upper,
        upper.isFinite, let rank = graph.constants[graph.nodes[first].inputs[1]]?.shape.rank
      else { continue }
      let bounds = factors.map { Float(Double(upper) / $0) }
      var clip = graph.nodes[index]
      let output = clip.outputs[0]
      clip.outputs[0] = Graph.unusedName(output + "_clipped", taken: &names)
      let zero = Graph.unusedName(output + "_lower", taken: &names)
      let greatest = Graph.unusedName(output + "_upper", taken: &names)
      let each = Graph.unusedName(output + "_bounds", taken: &names)
      graph.constants[zero] = Tensor(scalar: Float(0))
      graph.constants[greatest] = Tensor(scalar: bounds.max() ?? upper)
      graph.constants[each] = Tensor(
        bounds, shape: Shape([1, bounds.count] + Array(repeating: 1, count: rank - 2)))
      clip.inputs = [clip.inputs[0], zero, greatest]
      graph.nodes[index] = clip
      graph.nodes.insert(
        Node(
          "Min", name: clip.name + "_bounds", inputs: [clip.outputs[0], each], outputs: [output]),
        at: index + 1)
    }
    graph.removeUnused()
  }
}
