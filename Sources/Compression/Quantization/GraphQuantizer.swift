import Graphs
import NumberFormats
import Tensors

/// Writes the quantized graph that a plan describes.
///
/// Names: a value `x` that integer arithmetic computes keeps its name after dequantization, so that both networks can be
/// compared value by value; before it stand `x_float`, what the node computes, and `x_codes`. A value that is computed in
/// float, or given by the caller, keeps its name as it is; those who compute with codes read `x_dequantized`. Inputs and
/// outputs of the graph keep names and types. A weight `w` becomes `w_codes`, `w_scale`, `w_zero_point`, and `w` again after
/// dequantization.
struct GraphQuantizer {
  let plan: QuantizationPlan
  let graph: Graph
  /// The range of each group of values by the name of its root.
  let ranges: [String: ValueRange]
  /// Whether layers without bias get one of zeros, for later correction.
  let addsBiases: Bool

  var nodes: [Node] = []
  var constants: [String: Tensor]
  var layers: [QuantizedLayer] = []
  /// What was done differently than asked, one line each.
  var notes: [String] { RaisedScales.note(raisedScales).map { [$0] } ?? [] }
  /// Where scales of weights were raised for the bias to fit.
  var raisedScales: [RaisedScales] = []

  private var names: Set<String>
  let consumers: [String: [Int]]
  private var activationParameters: [String: ActivationParameters] = [:]
  private var dequantizedConstants: [String: String] = [:]
  /// The stored form of weights, one for all nodes that want them alike.
  var weights: [StoredWeight.Key: StoredWeight] = [:]
  /// Tables of codes that rows are read of.
  var tables: [StoredTable.Key: StoredTable] = [:]
  /// The dynamically quantized form of values, by name.
  var dynamicInputs: [String: DynamicInput] = [:]
  /// Weights that `MatMulInteger` reads.
  var dynamicWeights: [StoredWeight.Key: DynamicWeight] = [:]

  /// The scale and zero point that a group of values shares, with the constants that hold them.
  struct ActivationParameters {
    let scale: Float
    let names: [String]
  }

  init(
    _ plan: QuantizationPlan, _ graph: Graph, ranges: [String: ValueRange], addsBiases: Bool
  ) {
    self.plan = plan
    self.graph = graph
    self.ranges = ranges
    self.addsBiases = addsBiases
    constants = graph.constants
    names = graph.names()
    consumers = graph.consumers()
  }

  /// The quantized graph.
  mutating func quantized() throws -> Graph {
    for input in graph.inputs where plan.values[input.name] != nil {
      try addPair(input.name, from: input.name, to: input.name + "_dequantized")
    }
    for index in graph.nodes.indices {
      try located(graph.nodes[index].label) { try addNode(index) }
    }
    var result = graph
    result.nodes = nodes
    result.constants = constants
    result.removeUnused()
    return result
  }

  /// A name that is not in use yet.
  mutating func newName(_ prefix: String) -> String {
    Graph.unusedName(prefix, taken: &names)
  }

  /// A new constant.
  mutating func addConstant(_ prefix: String, _ tensor: Tensor) -> String {
    let name = newName(prefix)
    constants[name] = tensor
    return name
  }
}

// MARK: - Nodes

extension GraphQuantizer {
  private mutating func addNode(_ index: Int) throws {
    switch plan.entries[index].treatment {
    case .absorbed: return
    case .dynamic: try addDynamicLayer(index)
    case .weightOnly:
      if let stored = StoredWeights(graph.nodes[index], constants: graph.constants) {
        return try addStoredWeights(stored, index)
      }
      try addWeightOnlyLayer(index)
    case .integer, .sharing, .float:
      var node = graph.nodes[index]
      if plan.entries[index].treatment == .integer,
        let layer = LinearLayer(node, constants: graph.constants),
        plan.entries[index].weights != nil
      {
        node = try addOperands(of: layer, index)
      }
      for position in node.inputs.indices {
        node.inputs[position] = try read(position, of: node, index)
      }
      if plan.entries[index].treatment == .float { try shield(&node, index) }
      try add(node)
    }
  }

  /// Makes the input of a layer that stays float one that no runtime takes for quantized.
  ///
  /// Where a float layer stands between a DequantizeLinear and a QuantizeLinear, ONNX Runtime (since 1.21) quantizes its
  /// weights on its own, one scale a tensor. The greater of a number and the least there is changes nothing, but is no such
  /// pattern.
  private mutating func shield(_ node: inout Node, _ index: Int) throws {
    guard LinearLayer.operations.contains(node.operation), plan.entries[index].hasFloatWeights,
      plan.values[graph.nodes[index].inputs[0]] != nil
    else { return }
    let least = addConstant(
      node.inputs[0] + "_least", Tensor(scalar: -Float.greatestFiniteMagnitude))
    let shielded = newName(node.inputs[0] + "_float_only")
    nodes.append(
      Node(
        "Max", name: shielded + "_Max", inputs: [node.inputs[0], least], outputs: [shielded]))
    node.inputs[0] = shielded
  }

