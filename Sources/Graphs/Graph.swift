public import Tensors

/// Nodes that compute named values from other named values; every name is assigned once.
///
/// A value is an input, a constant, or one output of one node. Nodes stand in an order in which each
/// comes after those whose outputs it reads.
public struct Graph: Sendable {
  /// The graph's name, for people.
  public var name: String

  /// What is computed, each node after those whose outputs it reads.
  public var nodes: [Node]

  /// The values that the caller gives, in order.
  public var inputs: [Value]

  /// The values that the caller receives, in order.
  public var outputs: [Value]

  /// Values that are known: weights and settings.
  public var constants: [String: Tensor]

  /// What the file, or shape inference, says about the types of values between nodes.
  public var valueTypes: [String: ValueType]

  /// A value at the graph's border.
  public struct Value: Hashable, Sendable {
    /// The value's name.
    public var name: String
    /// What is known of its type.
    public var type: ValueType

    /// A value of the given name and type.
    public init(_ name: String, _ type: ValueType) {
      self.name = name
      self.type = type
    }
  }

  /// A graph of the given nodes.
  public init(
    name: String = "graph", nodes: [Node] = [], inputs: [Value] = [], outputs: [Value] = [],
    constants: [String: Tensor] = [:], valueTypes: [String: ValueType] = [:]
  ) {
    self.name = name
    self.nodes = nodes
    self.inputs = inputs
    self.outputs = outputs
    self.constants = constants
    self.valueTypes = valueTypes
  }
}

// MARK: - Questions

extension Graph {
  /// The index of the node that computes each value.
  public func producers() -> [String: Int] {
    var producers: [String: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for output in node.outputs where !output.isEmpty { producers[output] = index }
    }
    return producers
  }

  /// The indices of the nodes that read each value, ascending; a node that reads it twice stands once.
  ///
  /// Reads from inside the graphs of control-flow nodes count as reads of the node.
  public func consumers() -> [String: [Int]] {
    var consumers: [String: [Int]] = [:]
    for (index, node) in nodes.enumerated() {
      for input in Set(node.inputs).union(node.capturedValues()) where !input.isEmpty {
        consumers[input, default: []].append(index)
      }
    }
    return consumers
  }

  /// Whether a value of that name leaves the graph.
  public func isOutput(_ name: String) -> Bool { outputs.contains { $0.name == name } }

  /// Every name that is in use.
  public func names() -> Set<String> {
    var names = Set(constants.keys)
    names.formUnion(inputs.map(\.name))
    for node in nodes { names.formUnion(node.outputs) }
    return names
  }

  /// What is known of a value's type.
  public func type(of name: String) -> ValueType? {
    if let constant = constants[name] {
      return ValueType(constant.elementType, constant.shape)
    }
    if let type = valueTypes[name] { return type }
    return (inputs.first { $0.name == name } ?? outputs.first { $0.name == name })?.type
  }

  /// The bytes that all constants take, those in the graphs of control-flow nodes included.
  public var constantByteCount: Int {
    constants.values.reduce(0) { $0 + $1.byteCount }
      + nodes.flatMap(\.subgraphs).reduce(0) { $0 + $1.constantByteCount }
  }
}

// MARK: - Changes

extension Graph {
  /// A name that begins with `prefix` and is not in `taken`, which it joins.
  public static func unusedName(_ prefix: String, taken: inout Set<String>) -> String {
    var name = prefix
    var number = 1
    while !taken.insert(name).inserted {
      name = "\(prefix)_\(number)"
      number += 1
    }
    return name
  }

  /// Lets every node read `new` where it read `old`, those inside control-flow nodes included.
  public mutating func replaceReads(of old: String, by new: String) {
    for index in nodes.indices { nodes[index].replaceReads(of: old, by: new) }
  }

  /// Removes nodes whose outputs nobody reads, and constants and types that are then unused.
  public mutating func removeUnused() { removeUnused(keeping: []) }

  /// The same; the nodes that compute values of the given names stay too.
  package mutating func removeUnused(keeping wanted: Set<String>) {
    var needed = wanted.union(outputs.map(\.name))
    var kept: [Node] = []
    for node in nodes.reversed() where node.outputs.contains(where: needed.contains) {
      kept.append(node)
      needed.formUnion(node.inputs)
      needed.formUnion(node.capturedValues())
    }
    nodes = kept.reversed()
    constants = constants.filter { needed.contains($0.key) }
    let present = names()
    valueTypes = valueTypes.filter { present.contains($0.key) }
  }
}
