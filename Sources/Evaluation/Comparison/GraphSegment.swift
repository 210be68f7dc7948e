public import Graphs
import Tensors

extension Graph {
  /// The nodes that compute a value, back to those at a border.
  ///
  /// - Parameter isBorder: whether a value is given rather than computed; asked of every value that is read, not of `output`.
  func segment(computing output: String, isBorder: (String) -> Bool) -> GraphSegment {
    let producers = self.producers()
    var chosen: Set<Int> = []
    var borders: Set<String> = []
    var open = [output]
    while let name = open.popLast() {
      guard let producer = producers[name] else {
        if constants[name] == nil { borders.insert(name) }
        continue
      }
      guard chosen.insert(producer).inserted else { continue }
      for read in Set(nodes[producer].inputs).union(nodes[producer].capturedValues())
      where !read.isEmpty {
        if isBorder(read) { borders.insert(read) } else { open.append(read) }
      }
    }
    return GraphSegment(self, nodes: chosen.sorted(), borders: borders.sorted(), output: output)
  }
}

extension Graph {
  /// Whether any node computes with codes: quantizes, dequantizes, or takes them as they are.
  public var isQuantized: Bool {
    let marks = [
      "QuantizeLinear", "DequantizeLinear", "Integer", "QLinear", "NBits", "QGemm", "Bnb4",
      "QAttention",
    ]
    return nodes.contains { node in marks.contains { node.operation.type.contains($0) } }
  }
}

/// A part of a graph that computes one value.
struct GraphSegment {
  /// The part as a graph of its own: its inputs are the values at the border.
  let graph: Graph
  /// The bytes of the constants that it reads.
  let constantByteCount: Int

  fileprivate init(_ whole: Graph, nodes: [Int], borders: [String], output: String) {
    let nodes = nodes.map { whole.nodes[$0] }
    let read = Set(nodes.flatMap(\.inputs)).union(nodes.flatMap { $0.capturedValues() })
    let constants = whole.constants.filter { read.contains($0.key) }
    graph = Graph(
      name: whole.name, nodes: nodes, inputs: borders.map { .init($0, ValueType(nil, nil)) },
      outputs: [.init(output, ValueType(nil, nil))], constants: constants)
    constantByteCount = constants.values.reduce(0) { $0 + $1.byteCount }
  }

  /// Whether anything in it computes with codes.
  var isQuantized: Bool { graph.isQuantized }

  /// The node that the part is known by: the one with the most constant bytes, or else the last.
  var mainNode: Node? {
    func weight(_ node: Node) -> Int {
      node.inputs.reduce(0) { $0 + (graph.constants[$1]?.byteCount ?? 0) }
    }
    return graph.nodes.enumerated().max {
      (weight($0.element), $0.offset) < (weight($1.element), $1.offset)
    }?
    .element
  }
}
