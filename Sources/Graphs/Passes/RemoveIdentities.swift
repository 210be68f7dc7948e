import Tensors

/// Removes nodes that give back what they are given.
///
/// *Given* `a = Identity(x)`, `b = Dropout(a)`, `y = Relu(b)` → *Result* `y = Relu(x)`.
///
/// Besides Identity: Dropout outside of training whose mask nobody reads; Cast to the type, Reshape, Flatten, Squeeze,
/// Unsqueeze and Expand to the shape that the input is known to have; Transpose that keeps the order; Pad by nothing; Concat,
/// Sum, Mean, Max and Min of a single input. A node whose result leaves the graph is removed where a node computes its
/// input, which then computes the output under its name; otherwise it stays.
public struct RemoveIdentities: GraphPass {
  public static let name = "remove-identities"

  public init() {}

  public func apply(to model: inout Model) throws {
    var graph = model.graph
    var renamed: [String: String] = [:]
    var kept: [Node] = []
    for node in graph.nodes {
      guard isIdentity(node, graph), !graph.isOutput(node.outputs[0]) else {
        kept.append(node)
        continue
      }
      let source = node.inputs[0]
      renamed[node.outputs[0]] = renamed[source] ?? source
    }
    graph.nodes = kept
    graph.renameReads(renamed)
    removeBeforeOutputs(&graph)
    graph.removeUnused()
    model.graph = graph
  }

  /// Removes identities whose result leaves the graph by letting the node before them compute it.
  private func removeBeforeOutputs(_ graph: inout Graph) {
    for output in graph.outputs.map(\.name) {
      let producers = graph.producers()
      guard let index = producers[output], isIdentity(graph.nodes[index], graph) else { continue }
      let source = graph.nodes[index].inputs[0]
      guard let producer = producers[source], !graph.isOutput(source) else { continue }
      graph.nodes.remove(at: index)
      graph.renameReads([source: output])
      graph.nodes[producer].outputs = graph.nodes[producer].outputs.map {
        $0 == source ? output : $0
      }
    }
  }

  private func isIdentity(_ node: Node, _ graph: Graph) -> Bool {
    guard node.operation.domain.isEmpty, let source = node.input(0) else { return false }
    switch node.operation.type {
    case "Identity": return true
    case "Concat", "Sum", "Mean", "Max", "Min": return node.inputs.count == 1
    case "Dropout": return isInferenceDropout(node, graph)
    case "Cast":
      guard let type = graph.type(of: source)?.elementType else { return false }
      return node.integer("to", default: 0) == type.onnxCode
    case "Transpose":
      guard let order = node.integers("perm") else { return false }
      return order == Array(order.indices)
    case "Pad":
      guard let pads = node.input(1).flatMap({ graph.constants[$0] }) else { return false }
      return pads.integers().allSatisfy { $0 == 0 }
    case "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Expand":
      guard let before = graph.type(of: source)?.shape,
        let after = graph.type(of: node.outputs[0])?.shape
      else { return false }
      return before == after
    default: return false
    }
  }

  private func isInferenceDropout(_ node: Node, _ graph: Graph) -> Bool {
    if node.outputs.count > 1, !node.outputs[1].isEmpty {
      let mask = node.outputs[1]
      let isRead = graph.nodes.contains {
        $0.inputs.contains(mask) || $0.capturedValues().contains(mask)
      }
      guard !isRead, !graph.isOutput(mask) else { return false }
    }
    guard let training = node.input(2) else { return true }
    return graph.constants[training]?.withUnsafeBytes { $0.allSatisfy { $0 == 0 } } ?? false
  }
}

extension Graph {
  /// Lets every node read the new name where it read an old one, in one walk over the nodes.
  mutating func renameReads(_ names: [String: String]) {
    guard !names.isEmpty else { return }
    for index in nodes.indices {
      for input in nodes[index].inputs.indices {
        if let name = names[nodes[index].inputs[input]] { nodes[index].inputs[input] = name }
      }
      for captured in nodes[index].capturedValues() {
        if let name = names[captured] { nodes[index].replaceReads(of: captured, by: name) }
      }
    }
  }
}
