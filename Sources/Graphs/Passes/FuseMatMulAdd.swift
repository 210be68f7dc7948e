import Tensors

/// Joins a matrix product and the bias added to it.
///
/// *Given* `y = Add(MatMul(x, W), b)` with `x` known to be a matrix, constant `W` of shape `[K, N]` and constant `b` of shape
/// `[N]`, all of it finite, where nobody else reads the product → *Result* `y = Gemm(x, W, b)`.
///
/// Products of more axes stay: Gemm takes matrices alone. So does a mask of −∞, which is no bias.
public struct FuseMatMulAdd: GraphPass {
  public static let name = "fuse-matmul-add"

  public init() {}

  public func apply(to model: inout Model) throws {
    var rewriter = GraphRewriter(model.graph)
    for index in rewriter.nodes.indices where rewriter.nodes[index].operation == "Add" {
      let node = rewriter.nodes[index]
      guard node.inputs.count == 2,
        let side = [0, 1].first(where: { rewriter.constant(index, input: $0) != nil }),
        let bias = rewriter.constant(index, input: side), bias.elementType == .float32,
        let producer = rewriter.soleProducer(of: node.inputs[1 - side]),
        let layer = LinearLayer(rewriter.nodes[producer], constants: rewriter.constants),
        layer.node.operation == "MatMul", bias.count == layer.outputs.count,
        bias.shape.rank <= 2, bias.shape[-1] == layer.outputs.count,
        rewriter.type(of: layer.node.inputs[0])?.rank == 2,
        bias.elements(of: Float.self).allSatisfy(\.isFinite)
      else { continue }
      var name = node.inputs[side]
      if bias.shape.rank != 1 {
        name = rewriter.addConstant(bias.reshaped(to: [bias.count]), name + "_vector")
      }
      rewriter.merge(
        index, into: producer,
        as: Node(
          "Gemm", name: layer.node.name, inputs: layer.node.inputs + [name], outputs: []))
    }
    model.graph = rewriter.finished()
  }
}
