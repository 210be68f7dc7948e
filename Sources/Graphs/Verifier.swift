import Tensors

// Names follow ONNX's rules: every value is assigned once within a graph; graphs in attributes read the values of the
// graphs around them, and a name of their own hides one from outside.

extension Graph {
  /// The graph with its nodes in order, those in the graphs of control-flow nodes too, and its names checked.
  ///
  /// *Given* nodes in any order. *Result* each node after those whose outputs it reads, otherwise in the order they
  /// had. Whether operators are known is not looked at. Throws ``GraphError`` for names that are assigned twice or
  /// never, and for nodes that wait for each other.
  public func verified() throws -> Graph {
    var graph = self
    try graph.checkNames(outer: [])
    try graph.sortNodes()
    return graph
  }

  /// Checks names and order, those in the graphs of control-flow nodes too.
  func checkStructure() throws {
    try checkNames(outer: [])
    try checkOrder()
  }
}

extension Model {
  /// Checks everything that can be checked without running: names, order, operators and their settings.
  ///
  /// Throws ``GraphError``. Nodes whose operator is not known are listed all at once; a wrong setting is reported with
  /// the path to its node.
  public func verify() throws {
    guard !graph.outputs.isEmpty else {
      throw GraphError(.invalidName, "the graph has no outputs; it must compute something")
    }
    try graph.checkStructure()
    let unsupported = graph.nodes(where: { Operators.all[$0.operation] == nil })
    guard unsupported.isEmpty else { throw GraphError.unsupported(unsupported) }
    try graph.checkOperators(opsets: opsets)
  }
}

extension GraphError {
  /// The error that lists nodes whose operators are not supported, by operator.
  package static func unsupported(_ nodes: [(operation: OperatorName, label: String)]) -> GraphError
  {
    let byOperation = Dictionary(grouping: nodes, by: \.operation).sorted { $0.key < $1.key }
    let list = byOperation.map { operation, nodes in
      "\(operation) (\(nodes.map(\.label).joined(separator: ", ")))"
    }
    return GraphError(
      .unsupportedOperator,
      "unsupported operator\(list.count == 1 ? "" : "s"): \(list.joined(separator: ", ")); "
        + "replace these nodes or leave the part out")
  }
}

extension Graph {
  /// The nodes that fulfil a condition, those in the graphs of control-flow nodes too: operator and path.
  package func nodes(
    where condition: (Node) -> Bool
  ) -> [(operation: OperatorName, label: String)] {
    nodes.flatMap { node in
      (condition(node) ? [(node.operation, node.label)] : [])
        + node.subgraphs.flatMap { graph in
          graph.nodes(where: condition).map { ($0.operation, node.label + " › " + $0.label) }
        }
    }
  }

  fileprivate func checkOperators(opsets: [String: Int]) throws {
    for node in nodes {
      _ = try Operators.decode(node, opsets: opsets)
      for subgraph in node.subgraphs {
        try located(node.label) { try subgraph.checkOperators(opsets: opsets) }
      }
    }
  }

  /// Checks that every name is assigned once and every name that is read is assigned, here or in `outer`.
  private func checkNames(outer: [Set<String>]) throws {
    let scopes = outer + [try assignedNames()]
    for node in nodes {
      try located(node.label) {
        for input in node.inputs where !input.isEmpty {
          guard scopes.contains(where: { $0.contains(input) }) else {
            throw GraphError(
              .invalidName,
              "reads '\(input)', which no node computes and which is neither input nor constant")
          }
        }
        for subgraph in node.subgraphs { try subgraph.checkNames(outer: scopes) }
      }
    }
    var seen: Set<String> = []
    for output in outputs {
      guard scopes.contains(where: { $0.contains(output.name) }) else {
        throw GraphError(.invalidName, "the output '\(output.name)' is computed by no node")
      }
      // The graph of a loop may hand one value back several times.
      guard seen.insert(output.name).inserted || !outer.isEmpty else {
        throw GraphError(.invalidName, "the output '\(output.name)' stands twice; name each once")
      }
    }
  }

  private func assignedNames() throws -> Set<String> {
    var names = Set(constants.keys)
    for input in inputs {
      guard !input.name.isEmpty else {
        throw GraphError(.invalidName, "an input has no name; every input must have one")
      }
      guard names.insert(input.name).inserted else {
        throw GraphError(
          .invalidName, "the input '\(input.name)' is another input or a constant too")
      }
    }
    for node in nodes {
      for output in node.outputs where !output.isEmpty {
        guard names.insert(output).inserted else {
          throw GraphError(
            .invalidName,
            "computes '\(output)', which another node computes too or which is an input or constant",
            path: [node.label])
        }
      }
    }
    return names
  }
}
