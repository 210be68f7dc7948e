public import Graphs
import NumberFormats
import Tensors

extension QuantizationPlan {
  /// Checks that a quantized model is what was planned: which weights are codes of which type, and which values pass through a
  /// pair of QuantizeLinear and DequantizeLinear.
  ///
  /// Throws ``QuantizationError`` at the first node that is not.
  public func verify(_ model: Model) throws {
    let graph = model.graph
    let producers = graph.producers()
    for entry in entries where entry.treatment != .absorbed {
      try located(entry.node) {
        guard let node = computing(entry, graph, producers) else {
          throw violated("computes '\(entry.output)' no more")
        }
        try verifyWeights(of: node, entry, graph, producers)
        try verifyStoredWeights(of: node, entry, graph, producers)
        if entry.treatment == .integer || entry.treatment == .sharing {
          try verifyInputs(of: node, entry, graph, producers)
        }
        try verifyOutput(entry, graph, producers)
      }
    }
  }

  private func violated(_ problem: String) -> QuantizationError {
    QuantizationError(
      .planViolated, "\(problem); the quantized model is not what was planned: report this")
  }

  /// The node that does the work of a planned one: behind it may stand the pair of its output, or what follows a dynamic product.
  private func computing(
    _ entry: Entry, _ graph: Graph, _ producers: [String: Int]
  ) -> Node? {
    let value = absorbed[entry.output] ?? entry.output
    guard var index = producers[value] ?? producers[value + "_float"] else {
      return entry.output.isEmpty ? graph.nodes.first { $0.label == entry.node } : nil
    }
    // Back from the pair, and from the additions and products behind integer and weight-only sums.
    let operations: Set<OperatorName> =
      entry.treatment == .dynamic
      ? ["MatMulInteger"]
      : entry.treatment == .weightOnly && entry.operation == "Gemm"
        ? ["MatMul", "Gemm"] : [entry.operation]
    for _ in 0..<8 {
      let node = graph.nodes[index]
      if operations.contains(node.operation) { return node }
      guard let previous = node.inputs.first.flatMap({ producers[$0] }) else { return nil }
      index = previous
    }
    return nil
  }

  private func verifyWeights(
    of node: Node, _ entry: Entry, _ graph: Graph, _ producers: [String: Int]
  ) throws {
    guard LinearLayer.operations.contains(entry.operation), let second = node.input(1) else {
      return
    }
    let name = entry.isFirstOperand ? node.inputs[0] : second
    let codes =
      entry.treatment == .dynamic
      ? graph.constants[name]
      : producers[name].flatMap { index -> Tensor? in
        guard graph.nodes[index].operation == "DequantizeLinear" else { return nil }
        return graph.constants[graph.nodes[index].inputs[0]]
      }
    if let scheme = entry.weights {
      guard let codes else { throw violated("its weights '\(name)' are no codes") }
      guard codes.elementType == scheme.code.onnxType else {
        throw violated("its weights '\(name)' are \(codes), not \(scheme.code)")
      }
    } else if entry.hasFloatWeights, codes != nil {
      throw violated("its weights '\(name)' are codes")
    }
  }

  private func verifyStoredWeights(
    of node: Node, _ entry: Entry, _ graph: Graph, _ producers: [String: Int]
  ) throws {
    guard let scheme = entry.weights, !LinearLayer.operations.contains(entry.operation) else {
      return
    }
    let isTable = entry.operation == "Gather"
    for position in isTable ? [0] : [1, 2] {
      let name = node.inputs[position]
      let codes =
        isTable
        ? graph.constants[name]
        : producers[name].flatMap { graph.constants[graph.nodes[$0].inputs[0]] }
      let type = isTable ? scheme.code.gatheredType : scheme.code.onnxType
      guard let codes, codes.elementType == type else {
        throw violated("its weights '\(name)' are no codes of \(scheme.code)")
      }
    }
  }

  private func verifyInputs(
    of node: Node, _ entry: Entry, _ graph: Graph, _ producers: [String: Int]
  ) throws {
    guard let rule = QuantizationRules.all[entry.operation],
      !entry.isAdditionOfBias(node, producers, graph)
    else { return }
    for position in rule.activationInputs(of: node) {
      let operation = producers[node.inputs[position]].map { graph.nodes[$0].operation }
      guard operation == "DequantizeLinear" else {
        throw violated("its input '\(node.inputs[position])' is not quantized")
      }
    }
  }

  private func verifyOutput(
    _ entry: Entry, _ graph: Graph, _ producers: [String: Int]
  ) throws {
    guard let planned = values[entry.output], planned.isProducedByIntegers else { return }
    guard let index = producers[entry.output],
      graph.nodes[index].operation == "DequantizeLinear",
      let quantizer = producers[graph.nodes[index].inputs[0]],
      graph.nodes[quantizer].operation == "QuantizeLinear",
      let zeroPoint = graph.nodes[quantizer].input(2).flatMap({ graph.constants[$0] }),
      zeroPoint.elementType == planned.scheme.code.storageType
    else { throw violated("its output '\(entry.output)' is not quantized as \(planned.scheme)") }
  }
}

extension QuantizationPlan.Entry {
  /// Whether the node adds the bias of a matrix product, in float.
  fileprivate func isAdditionOfBias(
    _ node: Node, _ producers: [String: Int], _ graph: Graph
  ) -> Bool {
    operation == "Add"
      && node.inputs.contains { producers[$0].map { graph.nodes[$0].operation } == "MatMul" }
      && node.inputs.contains { graph.constants[$0] != nil }
  }
}
