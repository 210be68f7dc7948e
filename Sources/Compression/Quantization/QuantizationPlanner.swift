import Graphs
import NumberFormats
import Tensors

/// Makes a ``QuantizationPlan``: decides for each node how it is computed, and which values share a range.
///
/// 1. Layers with weights: as the settings say; each marks its input and output as quantized. Tables, and in other methods than
///    static all other weights, are kept as codes.
/// 2. Other operators with integer forms: where one of their inputs is quantized already.
/// 3. Operators that let codes pass: where their input or their output is quantized.
/// 4. Weights that others need as numbers stay float where only their storage would gain.
/// 5. Results of products that nothing reads as codes stay float.
struct QuantizationPlanner {
  typealias Treatment = QuantizationPlan.Treatment

  let graph: Graph
  let settings: [NodeSettings]
  let producers: [String: Int]
  let consumers: [String: [Int]]

  var treatments: [Treatment]
  var notes: [String]
  var weights: [QuantizationScheme?]
  /// The values that are quantized.
  var marked: Set<String> = []
  var absorbed: [String: String] = [:]
  var biasAdditions: Set<Int> = []

  /// `graph` has its types written down.
  init(_ graph: Graph, settings: [NodeSettings]) {
    self.graph = graph
    self.settings = settings
    producers = graph.producers()
    consumers = graph.consumers()
    treatments = Array(repeating: .float, count: graph.nodes.count)
    notes = settings.map(\.reason)
    weights = Array(repeating: nil, count: graph.nodes.count)
  }

  mutating func plan() throws -> QuantizationPlan {
    for index in graph.nodes.indices {
      try located(graph.nodes[index].label) {
        try decideLayer(index)
        try decideStoredWeights(index)
      }
    }
    for index in graph.nodes.indices {
      try located(graph.nodes[index].label) { try decideOperation(index) }
    }
    while spreadSharing() {}
    leaveWeightsReadAsNumbers()
    leaveFloatResults()
    let (values, ranges) = try grouped()
    let entries = graph.nodes.indices.map { index in
      let node = graph.nodes[index]
      let output = node.outputs.first ?? ""
      return QuantizationPlan.Entry(
        node: node.label, operation: node.operation, treatment: treatments[index],
        weights: weights[index], activations: values[output]?.scheme, note: notes[index],
        output: output,
        hasFloatWeights: LinearLayer(node, constants: graph.constants) != nil,
        isFirstOperand: StoredWeights(node, constants: graph.constants)?.positions == [0]
          && node.operation == "MatMul",
        isNumeric: isNumeric(node))
    }
    return QuantizationPlan(
      entries: entries,
      weightBytes: WeightCount(graph: graph, entries: entries, values: values).bytes(),
      values: values, ranges: ranges, settings: settings, absorbed: absorbed,
      biasAdditions: biasAdditions)
  }
}

// MARK: - Questions

extension QuantizationPlanner {
  /// Whether a value holds float32 numbers that are computed, not known.
  func isActivation(_ name: String) -> Bool {
    graph.constants[name] == nil && graph.type(of: name)?.elementType == .float32
  }

  private func isNumeric(_ node: Node) -> Bool {
    node.outputs.contains { graph.type(of: $0)?.elementType?.isFloatingPoint ?? true }
  }

  /// The node that alone reads a value which does not leave the graph.
  private func soleReader(of name: String) -> Int? {
    guard let readers = consumers[name], readers.count == 1, !graph.isOutput(name) else {
      return nil
    }
    let reads = graph.nodes[readers[0]].inputs.count { $0 == name }
    return reads == 1 ? readers[0] : nil
  }

  /// Whether all activations of a node are float32, and at least one of them is computed.
  private func hasFloatActivations(_ node: Node, _ rule: QuantizationRule) -> Bool {
    let names = rule.activationInputs(of: node).map { node.inputs[$0] }
    return names.allSatisfy { graph.type(of: $0)?.elementType == .float32 }
      && names.contains(where: isActivation)
  }

  /// Whether a node's output is the value of integer arithmetic.
  func isComputedInIntegers(_ index: Int) -> Bool {
    treatments[index] == .integer || treatments[index] == .sharing
  }
}

// MARK: - Layers

extension QuantizationPlanner {
  private mutating func decideLayer(_ index: Int) throws {
    let node = graph.nodes[index]
    let settings = settings[index]
    guard let rule = QuantizationRules.all[node.operation], case .layer = rule.kind,
      settings.mode != .float
    else { return }
    try requireFloat32(node)
    guard let layer = LinearLayer(node, constants: graph.constants) else {
      notes[index] =
        noteOfStoredWeights(node) ?? "weights or bias are no float32 constants of the usual form"
      return
    }
    guard isActivation(node.inputs[0]) else {
      notes[index] = "its input is not float32"
      return
    }
    if let objection = settings.weights.objection(settings.mode) {
      throw QuantizationError(.invalidSettings, objection)
    }
    switch settings.mode {
    case .float: return
    case .integer:
      treatments[index] = .integer
      marked.insert(node.inputs[0])
      if let addition = biasAddition(after: layer) {
        biasAdditions.insert(index)
        treatments[addition] = .integer
        notes[addition] = "adds the bias in float"
        notes[index] = "its output is added to in float"
        marked.insert(graph.nodes[addition].outputs[0])
      } else {
        marked.insert(node.outputs[0])
      }
    case .dynamic:
      let isProduct = node.operation == "MatMul" || node.operation == "Gemm"
      treatments[index] = isProduct ? .dynamic : .weightOnly
      if !isProduct { notes[index] = "dynamic convolutions are slower than float ones" }
    case .weightOnly:
      treatments[index] = .weightOnly
    }
    weights[index] = try scheme(
      index, outputAxis: layer.scaleAxis, inputAxis: layer.groupAxis, of: [layer.weightName])
  }

