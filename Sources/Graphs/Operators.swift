import Tensors

/// Every operator that is known: each family's own list, joined. The one place to register a family.
public enum Operators {
  /// All operators by name.
  public static let all: [OperatorName: any Operator.Type] = {
    let families: [[any Operator.Type]] = [
      activationOperators,
      arithmeticOperators,
      attentionOperators,
      convolutionOperators,
      logicOperators,
      mathOperators,
      matrixProductOperators,
      normalizationOperators,
      poolingOperators,
      recurrentOperators,
      softmaxOperators,
      quantizationOperators,
      quantizedProductOperators,
      quantizedElementwiseOperators,
      weightOnlyOperators,
      reshapingOperators,
      transposingOperators,
      joiningOperators,
      slicingOperators,
      gatheringOperators,
      generatingOperators,
      castingOperators,
      reducingOperators,
      resamplingOperators,
      selectingOperators,
      indexAlgebraOperators,
      controlFlowOperators,
    ]
    var table: [OperatorName: any Operator.Type] = [:]
    for type in families.joined() {
      precondition(table.updateValue(type, forKey: type.name) == nil, "\(type.name) stands twice")
    }
    return table
  }()

  /// Decodes a node's operator and checks its attributes and its number of inputs and outputs.
  ///
  /// Throws ``GraphError`` whose path begins with the node's label.
  public static func decode(_ node: Node, opsets: [String: Int]) throws -> any Operator {
    guard let type = all[node.operation] else {
      throw GraphError(
        .unsupportedOperator, "unsupported operator \(node.operation)", path: [node.label])
    }
    return try located(node.label) {
      try check(node.inputs.count, type.inputCount, "inputs", node)
      try check(node.outputs.count, type.outputCount, "outputs", node)
      var reader = AttributeReader(
        node.attributes, opset: opsets[node.operation.domain] ?? 1)
      let decoded = try type.init(&reader)
      guard reader.unread.isEmpty else {
        throw GraphError(
          .invalidAttribute,
          "\(node.operation) has unknown attributes: \(reader.unread.joined(separator: ", "))")
      }
      return decoded
    }
  }

  private static func check(
    _ count: Int, _ allowed: ClosedRange<Int>, _ what: String, _ node: Node
  ) throws {
    guard !allowed.contains(count) else { return }
    let expected =
      allowed.count == 1
      ? "\(allowed.lowerBound)" : "\(allowed.lowerBound) to \(allowed.upperBound)"
    throw GraphError(
      .invalidValue, "\(node.operation) has \(count) \(what); must have \(expected)")
  }
}
