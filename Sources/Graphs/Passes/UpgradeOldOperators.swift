import Tensors

/// Brings models of opset 7 to 12 to the forms of opset 13, the oldest that ``Operator``s know.
///
/// *Given* a model whose opset is 7 to 12. *Result* the same function in opset 13; each row of `upgrades` says what becomes
/// of its operator, those without a row mean the same in both. Models of opset 13 and later are left alone.
public struct UpgradeOldOperators: GraphPass {
  public static let name = "upgrade-old-operators"

  /// The opset that models are brought to.
  public static let opset = 13

  /// The oldest opset that is understood.
  public static let oldestOpset = 7

  /// The pass.
  public init() {}

  public func apply(to model: inout Model) throws {
    guard model.opset < Self.opset else { return }
    guard model.opset >= Self.oldestOpset else {
      throw GraphError(
        .unsupportedOperator,
        "the model is written in opset \(model.opset); must be \(Self.oldestOpset) or later: "
          + "convert it with onnx.version_converter")
    }
    let opset = model.opset
    var taken = model.graph.allNames()
    model.graph = try Self.upgraded(model.graph, from: opset, by: Self.upgrades, &taken)
    model.opset = Self.opset
    if model.graph.contains(Self.normalizations) {
      // Types only save nodes here, so that what can't be inferred is no error.
      let typed = try? model.graph.inferringTypes(opsets: model.opsets)
      model.graph = try Self.upgraded(
        model.graph, typed: typed, from: opset, by: Self.normalizations, &taken)
    }
  }

  /// What becomes of one operator: a function that rewrites a node, and the opset from which on nothing is to be done.
  typealias Upgrade = (before: Int, rewrite: @Sendable (inout OldNode) throws -> Void)

  /// Every operator whose form changed between opset 7 and 13, but for ``normalizations``.
  static let upgrades: [OperatorName: Upgrade] = [
    "BatchNormalization": (13, upgradeBatchNormalization),
    "Clip": (11, upgradeClip),
    "Dropout": (12, upgradeDropout),
    "Pad": (11, upgradePad),
    "ReduceSum": (13, upgradeAxes),
    "Resize": (13, upgradeResize),
    "Scan": (9, refuseScan),
    "Scatter": (11, upgradeScatter),
    "Slice": (10, upgradeSlice),
    "Split": (13, upgradeSplit),
    "Squeeze": (13, upgradeAxes),
    "TopK": (10, upgradeTopK),
    "Unsqueeze": (13, upgradeAxes),
    "Upsample": (10, upgradeUpsample),
  ]

  /// The operators that normalize a matrix made of their input before opset 13, and one axis of it since.
  static let normalizations: [OperatorName: Upgrade] = [
    "Hardmax": (13, upgradeNormalization),
    "LogSoftmax": (13, upgradeNormalization),
    "Softmax": (13, upgradeNormalization),
  ]

  private static func upgraded(
    _ graph: Graph, typed: Graph? = nil, from opset: Int, by table: [OperatorName: Upgrade],
    _ taken: inout Set<String>
  ) throws -> Graph {
    let source = OldNode.Source(graph, typed: typed)
    var graph = graph
    graph.nodes = []
    for (index, node) in source.graph.nodes.enumerated() {
      let typedNode = typed?.nodes[index]
      var node = node
      try located(node.label) {
        for name in node.attributes.keys.sorted() {
          guard case .graph(let subgraph)? = node.attributes[name] else { continue }
          let typed = typedNode?.attributes[name]?.graphs.first
          node.attributes[name] = .graph(
            try upgraded(subgraph, typed: typed, from: opset, by: table, &taken))
        }
        guard let upgrade = table[node.operation], opset < upgrade.before else {
          graph.nodes.append(node)
          return
        }
        var old = OldNode(node, opset: opset, in: source, taken)
        // Only one holder of the names, so that adding one does not copy them all.
        taken = []
        try upgrade.rewrite(&old)
        taken = old.taken
        graph.constants.merge(old.constants) { _, new in new }
        graph.nodes += old.before + [old.node] + old.after
      }
    }
    return graph
  }
}

extension Graph {
  /// Every name in the graph and in those of its nodes.
  fileprivate func allNames() -> Set<String> {
    var names = names().union(outputs.map(\.name))
    for node in nodes { for graph in node.subgraphs { names.formUnion(graph.allNames()) } }
    return names
  }

  fileprivate func contains(_ table: [OperatorName: UpgradeOldOperators.Upgrade]) -> Bool {
    nodes.contains { node in
      table[node.operation] != nil || node.subgraphs.contains { $0.contains(table) }
    }
  }
}
