import Tensors

/// Folds additions and multiplications by constants into the weights and bias of the layer before them.
///
/// *Given* `y = Add(Conv(x, W), B)` with a constant `B` of shape `[1, C, 1, 1]`, where nobody else reads the convolution's
/// result → *Result* `y = Conv(x, W, b)` with `b[c] = B[c]`.
///
/// Likewise Sub, Mul and Div by a scalar or by one number per output channel, after Conv, ConvTranspose and Gemm, and Mul and
/// Div after MatMul by constant weights.
public struct FoldChannelArithmetic: GraphPass {
  public static let name = "fold-channel-arithmetic"

  public init() {}

  public func apply(to model: inout Model) throws {
    var rewriter = GraphRewriter(model.graph)
    for index in rewriter.nodes.indices {
      let node = rewriter.nodes[index]
      guard ["Add", "Sub", "Mul", "Div"].contains(node.operation.type), node.inputs.count == 2,
        let side = [0, 1].first(where: { rewriter.constant(index, input: $0) != nil }),
        let constant = rewriter.constant(index, input: side),
        let producer = rewriter.soleProducer(of: node.inputs[1 - side]),
        let layer = LinearLayer(rewriter.nodes[producer], constants: rewriter.constants)
      else { continue }
      let isMatrix = layer.node.operation == "Gemm" || layer.node.operation == "MatMul"
      let rank = isMatrix ? 2 : layer.weight.shape.rank
      guard
        let affine = ChannelAffine(
          node.operation, by: constant, constantIsFirst: side == 0,
          channels: layer.outputs.count, channelsFromEnd: isMatrix ? 0 : rank - 2, rank: rank)
      else { continue }
      if layer.node.operation == "MatMul", affine.shift.contains(where: { $0 != 0 }) { continue }
      rewriter.fold(affine, of: index, into: producer, layer)
    }
    model.graph = rewriter.finished()
  }
}
