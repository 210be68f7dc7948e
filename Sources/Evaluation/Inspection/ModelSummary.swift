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
  /// Every constant that is looked at, in order of first use, then of names.
  public let tensors: [TensorSummary]

  /// Looks at a model; constants are read one after the other where `tensors` is true.
  public init(_ model: Model, tensors looksAtTensors: Bool = true) {
    let graph = model.graph
    name = graph.name
    producer = [model.producer.name, model.producer.version].filter { !$0.isEmpty }
      .joined(separator: " ")
    opsets = model.opsets
    inputs = graph.inputs.filter { graph.constants[$0.name] == nil }
    outputs = graph.outputs
    operators = Self.count(graph)
    constantBytes = Self.sizes(graph)
    tensors =
      looksAtTensors ? Self.order(graph).map { TensorSummary($0, graph.constants[$0]!) } : []
  }

  /// The number of elements of all constants.
  public var parameterCount: Int { constantBytes.reduce(0) { $0 + $1.count } }

  private static func allNodes(_ graph: Graph) -> [Node] {
    graph.nodes.flatMap { [$0] + $0.subgraphs.flatMap(allNodes) }
  }

  private static func count(_ graph: Graph) -> [OperatorCount] {
    let counts = allNodes(graph).reduce(into: [OperatorName: Int]()) {
      $0[$1.operation, default: 0] += 1
    }
    return counts.map {
      OperatorCount(operation: $0.key, count: $0.value, isSupported: Operators.all[$0.key] != nil)
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

  /// The constants' names in order of first use, those that no node of this graph reads last.
  private static func order(_ graph: Graph) -> [String] {
    var seen: Set<String> = []
    let used = graph.nodes.flatMap(\.inputs).filter {
      graph.constants[$0] != nil && seen.insert($0).inserted
    }
    return used + graph.constants.keys.filter { !seen.contains($0) }.sorted()
  }
}
