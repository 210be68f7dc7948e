import Tensors

/// Lets a convolution apply the activation that follows it, as ONNX Runtime's own FusedConv does.
///
/// *Given* `y = Relu(Conv(x, W, b))`, where nobody else reads the convolution's result → *Result*
/// `y = com.microsoft.FusedConv(x, W, b, activation = "Relu")`.
///
/// Likewise Clip between constants (`activation_params` = lower, upper bound), LeakyRelu (slope), Sigmoid, Tanh, HardSigmoid
/// (alpha, beta). Only for execution: the operator is not ONNX's own, so files are written without it.
public struct FuseActivations: GraphPass {
  public static let name = "fuse-activations"

  public init() {}

  public func apply(to model: inout Model) throws {
    var rewriter = GraphRewriter(model.graph)
    var isChanged = false
    for index in rewriter.nodes.indices {
      guard let producer = rewriter.soleProducer(of: rewriter.nodes[index].inputs.first),
        rewriter.nodes[producer].operation == "Conv",
        let activation = activation(index, rewriter)
      else { continue }
      var node = rewriter.nodes[producer]
      node.operation = .microsoft("FusedConv")
      node.attributes["activation"] = .string(activation.name)
      if !activation.parameters.isEmpty {
        node.attributes["activation_params"] = .floats(activation.parameters)
      }
      rewriter.merge(index, into: producer, as: node)
      isChanged = true
    }
    guard isChanged else { return }
    model.graph = rewriter.finished()
    model.opsets["com.microsoft"] = 1
  }

  private func activation(
    _ index: Int, _ rewriter: GraphRewriter
  ) -> (name: String, parameters: [Float])? {
    let node = rewriter.nodes[index]
    guard node.operation.domain.isEmpty else { return nil }
    switch node.operation.type {
    case "Relu", "Sigmoid", "Tanh": return (node.operation.type, [])
    case "LeakyRelu": return ("LeakyRelu", [node.number("alpha", default: 0.01)])
    case "HardSigmoid":
      return (
        "HardSigmoid", [node.number("alpha", default: 0.2), node.number("beta", default: 0.5)]
      )
    case "Clip":
      guard let bounds = ClipBounds(node, constants: rewriter.constants) else { return nil }
      return ("Clip", [bounds.lower, bounds.upper])
    default: return nil
    }
  }
}
