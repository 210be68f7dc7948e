import Graphs
import Tensors

/// Two layers of which the second alone reads what the first computes, channel by channel.
///
/// Between them may stand what commutes with a positive factor on each channel: Relu, LeakyRelu, pooling, and Clip at zero as
/// far as its upper bound is not reached.
struct EqualizationPair {
  /// The indices of the layers' nodes.
  let first: Int
  let second: Int
  /// The index of a Clip between them, nil where there is none.
  let clip: Int?

  private static let commuting: Set<OperatorName> = [
    "Relu", "LeakyRelu", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool",
  ]

  /// All pairs of a graph, in the order of their first layers.
  static func all(in graph: Graph) -> [EqualizationPair] {
    let consumers = graph.consumers()
    return graph.nodes.indices.compactMap { index in
      guard let layer = LinearLayer(graph.nodes[index], constants: graph.constants),
        layer.node.operation != "MatMul"
      else { return nil }
      return pair(from: index, layer, graph, consumers)
    }
  }

  private static func pair(
    from index: Int, _ layer: LinearLayer, _ graph: Graph, _ consumers: [String: [Int]]
  ) -> EqualizationPair? {
    var value = layer.node.outputs[0]
    var clip: Int?
    while true {
      guard let readers = consumers[value], readers.count == 1, !graph.isOutput(value) else {
        return nil
      }
      let node = graph.nodes[readers[0]]
      guard node.inputs[0] == value, !node.inputs.dropFirst().contains(value) else { return nil }
      if let next = LinearLayer(node, constants: graph.constants) {
        guard next.inputs.count == layer.outputs.count else { return nil }
        return EqualizationPair(first: index, second: readers[0], clip: clip)
      }
      if node.operation == "Clip", clip == nil,
        ClipBounds(node, constants: graph.constants)?.clampsAtZero ?? false
      {
        clip = readers[0]
      } else if !commuting.contains(node.operation) || node.outputs.count != 1 {
        guard keepsChannels(node, layer.outputs.count, graph) else { return nil }
      }
      value = node.outputs[0]
    }
  }

  /// Whether a node only drops axes of length 1 behind the channels.
  private static func keepsChannels(_ node: Node, _ channels: Int, _ graph: Graph) -> Bool {
    guard ["Flatten", "Reshape", "Squeeze"].contains(node.operation.type),
      let before = graph.type(of: node.inputs[0])?.dimensions, before.count > 2,
      let after = graph.type(of: node.outputs[0])?.dimensions, after.count == 2
    else { return false }
    return before[2...].allSatisfy { $0.length == 1 } && before[1].length == channels
      && after[1].length == channels
  }
}