  /// Lets weights of other nodes than layers be kept as codes: tables always, others where the method computes in float.
  private mutating func decideStoredWeights(_ index: Int) throws {
    let (node, settings) = (graph.nodes[index], settings[index])
    guard treatments[index] == .float, settings.mode != .float,
      let stored = StoredWeights(node, constants: graph.constants),
      stored.isTable || settings.mode != .integer
    else { return }
    if let objection = settings.weights.objection(settings.mode)
      ?? settings.weights.objection(.weightOnly)
    {
      throw QuantizationError(.invalidSettings, objection)
    }
    if let objection = stored.objection(node, settings.weights, constants: graph.constants) {
      notes[index] = objection
      return
    }
    treatments[index] = .weightOnly
    notes[index] = stored.isTable ? "rows are read as codes" : ""
    weights[index] = try scheme(
      index, outputAxis: stored.scaleAxis, inputAxis: stored.groupAxis, of: stored.names(node))
  }

  /// Refuses weights and biases that would stay as they are only because ``WidenToFloat32`` was not applied.
  private func requireFloat32(_ node: Node) throws {
    for name in node.inputs {
      guard let constant = graph.constants[name], constant.elementType != .float32,
        constant.elementType.convertsToFloat32
      else { continue }
      throw QuantizationError(
        .invalidSettings,
        "is \(constant); layers are quantized from float32: apply WidenToFloat32 and the standard passes "
          + "to the model first, or keep the node in float", path: [name])
    }
  }

  /// The addition of a constant vector that alone reads a matrix product.
  private func biasAddition(after layer: LinearLayer) -> Int? {
    guard layer.node.operation == "MatMul", let index = soleReader(of: layer.node.outputs[0]),
      graph.nodes[index].operation == "Add", settings[index].mode == .integer
    else { return nil }
    let other = graph.nodes[index].inputs.first { $0 != layer.node.outputs[0] }
    guard let bias = other.flatMap({ graph.constants[$0] }), bias.elementType == .float32,
      bias.shape == [layer.outputs.count]
    else { return nil }
    return index
  }
}

extension LinearLayer {
  /// The axis of the weights that scales per channel vary along.
  ///
  /// That of the output channels, except in a transposed convolution whose groups have one output channel each: there the
  /// input channels tell the outputs apart.
  var scaleAxis: Int {
    node.operation == "ConvTranspose" && outputs.channels == 1 && inputs.rows == 1
      && inputs.count == groups ? 0 : channelAxis
  }

  /// The axis of the weights that groups of scales lie along: the inputs'.
  var groupAxis: Int { channelAxis == 0 ? 1 : 0 }
}

// MARK: - Other operators

extension QuantizationPlanner {
  private mutating func decideOperation(_ index: Int) throws {
    let node = graph.nodes[index]
    guard treatments[index] == .float else { return }
    guard settings[index].mode == .integer else {
      tellUnclampedProducer(of: index)
      return
    }
    if let objection = settings[index].activations.objection {
      throw QuantizationError(.invalidSettings, objection)
    }
    guard let rule = QuantizationRules.all[node.operation] else {
      if isNumeric(node), notes[index].isEmpty {
        notes[index] = noteOfStoredWeights(node) ?? "no integer form"
      }
      return
    }
    guard hasFloatActivations(node, rule) else { return }
    if isMasking(index) {
      notes[index] = "scores before a softmax may be masked"
      return
    }
    if isCentring(index) {
      notes[index] = "a normalization's mean: codes would not match the numbers it is taken from"
      return
    }
    if let objection = QuantizationRules.objection(to: node, constants: graph.constants) {
      notes[index] = objection
      return
    }
    let isFed = rule.activationInputs(of: node).contains { marked.contains(node.inputs[$0]) }
    switch rule.kind {
    case .sharing: return
    case .layer:
      // A product of two activations; anything else was refused before.
      guard node.operation == "MatMul", isActivation(node.inputs[1]) else { return }
      notes[index] = ""
      compute(index, [0, 1])
    case .clamp:
      if let producer = clampedProducer(of: index) {
        absorb(index, into: producer)
      } else if isFed {
        compute(index, rule.activationInputs(of: node))
      } else {
        notes[index] = "its input is not quantized"
      }
    case .computed, .fixedRange:
      guard isFed else {
        notes[index] = "none of its inputs is quantized"
        return
      }
      if case .fixedRange = rule.kind, !isReadByIntegers(node.outputs[0]) {
        notes[index] =
          "no integers are computed from its output, whose small numbers codes would lose"
        return
      }
      compute(index, rule.activationInputs(of: node))
    }
  }

