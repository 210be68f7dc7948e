import Tensors

/// Moves the factors of a Gemm into its constants, gives its bias one number per column, and transposes its input before it.
///
/// *Given* `y = Gemm(a, B, C, alpha = 0.5, beta = 2)` with constant `B` and a constant scalar `C` → *Result*
/// `y = Gemm(a, B', C')` with `B' = 0.5 · B` and `C'[n] = 2 · C`.
///
/// *Given* `y = Gemm(a, B, transA = 1)` with constant `B` → *Result* `y = Gemm(Transpose(a), B)`.
///
/// A Gemm whose matrix is no constant, or whose bias varies by row, stays as it is.
public struct FoldGemmFactors: GraphPass {
  public static let name = "fold-gemm-factors"

  public init() {}

  public func apply(to model: inout Model) throws {
    var rewriter = GraphRewriter(model.graph)
    for index in rewriter.nodes.indices where rewriter.nodes[index].operation == "Gemm" {
      fold(index, &rewriter)
    }
    model.graph = rewriter.finished()
    transposeInputs(&model.graph)
  }

  private func transposeInputs(_ graph: inout Graph) {
    var names = graph.names()
    var nodes: [Node] = []
    for var node in graph.nodes {
      if node.operation == "Gemm", node.integer("transA", default: 0) != 0,
        let weight = graph.constants[node.inputs[1]], weight.elementType == .float32
      {
        let name = Graph.unusedName(node.outputs[0] + "_transposed", taken: &names)
        nodes.append(
          Node(
            "Transpose", name: name, inputs: [node.inputs[0]], outputs: [name],
            attributes: ["perm": .ints([1, 0])]))
        node.inputs[0] = name
        node.attributes["transA"] = nil
      }
      nodes.append(node)
    }
    graph.nodes = nodes
  }

  private func fold(_ index: Int, _ rewriter: inout GraphRewriter) {
    var node = rewriter.nodes[index]
    guard let weight = rewriter.constant(index, input: 1), weight.elementType == .float32,
      weight.shape.rank == 2
    else { return }
    let alpha = Double(node.number("alpha", default: 1))
    let beta = Double(node.number("beta", default: 1))
    let columns = weight.shape[node.integer("transB", default: 0) == 0 ? 1 : 0]
    if let name = node.input(2) {
      guard let bias = rewriter.constant(index, input: 2), bias.elementType == .float32,
        bias.count == 1 || (bias.count == columns && bias.shape[-1] == columns)
      else { return }
      if beta != 1 || bias.shape != [columns] {
        let values = bias.elements(of: Float.self)
        let folded = (0..<columns).map { Float(Double(values[values.count == 1 ? 0 : $0]) * beta) }
        node.inputs[2] = rewriter.addConstant(Tensor(folded), name + "_folded")
      }
    }
    if alpha != 1 {
      let layout = ChannelLayout(channels: 1, inner: weight.count)
      node.inputs[1] = rewriter.addConstant(
        layout.scaled(weight, by: [alpha]), node.inputs[1] + "_folded")
    }
    node.attributes["alpha"] = nil
    node.attributes["beta"] = nil
    rewriter.replace(index, by: node)
  }
}
