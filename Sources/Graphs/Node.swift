/// One operation of a graph: which operator, what it reads, what it computes.
public struct Node: Sendable {
  /// The node's name, for people; may be empty and need not be unique.
  public var name: String
  /// Which operator it is.
  public var operation: OperatorName
  /// The values it reads, in the operator's order; an empty name is an optional input left out.
  public var inputs: [String]
  /// The values it computes, in the operator's order; an empty name is an output nobody wants.
  public var outputs: [String]
  /// The operator's settings by name.
  public var attributes: [String: AttributeValue]

  /// A node of the given operator.
  public init(
    _ operation: OperatorName, name: String = "", inputs: [String], outputs: [String],
    attributes: [String: AttributeValue] = [:]
  ) {
    self.operation = operation
    self.name = name
    self.inputs = inputs
    self.outputs = outputs
    self.attributes = attributes
  }

  /// What to call the node in messages: its name, or the operator and its first output.
  public var label: String {
    name.isEmpty ? "\(operation) → \(outputs.first ?? "")" : name
  }

  /// The input at `index`, or nil where it is left out.
  public func input(_ index: Int) -> String? {
    index < inputs.count && !inputs[index].isEmpty ? inputs[index] : nil
  }

  /// The graphs that a control-flow node holds, by attribute name.
  public var subgraphs: [Graph] {
    attributes.sorted { $0.key < $1.key }.flatMap { $0.value.graphs }
  }

  /// The values from outside that the graphs of a control-flow node read.
  public func capturedValues() -> Set<String> {
    var captured: Set<String> = []
    for graph in subgraphs {
      var own = graph.names()
      own.insert("")
      for node in graph.nodes {
        captured.formUnion(Set(node.inputs).union(node.capturedValues()).subtracting(own))
      }
      captured.formUnion(Set(graph.outputs.map(\.name)).subtracting(own))
    }
    return captured
  }

  package mutating func replaceReads(of old: String, by new: String) {
    for index in inputs.indices where inputs[index] == old { inputs[index] = new }
    guard capturedValues().contains(old) else { return }
    for (key, value) in attributes {
      attributes[key] = value.mapGraphs { graph in
        var graph = graph
        graph.replaceReads(of: old, by: new)
        for index in graph.outputs.indices where graph.outputs[index].name == old {
          graph.outputs[index].name = new
        }
        return graph
      }
    }
  }
}

/// Which operator: its name within a domain.
public struct OperatorName: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The set that the operator belongs to; `""` is ONNX's own, `com.microsoft` ONNX Runtime's.
  public let domain: String
  /// The operator's name within the domain, as in `Conv`.
  public let type: String

  /// The operator of the given name; `ai.onnx` is another spelling of ONNX's own domain.
  public init(_ type: String, domain: String = "") {
    self.type = type
    self.domain = domain == "ai.onnx" ? "" : domain
  }

  /// An operator of ONNX Runtime's own domain.
  public static func microsoft(_ type: String) -> OperatorName {
    OperatorName(type, domain: "com.microsoft")
  }

  /// By domain, then by name.
  public static func < (a: OperatorName, b: OperatorName) -> Bool {
    (a.domain, a.type) < (b.domain, b.type)
  }

  /// The name, with its domain where that is not ONNX's own.
  public var description: String { domain.isEmpty ? type : "\(domain).\(type)" }
}

extension OperatorName: ExpressibleByStringLiteral {
  /// The operator of that name in ONNX's own domain.
  public init(stringLiteral type: String) { self.init(type) }
}
