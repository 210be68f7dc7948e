package import Tensors

/// The constant bounds between which a Relu or Clip holds its input.
package struct ClipBounds: Hashable, Sendable {
  package let lower: Float
  package let upper: Float

  /// The bounds of a Relu or Clip node, nil for other operators and for bounds that are not constant float32.
  package init?(_ node: Node, constants: [String: Tensor]) {
    if node.operation == "Relu" {
      (lower, upper) = (0, .infinity)
      return
    }
    guard node.operation == "Clip" else { return nil }
    var bounds: [Float] = [-.infinity, .infinity]
    for index in 0..<2 {
      guard let name = node.input(index + 1) else { continue }
      guard let bound = constants[name], bound.elementType == .float32, bound.count == 1 else {
        return nil
      }
      bounds[index] = bound.elements(of: Float.self)[0]
    }
    (lower, upper) = (bounds[0], bounds[1])
  }

  /// Whether nothing below zero passes and zero does, so that an affine range `[0, max]` clamps alike.
  package var clampsAtZero: Bool { lower == 0 && upper > 0 }
}
