import Tensors

/// Turns a Sum into additions of two values, which is how runtimes compute residual connections in integers.
///
/// *Given* `y = Sum(a, b, c)` → *Result* `t = Add(a, b)`, `y = Add(t, c)`.
///
/// The order of addition stays, so that results do not change. A Sum of one value is left to ``RemoveIdentities``.
public struct SplitSums: GraphPass {
  public static let name = "split-sums"

  public init() {}

  public func apply(to model: inout Model) throws {
    guard model.graph.nodes.contains(where: isSum) else { return }
    var names = model.graph.names()
    model.graph.nodes = model.graph.nodes.flatMap { node in
      isSum(node) ? additions(for: node, taken: &names) : [node]
    }
  }

  private func isSum(_ node: Node) -> Bool { node.operation == "Sum" && node.inputs.count > 1 }

  private func additions(for sum: Node, taken names: inout Set<String>) -> [Node] {
    var partial = sum.inputs[0]
    return (1..<sum.inputs.count).map { index in
      let isLast = index == sum.inputs.count - 1
      let result =
        isLast
        ? sum.outputs[0] : Graph.unusedName("\(sum.outputs[0])_\(index)", taken: &names)
      defer { partial = result }
      return Node(
        "Add", name: isLast || sum.name.isEmpty ? sum.name : "\(sum.name)_\(index)",
        inputs: [partial, sum.inputs[index]], outputs: [result])
    }
  }
}
