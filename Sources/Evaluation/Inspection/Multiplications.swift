import Graphs
import Tensors

extension Graph {
  /// How many pairs of numbers a node multiplies and adds up; 0 for operators without such sums, nil where shapes are not known.
  ///
  /// Convolutions, matrix products and recurrent layers are counted, in float and with codes; element-wise work is not.
  func multiplications(of node: Node) -> Int? {
    func shape(_ index: Int) -> Shape? { node.input(index).flatMap { type(of: $0)?.shape } }
    let output = node.outputs.first.flatMap { type(of: $0)?.shape }
    switch node.operation.type {
    case "Conv", "ConvInteger": return convolved(output, shape(1))
    case "QLinearConv": return convolved(output, shape(3))
    // Each number of the input meets the weights of its channel.
    case "ConvTranspose": return convolved(shape(0), shape(1))
    case "MatMul", "MatMulInteger", "QLinearMatMul":
      guard let output, let depth = shape(0)?.dimensions.last else { return nil }
      return output.count * depth
    case "Gemm", "QGemm":
      guard let output, let a = shape(0), a.rank == 2 else { return nil }
      return output.count * a[node.isSet("transA") ? 0 : 1]
    case "MatMulNBits":
      guard let output, case .int(let depth)? = node.attributes["K"] else { return nil }
      return output.count * depth
    case "LSTM", "GRU", "RNN":
      guard let x = shape(0), let w = shape(1), let r = shape(2), x.rank == 3 else { return nil }
      return x[0] * x[1] * (w.count + r.count)
    default: return 0
    }
  }

  /// The numbers of one side of a convolution, each met by the weights of one of the other side's channels.
  private func convolved(_ numbers: Shape?, _ weights: Shape?) -> Int? {
    guard let numbers, let weights, weights.rank > 2, weights[0] > 0 else { return nil }
    return numbers.count * (weights.count / weights[0])
  }
}

extension Node {
  fileprivate func isSet(_ attribute: String) -> Bool {
    if case .int(let value)? = attributes[attribute] { return value != 0 }
    return false
  }
}
