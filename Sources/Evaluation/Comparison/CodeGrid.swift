import Graphs
import Tensors

/// The numbers that the codes of a tensor with one scale stand for: `scale × (code − zeroPoint)`.
struct CodeGrid {
  /// The scale.
  let step: Double
  /// The numbers of the least and the greatest code.
  let range: ClosedRange<Double>

  /// The grid of what a DequantizeLinear with constant scale and zero point computes; nil where it has several scales.
  init?(of name: String, in graph: Graph) {
    guard let node = graph.nodes.first(where: { $0.outputs.first == name }),
      node.operation.type == "DequantizeLinear",
      let scale = node.input(1).flatMap({ graph.constants[$0] }), scale.count == 1,
      scale.elementType == .float32,
      let zeroPoint = node.input(2).flatMap({ graph.constants[$0] }), zeroPoint.count == 1,
      zeroPoint.elementType.bitWidth <= 16, let codes = zeroPoint.elementType.integerRange
    else { return nil }
    step = Double(scale.elements(of: Float.self)[0])
    guard step > 0, step.isFinite else { return nil }
    let zero = Double(zeroPoint.integers()[0])
    range = (Double(codes.lowerBound) - zero) * step...(Double(codes.upperBound) - zero) * step
  }

  /// Whether a number is beyond the codes by more than half a step.
  func clips(_ number: Float) -> Bool {
    let number = Double(number)
    return number < range.lowerBound - step / 2 || number > range.upperBound + step / 2
  }
}