  /// Adds a node, and behind it the pairs that quantize its outputs.
  mutating func add(_ node: Node) throws {
    var node = node
    var pairs: [(value: String, raw: String, result: String)] = []
    for position in node.outputs.indices {
      let value = plan.absorbed[node.outputs[position]] ?? node.outputs[position]
      guard let planned = plan.values[value] else { continue }
      if planned.isProducedByIntegers {
        node.outputs[position] = newName(value + "_float")
        pairs.append((value, node.outputs[position], value))
      } else {
        pairs.append((value, value, value + "_dequantized"))
      }
    }
    nodes.append(node)
    for pair in pairs { try addPair(pair.value, from: pair.raw, to: pair.result) }
  }

  /// The name under which the node at `index` reads one of its inputs.
  mutating func read(_ position: Int, of node: Node, _ index: Int) throws -> String {
    let name = node.inputs[position]
    guard let planned = plan.values[name] else { return name }
    if planned.isProducedByIntegers { return name }
    let treatment = plan.entries[index].treatment
    guard treatment == .integer || treatment == .sharing,
      let rule = QuantizationRules.all[node.operation],
      rule.activationInputs(of: node).contains(position)
        || (node.operation == "MatMul" && position == 1)
    else { return name }
    return graph.constants[name] == nil
      ? name + "_dequantized" : try dequantizedConstant(name, planned)
  }
}

// MARK: - Activations

extension GraphQuantizer {
  /// Adds QuantizeLinear and DequantizeLinear between two names of a value. ONNX's own take 16-bit codes since version 21, which
  /// the model was brought to.
  private mutating func addPair(_ value: String, from raw: String, to result: String) throws {
    guard let planned = plan.values[value] else { return }
    let parameters = try parameters(of: planned)
    let codes = newName(value + "_codes")
    nodes.append(
      Node(
        "QuantizeLinear", name: value + "_QuantizeLinear",
        inputs: [raw] + parameters.names, outputs: [codes]))
    nodes.append(
      Node(
        "DequantizeLinear", name: value + "_DequantizeLinear",
        inputs: [codes] + parameters.names, outputs: [result]))
  }

  /// The scale and zero point of a value's group.
  mutating func parameters(of value: QuantizationPlan.ValuePlan) throws -> ActivationParameters {
    if let known = activationParameters[value.root] { return known }
    let (scale, zeroPoint) = try located(value.root) {
      try value.scheme.parameters(for: try range(of: value.root))
    }
    let tensors = QuantizationParameters(scale: scale, zeroPoint: zeroPoint)
    let type = value.scheme.code.storageType
    let added = ActivationParameters(
      scale: scale,
      names: [
        addConstant(value.root + "_scale", tensors.scaleTensor()),
        addConstant(value.root + "_zero_point", try tensors.zeroPointTensor(type)),
      ])
    activationParameters[value.root] = added
    return added
  }

  private func range(of root: String) throws -> ValueRange {
    guard let planned = plan.ranges[root] else { preconditionFailure("no range of '\(root)'") }
    if let fixed = planned.fixed { return fixed }
    guard var range = ranges[root] else {
      throw QuantizationError(
        .missingStatistics,
        "the statistics lack this value; calibrate with the recipe that quantizes", path: [root])
    }
    if let bounds = planned.bounds {
      range = ValueRange(max(range.min, bounds.lowerBound), min(range.max, bounds.upperBound))
    }
    return range
  }

  /// A constant operand as codes, dequantized.
  private mutating func dequantizedConstant(
    _ name: String, _ value: QuantizationPlan.ValuePlan
  ) throws -> String {
    if let known = dequantizedConstants[name] { return known }
    guard let tensor = graph.constants[name] else { preconditionFailure("'\(name)' is computed") }
    let parameters = try parameters(of: value)
    let quantized = try located(name) {
      let (scale, zeroPoint) = try value.scheme.parameters(for: try range(of: value.root))
      return try QuantizedTensor(
        quantizing: tensor, scheme: value.scheme,
        parameters: QuantizationParameters(scale: scale, zeroPoint: zeroPoint))
    }
    let codes = addConstant(name + "_codes", quantized.codes)
    let result = newName(name + "_dequantized")
    nodes.append(
      Node(
        "DequantizeLinear", name: name + "_DequantizeLinear", inputs: [codes] + parameters.names,
        outputs: [result]))
    dequantizedConstants[name] = result
    return result
  }
}
