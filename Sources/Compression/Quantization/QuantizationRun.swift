import Graphs
import NumberFormats
import Tensors

/// Quantization by a plan: what the public functions of `Model` and `Recipe` are made of.
struct QuantizationRun {
  /// The model with the types of its values written down.
  let model: Model
  let plan: QuantizationPlan

  /// Plans the quantization of a model by the settings of its nodes. Runs nothing and changes nothing.
  init(_ model: Model, settings: (Graph) throws -> [NodeSettings]) throws {
    var graph = try model.graph.inferringTypes(opsets: model.opsets)
    graph.removeUnused()
    var typed = model
    typed.graph = graph
    self.model = typed
    var planner = QuantizationPlanner(graph, settings: try settings(graph))
    plan = try planner.plan()
  }

  /// The quantized model, its layers, and notes about what was done differently than asked.
  func quantized(
    given statistics: CalibrationStatistics, addsBiases: Bool = false
  ) throws -> (model: Model, layers: [QuantizedLayer], notes: [String]) {
    let ranges = try plan.ranges(given: statistics)
    var result = model
    if let opset = plan.requiredOpset {
      try result.raiseOpset(to: opset, because: "4- or 16-bit codes or groups need it")
    }
    var quantizer = GraphQuantizer(
      plan, result.graph, ranges: ranges, addsBiases: addsBiases)
    result.graph = try quantizer.quantized()
    result.graph.valueTypes = [:]
    try plan.verify(result)
    return (result, quantizer.layers, quantizer.notes)
  }
}
