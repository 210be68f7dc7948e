import Graphs
import NumberFormats
import Tensors

extension QuantizationRun {
  /// Checks that the numbers of layers whose weights are to be quantized are finite.
  ///
  /// Done before samples run: what they give then would not say which constant was at fault. Throws
  /// ``NumberFormatError`` that names node, constant and index.
  func checkConstants() throws {
    for (entry, node) in zip(plan.entries, model.graph.nodes) where entry.weights != nil {
      for input in node.inputs {
        guard let constant = model.graph.constants[input], constant.elementType.isFloatingPoint
        else { continue }
        try located(entry.node) {
          try located(input) { _ = try constant.ranges(.perTensor) }
        }
        constant.releaseMappedMemory()
      }
    }
  }
}
