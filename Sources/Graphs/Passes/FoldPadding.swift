import Tensors

/// Lets a convolution pad its own input with zeros.
///
/// *Given* `y = Conv(Pad(x, [0, 0, 1, 1, 0, 0, 1, 1]), W)` with a padding of zeros that nobody else reads → *Result*
/// `y = Conv(x, W, pads = [1, 1, 1, 1])`.
///
/// Paddings that cut, or that pad the batch or the channels, stay.
public struct FoldPadding: GraphPass {
  public static let name = "fold-padding"

  public init() {}

  public func apply(to model: inout Model) throws {
    var rewriter = GraphRewriter(model.graph)
    for index in rewriter.nodes.indices where rewriter.nodes[index].operation == "Conv" {
      var node = rewriter.nodes[index]
      guard let producer = rewriter.soleProducer(of: node.inputs.first),
        ["NOTSET", "VALID"].contains(node.text("auto_pad", default: "NOTSET")),
        let rank = rewriter.constant(index, input: 1)?.shape.rank,
        let padding = zeroPadding(producer, rank: rank, rewriter)
      else { continue }
      let own = node.integers("pads") ?? Array(repeating: 0, count: 2 * (rank - 2))
      guard own.count == padding.count else { continue }
      node.inputs[0] = rewriter.nodes[producer].inputs[0]
      node.attributes["pads"] = .ints(zip(own, padding).map { $0 + $1 })
      node.attributes["auto_pad"] = nil
      rewriter.merge(index, into: producer, as: node)
    }
    model.graph = rewriter.finished()
  }

  /// The pads of the spatial axes of a Pad node that adds zeros there alone.
  private func zeroPadding(_ index: Int, rank: Int, _ rewriter: GraphRewriter) -> [Int]? {
    let node = rewriter.nodes[index]
    guard node.operation == "Pad", node.text("mode", default: "constant") == "constant",
      node.input(3) == nil, let pads = rewriter.constant(index, input: 1)?.integers(),
      pads.count == 2 * rank, pads.allSatisfy({ $0 >= 0 })
    else { return nil }
    if node.input(2) != nil {
      guard let value = rewriter.constant(index, input: 2),
        value.withUnsafeBytes({ $0.allSatisfy { $0 == 0 } })
      else { return nil }
    }
    guard pads[0] == 0, pads[1] == 0, pads[rank] == 0, pads[rank + 1] == 0 else { return nil }
    return Array(pads[2..<rank]) + Array(pads[(rank + 2)...])
  }
}
