public import Graphs
import Tensors

/// Computes what depends on constants alone, once and for all.
///
/// *Given* `s = Concat(2, Mul(3, 4))`, `y = Reshape(x, s)` → *Result* `y = Reshape(x, [2, 12])`.
///
/// Shapes of values that are wholly known count as constants. A DequantizeLinear stays, so that quantized weights stay small;
/// so do random numbers, nodes whose result leaves the graph, results of more than ``byteLimit`` bytes, and what would make
/// results take more than four times as much together. Also writes down the type of every value as far as it is known.
public struct ConstantFolding: GraphPass {
  public static let name = "fold-constants"

  /// The most bytes of a result that becomes a constant: larger ones are cheaper to compute than to keep.
  ///
  /// The largest weights of real networks that are computed from constants (VGG-19's first full layer) take 411 MB.
  public static let standardByteLimit = 512 << 20

  /// The most bytes of a result that becomes a constant.
  public var byteLimit: Int

  /// Operators whose result can be far larger than their inputs: computed only where its size is known before.
  private static let growing: Set<OperatorName> = [
    "ConstantOfShape", "EyeLike", "Expand", "OneHot", "Pad", "Range", "Resize", "Tile", "Upsample",
  ]

  /// Operators that are not computed ahead though their inputs are known.
  private static let lasting: Set<OperatorName> = [
    "DequantizeLinear", .microsoft("DequantizeLinear"), "Bernoulli", "Multinomial", "RandomNormal",
    "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Loop", "Scan",
  ]

  /// Whether a node, or one in its graphs, is of the ``lasting``.
  private static func isLasting(_ node: Node) -> Bool {
    lasting.contains(node.operation)
      || node.subgraphs.contains { $0.nodes.contains(where: isLasting) }
  }

  /// Folding of results of at most `byteLimit` bytes.
  public init(byteLimit: Int = standardByteLimit) { self.byteLimit = byteLimit }

  public func apply(to model: inout Model) throws {
    model.graph = try folding(model.graph, opsets: model.opsets)
  }

  /// The graph with what can be computed in place of nodes; those that compute values which are kept stay.
  func folding(
    _ graph: Graph, opsets: [String: Int], keeping kept: Set<String> = []
  ) throws -> Graph {
    let evaluate: Graph.Evaluator = { node, decoded, inputs in
      try compute(node, decoded, inputs, opsets: opsets) { _ in nil }
    }
    var graph = try graph.inferringTypes(opsets: opsets, evaluate: evaluate)
    var nodes: [Node] = []
    var byteCount = 0
    for node in graph.nodes {
      guard byteCount <= byteLimit * 3,
        kept.isDisjoint(with: node.outputs),
        let results = try located(node.label, { try values(of: node, graph, opsets) })
      else {
        nodes.append(node)
        continue
      }
      byteCount += results.reduce(0) { $0 + $1.byteCount }
      for (name, value) in zip(node.outputs, results) where !name.isEmpty {
        graph.constants[name] = value
      }
    }
    graph.nodes = nodes
    graph.removeUnused(keeping: kept)
    return graph
  }

  /// The outputs of a node that can be computed now, else nil.
  private func values(
    of node: Node, _ graph: Graph, _ opsets: [String: Int]
  ) throws -> [Tensor]? {
    guard !node.outputs.contains(where: graph.isOutput), Operators.all[node.operation] != nil,
      !ConstantFolding.isLasting(node)
    else { return nil }
    let decoded = try Operators.decode(node, opsets: opsets)
    if let type = node.input(0).flatMap({ graph.type(of: $0) }),
      let value = decoded.value(ofShape: type)
    {
      return [value]
    }
    let reads = Set(node.inputs).union(node.capturedValues()).filter { !$0.isEmpty }
    guard reads.allSatisfy({ graph.constants[$0] != nil }), isSmall(node, graph) else {
      return nil
    }
    let constants = graph.constants
    let inputs = node.inputs.map { $0.isEmpty ? nil : constants[$0] }
    return try compute(node, decoded, inputs, opsets: opsets) { constants[$0] }
  }

  private func isSmall(_ node: Node, _ graph: Graph) -> Bool {
    node.outputs.allSatisfy { name in
      guard !name.isEmpty else { return true }
      guard let type = graph.type(of: name), let shape = type.shape else {
        return !ConstantFolding.growing.contains(node.operation)
      }
      return (type.elementType ?? .float64).byteCount(of: shape.count) <= byteLimit
    }
  }

  private func compute(
    _ node: Node, _ decoded: any Operator, _ inputs: [Tensor?], opsets: [String: Int],
    scope: @escaping @Sendable (String) -> Tensor?
  ) throws -> [Tensor]? {
    guard let function = OperatorFunctions.all[node.operation],
      !ConstantFolding.isLasting(node)
    else { return nil }
    // No memory is kept for later: what is computed here stays.
    let call = OperatorCall(
      inputs: inputs, outputCount: node.outputs.count, pool: BufferPool(capacity: 0),
      opsets: opsets, scope: scope, bodies: try Interpreter.bodies(of: node, opsets: opsets))
    return try function.run(decoded, call)
  }
}
