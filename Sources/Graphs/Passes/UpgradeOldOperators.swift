import Tensors

/// Brings models of opset 7 to 12 to the forms of opset 13, the oldest that ``Operator``s know.
///
/// *Given* a model whose opset is 7 to 12. *Result* the same function in opset 13; each row of ``upgrades`` says what becomes
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

/// A node of an old opset while it is rewritten.
struct OldNode {
  var node: Node
  /// The opset that it is written in.
  let opset: Int
  /// Nodes that come to stand before and after it.
  var before: [Node] = []
  var after: [Node] = []
  /// Constants that are new.
  private(set) var constants: [String: Tensor] = [:]
  private(set) var taken: Set<String>
  private let source: Source

  /// The graph that the node stands in, as it was.
  struct Source {
    let graph: Graph
    /// The same with more types known, where there are.
    let typed: Graph?
    /// Every value that somebody reads.
    let reads: Set<String>

    init(_ graph: Graph, typed: Graph?) {
      self.graph = graph
      self.typed = typed
      var reads = Set(graph.outputs.map(\.name))
      for node in graph.nodes { reads.formUnion(node.inputs) }
      for node in graph.nodes { reads.formUnion(node.capturedValues()) }
      self.reads = reads
    }
  }

  init(_ node: Node, opset: Int, in source: Source, _ taken: Set<String>) {
    self.node = node
    self.opset = opset
    self.source = source
    self.taken = taken
  }

  /// What is known of the first input's type.
  var inputType: ValueType? {
    node.input(0).flatMap { (source.typed ?? source.graph).type(of: $0) }
  }

  /// The value of an input, where it is a constant of the node's graph.
  func constant(_ index: Int) -> Tensor? {
    node.input(index).flatMap { source.graph.constants[$0] }
  }

  /// Whether anybody reads a value.
  func isRead(_ name: String) -> Bool { !name.isEmpty && source.reads.contains(name) }

  /// A new name for a value that belongs to the node.
  mutating func newName(_ suffix: String) -> String {
    let stem = node.name.isEmpty ? node.outputs.first ?? node.operation.type : node.name
    return Graph.unusedName("\(stem)_\(suffix)", taken: &taken)
  }

  /// The name of a new constant.
  mutating func addConstant(_ suffix: String, _ tensor: Tensor) -> String {
    let name = newName(suffix)
    constants[name] = tensor
    return name
  }

  /// A new node beside this one, reading and computing the given values.
  func neighbour(
    _ operation: OperatorName, _ suffix: String, reads inputs: [String], computes output: String,
    _ attributes: [String: AttributeValue] = [:]
  ) -> Node {
    Node(
      operation, name: node.name.isEmpty ? "" : "\(node.name)_\(suffix)", inputs: inputs,
      outputs: [output], attributes: attributes)
  }

  /// Takes an attribute away and decodes it.
  mutating func take<Value>(
    _ name: String, _ decode: (inout AttributeReader) throws -> Value?
  ) throws -> Value? {
    var reader = AttributeReader(node.attributes, opset: opset)
    defer { node.attributes[name] = nil }
    return try decode(&reader)
  }

  /// Makes an attribute of integers the input at `index`; nothing where it is absent.
  mutating func moveInts(_ name: String, toInput index: Int) throws {
    guard let values = try take(name, { try $0.ints(name) }) else { return }
    setInput(index, addConstant(name, Tensor(values.map { Int64($0) })))
  }

  /// Lets the node read `name` as its input at `index`; those before it that are missing count as left out.
  mutating func setInput(_ index: Int, _ name: String) {
    while node.inputs.count <= index { node.inputs.append("") }
    node.inputs[index] = name
  }

  /// A scalar of the type that the node's first input has; of float32 where that is not known.
  func scalar(_ value: Float) throws -> Tensor {
    switch inputType?.elementType {
    case .float64: Tensor(scalar: Double(value))
    case .float32, nil: Tensor(scalar: value)
    case .float16:
      Tensor([], of: UInt16.self) { bits in
        Kernels.floatToFloat16([value], bits.baseAddress!, count: 1)
      }.reinterpreted(as: .float16)
    case let type?:
      throw GraphError(
        .unsupportedOperator,
        "\(node.operation) of opset \(opset) with \(type) inputs can't be upgraded; "
          + "convert the model to opset 13 with onnx.version_converter")
    }
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
