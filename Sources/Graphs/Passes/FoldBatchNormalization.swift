/// Folds batch normalization into the weights and bias of the layer before it.
///
/// *Given* `y = BatchNormalization(Conv(x, W, b), gamma, beta, mean, variance)`, where nobody else reads the convolution's
/// result → *Result* `y = Conv(x, W', b')` with `W'[c] = W[c] · s[c]`, `b'[c] = b[c] · s[c] + beta[c] − mean[c] · s[c]`,
/// `s = gamma / √(variance + ε)`, computed in double.
///
/// Also folds into ConvTranspose and Gemm. One that follows anything else stays as it is.
public struct FoldBatchNormalization: GraphPass {
  public static let name = "fold-batch-normalization"

  public init() {}

  public func apply(to model: inout Model) throws {
    var rewriter = GraphRewriter(model.graph)
    for index in rewriter.nodes.indices {
      let node = rewriter.nodes[index]
      guard let producer = rewriter.soleProducer(of: node.inputs.first),
        let affine = ChannelAffine(batchNormalization: node, constants: rewriter.constants),
        let layer = LinearLayer(rewriter.nodes[producer], constants: rewriter.constants),
        layer.node.operation != "MatMul", layer.outputs.count == affine.count
      else { continue }
      rewriter.fold(affine, of: index, into: producer, layer)
    }
    model.graph = rewriter.finished()
  }
}
