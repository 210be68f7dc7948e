import Tensors

/// Turns batch normalization that no layer could take in into a depthwise convolution of one number per channel.
///
/// *Given* `y = BatchNormalization(x, gamma, beta, mean, variance)` of images `x` → *Result*
/// `y = Conv(x, W, b, group = C)` with `W[c] = s[c]`, `b[c] = beta[c] − mean[c] · s[c]`, `s = gamma / √(variance + ε)`,
/// computed in double.
///
/// What follows then folds into it and it is quantized as any layer: networks that normalize before they convolve, such as
/// DenseNet, have half of their layers so.
public struct ConvertBatchNormalization: GraphPass {
  public static let name = "convert-batch-normalization"

  public init() {}

  public func apply(to model: inout Model) throws {
    var rewriter = GraphRewriter(model.graph)
    for index in rewriter.nodes.indices {
      let node = rewriter.nodes[index]
      guard let affine = ChannelAffine(batchNormalization: node, constants: rewriter.constants),
        (affine.scale + affine.shift).allSatisfy({ Float($0).isFinite }),
        let input = rewriter.type(of: node.inputs[0]), input.elementType == .float32,
        let rank = input.dimensions?.count, rank > 2
      else { continue }
      let kernel = [Int](repeating: 1, count: rank - 2)
      let weights = Tensor(
        affine.scale.map { Float($0) }, shape: Shape([affine.count, 1] + kernel))
      var convolution = node
      convolution.operation = "Conv"
      convolution.inputs = [
        node.inputs[0], rewriter.addConstant(weights, node.inputs[1] + "_scale"),
        rewriter.addConstant(Tensor(affine.shift.map { Float($0) }), node.inputs[2] + "_shift"),
      ]
      convolution.attributes = ["group": .int(affine.count), "kernel_shape": .ints(kernel)]
      rewriter.replace(index, by: convolution)
    }
    model.graph = rewriter.finished()
  }
}
