import Graphs

extension QuantizationPlanner {
  /// Leaves results of integer products in float where nothing reads their codes, as those that leave the graph.
  ///
  /// An integer product sums in int32 and can give the sum times its scale as it is: ONNX Runtime's kernels do so where no
  /// QuantizeLinear follows. Rounding it to 8 bits would only lose accuracy. Convolutions have no such form and stay as they are.
  mutating func leaveFloatResults() {
    for index in graph.nodes.indices where treatments[index] == .integer {
      guard ["MatMul", "Gemm"].contains(graph.nodes[index].operation) else { continue }
      let node = addition(behind: index) ?? index
      let value = graph.nodes[node].outputs[0]
      guard marked.contains(value), !(consumers[value] ?? []).contains(where: readsCodes) else {
        continue
      }
      marked.remove(value)
      if notes[node].isEmpty { notes[node] = "gives floats, since nothing reads its codes" }
    }
  }

  /// The float addition of the bias of a matrix product.
  private func addition(behind index: Int) -> Int? {
    biasAdditions.contains(index) ? consumers[graph.nodes[index].outputs[0]]?.first : nil
  }

  private func readsCodes(_ index: Int) -> Bool {
    isComputedInIntegers(index) || treatments[index] == .absorbed
  }
}
