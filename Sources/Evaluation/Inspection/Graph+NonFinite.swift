public import Graphs
import Tensors

extension Graph {
  /// What makes it unlikely that the graph computes finite numbers, as in `w (3 NaN), b (1 infinite)`; nil where nothing does.
  ///
  /// NaN in any constant counts, infinities in the weights of convolutions and products only: elsewhere they mask or say that
  /// there is no bound. Constants are read one after the other; graphs inside of nodes are left out.
  public var nonFiniteConstants: String? {
    let weights = Set(
      nodes.filter { Self.layers.contains($0.operation.type) }.flatMap { $0.inputs.dropFirst() })
    let found = constants.keys.sorted().compactMap { name -> String? in
      let numbers = constants[name]!.nonFiniteNumbers()
      let counts = numbers.nanCount > 0 || numbers.infinityCount > 0 && weights.contains(name)
      return counts ? "\(name) (\(numbers.summary))" : nil
    }
    guard !found.isEmpty else { return nil }
    let rest = found.count - Self.listedCount
    return found.prefix(Self.listedCount).joined(separator: ", ")
      + (rest > 0 ? " and \(rest) more" : "")
  }

  private static let layers: Set<String> = ["Conv", "ConvTranspose", "Gemm", "MatMul"]
  private static let listedCount = 5
}
