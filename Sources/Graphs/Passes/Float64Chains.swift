import Tensors

/// The values of float64 in a network, told apart by what they belong to.
///
/// Values that one node reads or computes belong together, and so on along the graph. Those that come from weights (constants of
/// two axes or more), from inputs of the network or from numbers of another floating-point type, or become such, are *narrowed*
/// where all is widened to float32. The others, as a size that is computed from `Shape` and cast back to an integer, are
/// *kept*: float32 holds no integer beyond 2²⁴, and rounds products that are floored to another size. Values of control-flow
/// nodes belong to those of the graphs inside; where a type is not known, a value is narrowed.
///
/// Complexity: linear in the number of values.
struct Float64Chains {
  /// The values that stay float64.
  private(set) var kept: Set<String> = []
  /// The nodes whose float64 values become float32, in the order of the graph, those inside control-flow nodes behind them.
  private(set) var narrowedNodes: [String] = []

  /// Throws ``GraphError`` where types contradict each other.
  init(_ model: Model) throws {
    guard Self.holdsFloat64(model.graph) else { return }
    let graph = try model.graph.inferringTypes(opsets: model.opsets)
    var walk = Walk()
    for input in graph.inputs { walk.mark([input.name], in: graph) }
    walk.add(graph)
    for value in walk.values where !walk.isNarrowed(value) { kept.insert(value) }
    for node in walk.nodes where walk.isNarrowed(node.value) { narrowedNodes.append(node.label) }
  }

  private static func holdsFloat64(_ graph: Graph) -> Bool {
    let code = ElementType.float64.onnxCode
    return graph.constants.values.contains { $0.elementType == .float64 }
      || graph.inputs.contains { $0.type.elementType == .float64 }
      || graph.nodes.contains { node in
        node.subgraphs.contains(where: holdsFloat64)
          || node.attributes.values.contains {
            switch $0 {
            case .int(let value): value == code
            case .tensor(let tensor): tensor.elementType == .float64
            case .tensors(let tensors): tensors.contains { $0.elementType == .float64 }
            default: false
            }
          }
      }
  }
}

/// Joins values that belong together, by name.
private struct Walk {
  private(set) var values: [String] = []
  private(set) var nodes: [(label: String, value: String)] = []
  private var parents: [String: String] = [:]
  private var narrowed: Set<String> = []
  /// The graphs around a node, the innermost last.
  private var outer: [Graph] = []

  mutating func isNarrowed(_ value: String) -> Bool { narrowed.contains(root(of: value)) }

  mutating func add(_ graph: Graph) {
    outer.append(graph)
    defer { outer.removeLast() }
    for node in graph.nodes { add(node) }
  }

  private mutating func add(_ node: Node) {
    var names = node.inputs + node.outputs
    for body in node.subgraphs { names += (body.inputs + body.outputs).map(\.name) }
    names += node.capturedValues().sorted()
    let graphs = outer + node.subgraphs
    var doubles: [String] = []
    var isNarrowed = false
    for name in names where !name.isEmpty {
      let type = graphs.reversed().lazy.compactMap { $0.type(of: name) }.first
      if type?.elementType == .float64 {
        doubles.append(name)
        let shape = graphs.lazy.compactMap { $0.constants[name]?.shape }.first
        if let shape, shape.rank >= 2 { isNarrowed = true }
      } else if type?.elementType?.isFloatingPoint ?? true {
        isNarrowed = true
      }
    }
    if let first = doubles.first {
      for name in doubles { join(name, first) }
      if isNarrowed { narrowed.insert(root(of: first)) }
      nodes.append((node.label, first))
    }
    for body in node.subgraphs { add(body) }
  }

  /// Marks those of some values that are float64 as narrowed.
  mutating func mark(_ names: [String], in graph: Graph) {
    for name in names where graph.type(of: name)?.elementType == .float64 {
      join(name, name)
      narrowed.insert(root(of: name))
    }
  }

  private mutating func root(of value: String) -> String {
    var top = value
    while let next = parents[top], next != top { top = next }
    var value = value
    while let next = parents[value], next != top, next != value {
      parents[value] = top
      value = next
    }
    return top
  }

  private mutating func join(_ value: String, _ other: String) {
    for name in [value, other] where parents[name] == nil {
      parents[name] = name
      values.append(name)
    }
    let (first, second) = (root(of: other), root(of: value))
    guard first != second else { return }
    parents[second] = first
    if narrowed.contains(second) { narrowed.insert(first) }
  }
}
