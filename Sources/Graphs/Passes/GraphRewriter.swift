import Tensors

/// A graph while a pass changes it: knows who computes and who reads each value, and stays right as nodes are merged.
struct GraphRewriter {
  /// The nodes in their order; those that were merged away stay until ``finished()``.
  private(set) var nodes: [Node]
  private(set) var constants: [String: Tensor]
  private var graph: Graph
  private var producers: [String: Int]
  private var readCounts: [String: Int] = [:]
  private var removed: Set<Int> = []
  private var names: Set<String>

  init(_ graph: Graph) {
    self.graph = graph
    nodes = graph.nodes
    constants = graph.constants
    producers = graph.producers()
    names = graph.names()
    for node in graph.nodes {
      for input in node.inputs where !input.isEmpty { readCounts[input, default: 0] += 1 }
      for input in node.capturedValues() { readCounts[input, default: 0] += 1 }
    }
    for output in graph.outputs { readCounts[output.name, default: 0] += 1 }
  }

  /// Whether the node at `index` is still part of the graph.
  func isPresent(_ index: Int) -> Bool { !removed.contains(index) }

  /// The node that computes a value which nobody but one node reads, and which does not leave the graph.
  func soleProducer(of value: String?) -> Int? {
    guard let value, readCounts[value] == 1, let index = producers[value], isPresent(index),
      nodes[index].outputs.count == 1
    else { return nil }
    return index
  }

  /// What is known of a value's type.
  func type(of value: String) -> ValueType? { graph.type(of: value) }

  /// The value of an input of the node at `index`, where it is a constant.
  func constant(_ index: Int, input: Int) -> Tensor? {
    nodes[index].input(input).flatMap { constants[$0] }
  }

  /// A new constant whose name begins with `prefix`.
  mutating func addConstant(_ tensor: Tensor, _ prefix: String) -> String {
    let name = Graph.unusedName(prefix, taken: &names)
    constants[name] = tensor
    return name
  }

  /// Replaces the node at `index` by one that computes the same outputs.
  mutating func replace(_ index: Int, by node: Node) {
    let old = nodes[index]
    for input in old.inputs where !input.isEmpty { readCounts[input, default: 0] -= 1 }
    for input in node.inputs where !input.isEmpty { readCounts[input, default: 0] += 1 }
    nodes[index] = node
    for output in node.outputs where !output.isEmpty { producers[output] = index }
  }

  /// Removes the node at `index`; the earlier node at `producer` becomes `node`, which computes its output instead.
  ///
  /// `node` may read only what stands before the producer.
  mutating func merge(_ index: Int, into producer: Int, as node: Node) {
    var merged = node
    merged.outputs = nodes[index].outputs
    for input in nodes[index].inputs where !input.isEmpty { readCounts[input, default: 0] -= 1 }
    removed.insert(index)
    for output in nodes[producer].outputs { producers[output] = nil }
    replace(producer, by: merged)
  }

  /// The graph as it is now, without what became unused.
  func finished() -> Graph {
    guard !removed.isEmpty || constants.count != graph.constants.count else {
      var result = graph
      result.nodes = nodes
      return result
    }
    var result = graph
    result.nodes = nodes.indices.filter(isPresent).map { nodes[$0] }
    result.constants = constants
    result.removeUnused()
    return result
  }
}
