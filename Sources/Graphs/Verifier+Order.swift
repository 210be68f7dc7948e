import Tensors

extension Graph {
  /// Puts nodes in order, each after those whose outputs it reads, otherwise as they stood; those in the graphs of
  /// control-flow nodes too.
  ///
  /// Takes time in proportion to the size of the graph. Throws ``GraphError`` that names the nodes of a cycle.
  package mutating func sortNodes() throws {
    for index in nodes.indices where !nodes[index].subgraphs.isEmpty {
      try located(nodes[index].label) {
        for (name, value) in nodes[index].attributes {
          nodes[index].attributes[name] = try value.mapGraphs { graph in
            var graph = graph
            try graph.sortNodes()
            return graph
          }
        }
      }
    }
    let order = try sortedOrder()
    if order.elementsEqual(nodes.indices) { return }
    nodes = order.map { nodes[$0] }
  }

  /// Checks that each node stands after those whose outputs it reads. Throws ``GraphError``.
  func checkOrder() throws {
    // A cycle is no matter of order.
    guard try !sortedOrder().elementsEqual(nodes.indices) else {
      for node in nodes {
        try located(node.label) { for graph in node.subgraphs { try graph.checkOrder() } }
      }
      return
    }
    let producers = producers()
    for (index, node) in nodes.enumerated() {
      for input in node.reads() {
        guard let producer = producers[input], producer > index else { continue }
        throw GraphError(
          .cycle,
          "reads '\(input)', which \(nodes[producer].label) computes later; put the nodes in order",
          path: [node.label])
      }
    }
  }

  /// The indices of nodes in the order of a depth-first walk from each to those that it reads from.
  private func sortedOrder() throws -> [Int] {
    enum State { case new, open, done }
    let producers = producers()
    let sources = nodes.map { $0.reads().compactMap { producers[$0] } }
    var states = [State](repeating: .new, count: nodes.count)
    var order: [Int] = []
    order.reserveCapacity(nodes.count)
    // Not recursive: a chain of nodes can be as long as the file is.
    var path: [(node: Int, nextSource: Int)] = []
    for start in nodes.indices where states[start] == .new {
      states[start] = .open
      path.append((start, 0))
      while let (node, next) = path.last {
        guard next < sources[node].count else {
          states[node] = .done
          order.append(node)
          path.removeLast()
          continue
        }
        path[path.count - 1].nextSource += 1
        let source = sources[node][next]
        switch states[source] {
        case .done: break
        case .open: throw cycle(path.map(\.node), from: source)
        case .new:
          states[source] = .open
          path.append((source, 0))
        }
      }
    }
    return order
  }

  private func cycle(_ path: [Int], from source: Int) -> GraphError {
    let nodes = path[path.firstIndex(of: source)!...].reversed().map { self.nodes[$0].label }
    let shown = nodes.prefix(8).joined(separator: " → ") + (nodes.count > 8 ? " → …" : "")
    return GraphError(
      .cycle, "nodes wait for each other: \(shown) → \(nodes[0]); the graph must have no cycle")
  }
}

extension Node {
  /// The values that the node reads, in order, those that its graphs capture last.
  fileprivate func reads() -> [String] {
    attributes.values.contains { !$0.graphs.isEmpty } ? inputs + capturedValues().sorted() : inputs
  }
}
