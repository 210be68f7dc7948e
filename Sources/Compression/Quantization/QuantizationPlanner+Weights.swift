import Graphs
import NumberFormats
import Tensors

extension QuantizationPlanner {
  /// The fewest numbers that a group of scales is worth: with fewer, a scale of float32 and a zero point take more bits than the
  /// codes of 4 bits that they are for.
  static let leastGroupLength = 9

  /// How the weights of a node are stored: as its settings say, except where the axis is too short for groups that the recipe
  /// asks for in general. There 8 bits with one scale per output are both smaller and more accurate, and a note says so. What
  /// an override asks for is done.
  ///
  /// Fewer bits with one scale per output would be smaller still, but lose what groups saved: EfficientNet-Lite0, whose depthwise
  /// weights have one number a group, fell from 12 to 2 right of 20.
  mutating func scheme(
    _ index: Int, outputAxis: Int, inputAxis: Int, of names: some Collection<String>
  ) throws -> QuantizationScheme {
    var weights = settings[index].weights
    let lengths = names.compactMap { graph.constants[$0]?.shape[inputAxis] }
    if case .perGroup(let size) = weights.granularity, !settings[index].overridesGranularity,
      let length = lengths.max(), length < min(size, Self.leastGroupLength)
    {
      weights.granularity = .perChannel
      weights.type = weights.type.isSigned ? .int8 : .uint8
      let note = "8 bits, one scale per output: groups of \(length) would cost more"
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
