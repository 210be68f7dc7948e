import Graphs
import Tensors

extension QuantizationPlanner {
  /// Leaves weights float that someone else reads as numbers, where codes would save no arithmetic: kept beside the numbers, they
  /// would make the file larger and the results worse.
  mutating func leaveWeightsReadAsNumbers() {
    var isChanged = true
    while isChanged {
      isChanged = false
      for index in graph.nodes.indices where treatments[index] == .weightOnly {
        for name in weightNames(graph.nodes[index]) {
          guard let reader = floatReader(of: name, besides: index) else { continue }
          treatments[index] = .float
          weights[index] = nil
          notes[index] = "'\(name)' stays for \(reader), which needs its numbers"
          isChanged = true
          break
        }
      }
    }
  }

  private func weightNames(_ node: Node) -> [String] {
    LinearLayer(node, constants: graph.constants).map { [$0.weightName] }
      ?? StoredWeights(node, constants: graph.constants)?.names(node).sorted() ?? []
  }

  /// Who keeps a constant float, in words.
  private func floatReader(of name: String, besides index: Int) -> String? {
    if graph.isOutput(name) { return "the caller" }
    let reader = (consumers[name] ?? []).first { reader in
      reader != index && treatments[reader] != .absorbed
        && !graph.nodes[reader].readsAsCodes(
          name, treatments[reader], hasCodes: weights[reader] != nil,
          isQuantized: marked.contains(name), constants: graph.constants)
    }
    return reader.map { graph.nodes[$0].label }
  }
}

extension Node {
  /// Whether a node of that treatment reads a constant as codes.
  ///
  /// `hasCodes` says whether its weights become codes, `isQuantized` whether the constant is an operand that does.
  func readsAsCodes(
    _ name: String, _ treatment: QuantizationPlan.Treatment, hasCodes: Bool, isQuantized: Bool,
    constants: [String: Tensor]
  ) -> Bool {
    if capturedValues().contains(name) { return false }
    let isComputedInIntegers = treatment == .integer || treatment == .sharing
    if hasCodes, let layer = LinearLayer(self, constants: constants) {
      return layer.weightName == name || (layer.biasName == name && isComputedInIntegers)
    }
    if hasCodes, let stored = StoredWeights(self, constants: constants) {
      return stored.names(self).contains(name)
    }
    return isComputedInIntegers && isQuantized
  }
}
