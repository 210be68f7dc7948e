import Execution
public import Graphs
import Tensors

/// What a model consists of: its border, its operators, its constants and how their numbers are spread.
public struct ModelSummary: Sendable {
  /// How often an operator stands in the graph, graphs inside control-flow nodes included.
  public struct OperatorCount: Sendable, Equatable {
    /// The operator.
    public let operation: OperatorName
    /// How many nodes there are of it.
    public let count: Int
    /// Whether it can be run here.
    public let isSupported: Bool
    /// The number of elements of the constants that these nodes read; one that several nodes read counts for the first.
    public let parameterCount: Int
    /// The products that one run multiplies and adds up; nil where a shape is not known.
    public let multiplications: Int?
  }

  /// One node of the graph.
  public struct NodeSummary: Sendable {
    /// The node's label.
    public let label: String
    /// The operator.
    public let operation: OperatorName
    /// The types of the outputs, as far as they are known.
    public let outputs: [Graph.Value]
    /// The number of elements of the constants that it is the first to read.
    public let parameterCount: Int
    /// The products that one run multiplies and adds up; nil where a shape is not known.
    public let multiplications: Int?
  }

  /// The graph's name.
  public let name: String
  /// Who wrote the model, as in `pytorch 2.1`.
  public let producer: String
  /// The versions of the operator sets, by domain.
  public let opsets: [String: Int]
  /// The graph's inputs, those that are constants left out.
  public let inputs: [Graph.Value]
  /// The graph's outputs.
  public let outputs: [Graph.Value]
  /// The operators, the most frequent first.
  public let operators: [OperatorCount]
  /// The bytes of constants by element type, the largest first.
  public let constantBytes: [(type: String, count: Int, bytes: Int)]
  /// The nodes of the graph, those inside control-flow nodes left out.
  public let nodes: [NodeSummary]
  /// Every constant that is looked at, in order of first use, then of names; scales and zero points are told with the codes.
  public let tensors: [TensorSummary]
  /// How values between nodes are quantized, in the order of the network.
  public let quantizedValues: [QuantizationSummary]

  /// Looks at a model; constants are read one after the other where `tensors` is true.
  ///
  /// Lengths of inputs that are left open, as a batch size, are taken as 1 for the work that one run is.
  public init(_ model: Model, tensors looksAtTensors: Bool = true) {
    let graph = model.graph
    name = graph.name
    producer = [model.producer.name, model.producer.version].filter { !$0.isEmpty }
      .joined(separator: " ")
    opsets = model.opsets
    inputs = graph.inputs.filter { graph.constants[$0.name] == nil }
    outputs = graph.outputs
    nodes = Self.nodes(of: model)
    operators = Self.count(graph, nodes)
    constantBytes = Self.sizes(graph)
    quantizedValues = graph.quantizedValues()
    tensors = looksAtTensors ? Self.tensors(of: model) : []
  }

  /// The number of elements of all constants.
  public var parameterCount: Int { constantBytes.reduce(0) { $0 + $1.count } }

  /// The products that one run multiplies and adds up, as far as shapes are known.
  public var multiplications: Int { nodes.reduce(0) { $0 + ($1.multiplications ?? 0) } }

  /// Whether the work of some node is not known.
  public var lacksMultiplications: Bool { nodes.contains { $0.multiplications == nil } }

  private static func nodes(of model: Model) -> [NodeSummary] {
    let typed = typed(model)
    var seen: Set<String> = []
    return model.graph.nodes.map { node in
      let constants = node.inputs.filter {
        model.graph.constants[$0] != nil && seen.insert($0).inserted
      }
      return NodeSummary(
        label: node.label, operation: node.operation,
        outputs: node.outputs.filter { !$0.isEmpty }.map {
          .init($0, typed.type(of: $0) ?? ValueType(nil, nil))
        },
        parameterCount: constants.reduce(0) { $0 + (model.graph.constants[$1]?.count ?? 0) },
        multiplications: typed.multiplications(of: node))
    }
  }

  /// The graph with the types that follow from inputs whose open lengths are 1; as it is where they can't be told.
  private static func typed(_ model: Model) -> Graph {
    var model = model
    for index in model.graph.inputs.indices {
      let dimensions = model.graph.inputs[index].type.dimensions
      model.graph.inputs[index].type.dimensions = dimensions?.map { .fixed($0.length ?? 1) }
    }
    for index in model.graph.outputs.indices { model.graph.outputs[index].type.dimensions = nil }
    model.graph.valueTypes = [:]
    let passes: [any GraphPass] = [UpgradeOldOperators(), ConstantFolding(byteLimit: 1 << 20)]
    return (try? model.applying(passes))?.graph ?? model.graph
  }

  private static func allNodes(_ graph: Graph) -> [Node] {
    graph.nodes.flatMap { [$0] + $0.subgraphs.flatMap(allNodes) }
  }

  private static func count(_ graph: Graph, _ nodes: [NodeSummary]) -> [OperatorCount] {
    let counts = allNodes(graph).reduce(into: [OperatorName: Int]()) {
      $0[$1.operation, default: 0] += 1
    }
    let byOperation = Dictionary(grouping: nodes, by: \.operation)
    return counts.map { operation, count in
      let nodes = byOperation[operation] ?? []
      let work = nodes.compactMap(\.multiplications)
      return OperatorCount(
        operation: operation, count: count, isSupported: Operators.all[operation] != nil,
        parameterCount: nodes.reduce(0) { $0 + $1.parameterCount },
        multiplications: work.count == count ? work.reduce(0, +) : nil)
    }.sorted { ($1.count, $0.operation) < ($0.count, $1.operation) }
  }

  private static func sizes(_ graph: Graph) -> [(type: String, count: Int, bytes: Int)] {
    var sizes: [ElementType: (count: Int, bytes: Int)] = [:]
    for tensor in graph.constants.values {
      sizes[tensor.elementType, default: (0, 0)].count += tensor.count
      sizes[tensor.elementType, default: (0, 0)].bytes += tensor.byteCount
    }
    return sizes.map { ($0.key.rawValue, $0.value.count, $0.value.bytes) }
      .sorted { ($1.2, $0.0) < ($0.2, $1.0) }
  }

  private static func tensors(of model: Model) -> [TensorSummary] {
    let graph = model.graph
    let codes = graph.quantizedConstants()
    let parameters = graph.quantizationParameters()
    return order(graph).filter { !parameters.contains($0) }.map { name in
      let constant = graph.constants[name]!
      guard let quantized = codes[name] else { return TensorSummary(name, constant) }
      var summary = TensorSummary(
        name, constant, dequantized: dequantized(quantized.dequantized, in: model))
      summary.quantization = quantized.summary
      return summary
    }
  }

  /// What a DequantizeLinear of a constant computes; nil where it can't be run.
  private static func dequantized(_ name: String, in model: Model) -> Tensor? {
    var part = model
    part.graph = model.graph.segment(computing: name) { _ in false }.graph
    return (try? Interpreter(part).run([:]))?[name]
  }

  /// The constants' names in order of first use, those that no node of this graph reads last.
  private static func order(_ graph: Graph) -> [String] {
    var seen: Set<String> = []
    let used = graph.nodes.flatMap(\.inputs).filter {
      graph.constants[$0] != nil && seen.insert($0).inserted
    }
    return used + graph.constants.keys.filter { !seen.contains($0) }.sorted()
  }
}
