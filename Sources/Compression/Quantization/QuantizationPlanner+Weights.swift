import Graphs
import NumberFormats
import Tensors

extension QuantizationPlanner {
  /// The fewest numbers that a group of scales is worth: with fewer, a scale of float32 and a zero point take more than half of
  /// what codes of 4 bits do.
  static let leastGroupLength = 16

  /// How the weights of a node are stored: as its settings say, but one scale per output, with a note, where the axis is too short
  /// for groups that the recipe asks for in general. What an override asks for is done.
  mutating func scheme(
    _ index: Int, outputAxis: Int, inputAxis: Int, of names: some Collection<String>
  ) throws -> QuantizationScheme {
    var weights = settings[index].weights
    let lengths = names.compactMap { graph.constants[$0]?.shape[inputAxis] }
    if case .perGroup(let size) = weights.granularity, !settings[index].overridesGranularity,
      let length = lengths.max(), length < min(size, Self.leastGroupLength)
    {
      weights.granularity = .perChannel
      let note = "one scale per output: groups of \(length) would cost more than they save"
      notes[index] = notes[index].isEmpty ? note : notes[index] + "; " + note
    }
    return try weights.scheme(outputAxis: outputAxis, inputAxis: inputAxis)
  }

  /// Why weights that can be stored as codes stay float in static recipes; nil where a node has none.
  func noteOfStoredWeights(_ node: Node) -> String? {
    guard let stored = StoredWeights(node, constants: graph.constants), !stored.isTable else {
      return nil
    }
    let kind =
      switch node.operation {
      case "MatMul":
        stored.positions == [0] ? "product with its weights first" : "product of stacked matrices"
      case "Conv": "convolution with a computed bias"
      case "Gemm": "Gemm of this form"
      default: "\(node.operation)"
      }
    return "static recipes compute no \(kind) in integers; w8 or w8a8-dynamic store its weights "
      + "as codes"
  }
}
