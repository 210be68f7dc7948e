import Graphs

/// Which value of a quantized network stands for each value of the float network.
///
/// Values match by name. Where a `QuantizeLinear` reads `x`, the value that stands for `x` is what comes out of the
/// `DequantizeLinear` behind it: readers that compute in integers see that one. A value that does not exist where the network
/// runs, since a fused step computes past it, matches none: its layer is told by the next value.
struct ValueMatching {
  /// The quantized network's name of each float value, in the order in which the float network computes them; inputs first.
  let pairs: [(float: String, quantized: String)]
  /// The float value that each name of the quantized network stands for; `x` itself is one as well.
  let floatNames: [String: String]
  /// The quantized network's name for each float value.
  let quantizedNames: [String: String]

  init(_ quantized: Graph, to float: Graph, existing: Set<String>? = nil) {
    let present = Set(quantized.inputs.map(\.name)).union(quantized.nodes.flatMap(\.outputs))
    let consumers = quantized.consumers()
    func stand(for name: String) -> String {
      for index in consumers[name] ?? [] {
        let node = quantized.nodes[index]
        guard node.operation.type == "QuantizeLinear", node.input(0) == name else { continue }
        for reader in consumers[node.outputs[0]] ?? [] {
          let reader = quantized.nodes[reader]
          if reader.operation.type == "DequantizeLinear", reader.input(0) == node.outputs[0] {
            return reader.outputs[0]
          }
        }
      }
      return name
    }
    let names = float.inputs.map(\.name) + float.nodes.flatMap(\.outputs)
    pairs = names.filter { !$0.isEmpty && present.contains($0) && float.constants[$0] == nil }
      .map { ($0, stand(for: $0)) }
      .filter { existing?.contains($0.1) ?? true }
    var floatNames: [String: String] = [:]
    for (float, quantized) in pairs {
      floatNames[float] = float
      floatNames[quantized] = float
    }
    self.floatNames = floatNames
    quantizedNames = Dictionary(
      pairs.map { ($0.float, $0.quantized) }, uniquingKeysWith: { first, _ in first })
  }
}
