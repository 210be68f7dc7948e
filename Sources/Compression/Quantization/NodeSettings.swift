import Graphs
import NumberFormats

/// What a recipe asks for one node.
struct NodeSettings: Sendable {
  /// How the node is to be computed.
  enum Mode: Sendable {
    case float, integer, dynamic, weightOnly
  }

  var mode: Mode
  var weights: Recipe.Weights
  /// How its activations are stored; plays no role unless the mode is `integer`.
  var activations: Recipe.Activations
  /// Why the node is to stay float; empty where it is not.
  var reason = ""
  /// Whether an override says which of its weights share a scale.
  var overridesGranularity = false
}

extension Recipe {
  /// What the recipe asks for each node of a graph. Throws ``RecipeError`` where a pattern matches no node, or overrides that
  /// match together contradict each other.
  func nodeSettings(of graph: Graph) throws -> [NodeSettings] {
    let identities = graph.nodeIdentities
    try requirePatternsMatch(identities)
    return try identities.map { identity in
      let settings = try settings(for: identity)
      let mode: NodeSettings.Mode =
        switch method {
        case _ where settings.keepFloat: .float
        case .static: .integer
        case .dynamic: .dynamic
        case .weightOnly: .weightOnly
        }
      return NodeSettings(
        mode: mode, weights: settings.weights,
        activations: settings.activations ?? Defaults.activations, reason: settings.reason,
        overridesGranularity: settings.overridesGranularity)
    }
  }
}

extension Graph {
  /// What patterns see of each node.
  var nodeIdentities: [NodeIdentity] {
    let layers = nodes.indices.filter { LinearLayer(nodes[$0], constants: constants) != nil }
    return nodes.indices.map { index in
      let node = nodes[index]
      return NodeIdentity(
        name: node.name.isEmpty ? node.outputs.first ?? "" : node.name,
        label: node.label, operation: "\(node.operation)", isFirst: index == layers.first,
        isLast: index == layers.last)
    }
  }
}
