import Execution
import Graphs
import Tensors

/// The weights of one layer in a float network and what its codes stand for in the quantized network.
struct LayerWeightPair {
  /// The float network's node and its weights.
  let node: Node
  let name: String
  let float: Tensor
  /// Of the same shape.
  let dequantized: Tensor
  /// The codes' grid, where one scale holds for all.
  let grid: CodeGrid?

  /// nil where a part has no float32 weights, or its counterpart no constant codes of that shape.
  ///
  /// - Parameters:
  ///   - floatPart: the nodes that compute a value in the float network.
  ///   - part: those that compute what stands for it.
  init?(floatPart: GraphSegment, part: GraphSegment, of model: Model) throws {
    let constants = floatPart.graph.constants
    guard let node = floatPart.mainNode,
      let name = node.inputs.first(where: { input in
        constants[input].map { $0.elementType == .float32 && $0.shape.rank >= 2 } ?? false
      }), let float = constants[name]
    else { return nil }
    for reader in part.graph.nodes where reader.operation.type == "DequantizeLinear" {
      let isConstant = reader.inputs.allSatisfy {
        $0.isEmpty || part.graph.constants[$0] != nil
      }
      guard isConstant, part.graph.constants[reader.inputs[0]]?.shape == float.shape else {
        continue
      }
      var alone = model
      alone.graph = part.graph.segment(computing: reader.outputs[0]) { _ in false }.graph
      guard let result = try Interpreter(alone).run([:])[reader.outputs[0]],
        result.elementType == .float32
      else { continue }
      (self.node, self.name, self.float) = (node, name, float)
      (dequantized, grid) = (result, CodeGrid(of: reader.outputs[0], in: part.graph))
      return
    }
    return nil
  }
}
