import Graphs
import Tensors

extension Model {
  /// Operators that mean something else, or are written otherwise, from the given version on.
  private static let changes: [OperatorName: Int] = [
    "BatchNormalization": 14, "RoiAlign": 16, "Split": 18, "GridSample": 20, "DFT": 20,
    "GroupNormalization": 21, "ReduceL1": 18, "ReduceL2": 18, "ReduceLogSum": 18,
    "ReduceLogSumExp": 18, "ReduceMax": 18, "ReduceMean": 18, "ReduceMin": 18, "ReduceProd": 18,
    "ReduceSumSquare": 18,
  ]

  /// Lets the graph be written in a later version of ONNX's operators, which mean the same.
  ///
  /// Axes of reductions become inputs and Split says its number of parts, as version 18 has it. Does nothing where the
  /// version is as late already. Throws ``QuantizationError`` where a node would mean something else; `reason` says what the
  /// version is needed for.
  mutating func raiseOpset(to version: Int, because reason: String) throws {
    let present = opset
    guard present < version else { return }
    guard present >= 13 else {
      throw QuantizationError(
        .unsupportedOpset,
        "the model is written in version \(present) of ONNX's operators; bring it to 13 first")
    }
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      guard let change = Model.changes[node.operation], present < change, change <= version else {
        continue
      }
      guard let raised = try raised(node) else {
        throw QuantizationError(
          .unsupportedOpset,
          "\(node.operation) changed in version \(change) of ONNX's operators, \(version) is needed "
            + "because \(reason); use 8-bit codes per tensor or channel, or bring the model to "
            + "version \(version) first", path: [node.label])
      }
      graph.nodes[index] = raised
    }
    opset = version
  }

  /// The node as later versions write it, nil where that is not known.
  private mutating func raised(_ node: Node) throws -> Node? {
    var node = node
    switch node.operation.type {
    case "BatchNormalization":
      return node.outputs.count == 1 ? node : nil
    case "RoiAlign":
      if node.attributes["coordinate_transformation_mode"] == nil {
        node.attributes["coordinate_transformation_mode"] = .string("output_half_pixel")
      }
      return node
    case "Split":
      if node.input(1) == nil { node.attributes["num_outputs"] = .int(node.outputs.count) }
      return node
    case let type where type.hasPrefix("Reduce"):
      guard let axes = node.integers("axes") else { return node }
      node.attributes["axes"] = nil
      var names = graph.names()
      let name = Graph.unusedName(node.outputs[0] + "_axes", taken: &names)
      graph.constants[name] = Tensor(axes.map { Int64($0) })
      node.inputs = [node.inputs[0], name]
      return node
    default: return nil
    }
  }
}