  /// A clamp that is kept in float can't narrow the range of the layer before it, which often costs much accuracy.
  private mutating func tellUnclampedProducer(of index: Int) {
    let node = graph.nodes[index]
    guard settings[index].mode != .integer,
      let bounds = ClipBounds(node, constants: graph.constants), bounds.clampsAtZero,
      let producer = producers[node.inputs[0]], treatments[producer] == .integer,
      soleReader(of: node.inputs[0]) == index, notes[producer].isEmpty
    else { return }
    notes[producer] =
      "its codes span the whole range, which costs accuracy, since \(node.label) behind it stays float"
  }

  /// Leaves a clamp to the range of what the node before computes.
  private mutating func absorb(_ index: Int, into producer: Int) {
    let node = graph.nodes[index]
    treatments[index] = .absorbed
    notes[index] = "the range of \(graph.nodes[producer].label) clamps alike"
    marked.remove(node.inputs[0])
    marked.insert(node.outputs[0])
    absorbed[node.inputs[0]] = node.outputs[0]
  }

  /// Whether a node that computes in integers reads a value, or what becomes of it where codes pass.
  private func isReadByIntegers(_ name: String) -> Bool {
    (consumers[name] ?? []).contains { index in
      guard settings[index].mode == .integer,
        let rule = QuantizationRules.all[graph.nodes[index].operation]
      else { return false }
      guard case .sharing = rule.kind else { return true }
      return graph.nodes[index].outputs.contains { isReadByIntegers($0) }
    }
  }

  /// Whether a node adds a mask to scores for a softmax, or is that softmax: masks reach −10⁴ to −10³⁸, beside which a step
  /// that covers them leaves nothing of the scores.
  private func isMasking(_ index: Int) -> Bool {
    let node = graph.nodes[index]
    func masks(_ operation: OperatorName) -> Bool { operation == "Add" || operation == "Where" }
    if node.operation == "Softmax" {
      return producers[node.inputs[0]].map { masks(graph.nodes[$0].operation) } ?? false
    }
    let readers = consumers[node.outputs[0]] ?? []
    return masks(node.operation) && !readers.isEmpty && !graph.isOutput(node.outputs[0])
      && readers.allSatisfy { graph.nodes[$0].operation == "Softmax" }
  }

  /// Whether a node is the mean of a normalization that is written out: subtracted from what it is the mean of.
  private func isCentring(_ index: Int) -> Bool {
    let node = graph.nodes[index]
    guard node.operation == "ReduceMean" else { return false }
    return (consumers[node.outputs[0]] ?? []).contains { reader in
      let other = graph.nodes[reader]
      return other.operation == "Sub" && other.inputs == [node.inputs[0], node.outputs[0]]
    }
  }

  private mutating func compute(_ index: Int, _ inputs: [Int]) {
    treatments[index] = .integer
    marked.insert(graph.nodes[index].outputs[0])
    for input in inputs { marked.insert(graph.nodes[index].inputs[input]) }
  }

  /// The node whose quantized output can take over what a clamp at zero does.
  private func clampedProducer(of index: Int) -> Int? {
    let node = graph.nodes[index]
    guard settings[index].mode == .integer, !settings[index].activations.mapping.isSymmetric,
      let bounds = ClipBounds(node, constants: graph.constants), bounds.clampsAtZero,
      let producer = producers[node.inputs[0]], treatments[producer] == .integer,
      soleReader(of: node.inputs[0]) == index, marked.contains(node.inputs[0]),
      settings[producer].activations == settings[index].activations
    else { return nil }
    return producer
  }
}

// MARK: - Codes that pass

extension QuantizationPlanner {
  /// Lets values before and behind operators that codes pass be quantized. Returns whether anything changed.
  private mutating func spreadSharing() -> Bool {
    var isChanged = false
    for index in graph.nodes.indices { isChanged = share(index) || isChanged }
    for index in graph.nodes.indices.reversed() { isChanged = share(index) || isChanged }
    return isChanged
  }

  private mutating func share(_ index: Int) -> Bool {
    let node = graph.nodes[index]
    guard treatments[index] == .float, settings[index].mode == .integer,
      let rule = QuantizationRules.all[node.operation], case .sharing = rule.kind,
      notes[index].isEmpty, hasFloatActivations(node, rule)
    else { return false }
    let inputs = rule.activationInputs(of: node).map { node.inputs[$0] }
    let outputs = node.outputs.filter { !$0.isEmpty }
    guard inputs.contains(where: marked.contains) || outputs.contains(where: marked.contains) else {
      return false
    }
    treatments[index] = .sharing
    marked.formUnion(inputs)
    marked.formUnion(outputs)
    return true
  }
}
