public import Graphs
import NumberFormats
import Tensors

extension QuantizationPlan {
  /// What becomes of a network's floating-point constants, counted in their bytes before.
  public struct WeightBytes: Sendable {
    /// The bytes of all of them that the quantized network still has, in one form or another.
    public let total: Int
    /// Those that stay float, the largest first; equal ones in the order of the nodes that read them.
    public let float: [FloatWeight]

    /// The bytes that become codes: weights, biases of integer layers, and operands of integer arithmetic.
    public var codes: Int { total - float.reduce(0) { $0 + $1.byteCount } }
  }

  /// A floating-point constant that stays as it is.
  public struct FloatWeight: Sendable {
    /// The constant's name.
    public let name: String
    /// The label of the first node that reads it as numbers, with its operator.
    public let node: String
    /// The operator of that node.
    public let operation: OperatorName
    /// The bytes it takes.
    public let byteCount: Int
    /// Why it stays float; empty where it is no weight, as the bias of a layer that computes in float.
    public let reason: String
  }
}

/// Counts which constants of a planned network become codes.
struct WeightCount {
  let graph: Graph
  let entries: [QuantizationPlan.Entry]
  let values: [String: QuantizationPlan.ValuePlan]

  func bytes() -> QuantizationPlan.WeightBytes {
    var total = 0
    var float: [QuantizationPlan.FloatWeight] = []
    var seen: Set<String> = []
    let consumers = graph.consumers()
    for (entry, node) in zip(entries, graph.nodes) {
      for body in node.subgraphs {
        let byteCount = Self.floatByteCount(of: body)
        total += byteCount
        guard byteCount > 0 else { continue }
        float.append(weight("constants inside", entry, byteCount, "in a graph of control flow"))
      }
      for name in node.inputs where seen.insert(name).inserted {
        guard let constant = graph.constants[name], constant.elementType.isFloatingPoint else {
          continue
        }
        let readers = (consumers[name] ?? []).filter { entries[$0].treatment != .absorbed }
        guard !readers.isEmpty else { continue }
        total += constant.byteCount
        guard let keeper = readers.first(where: { !becomesCodes(name, $0) }) else { continue }
        let reason = entries[keeper].weights == nil ? entries[keeper].note : ""
        float.append(weight(name, entries[keeper], constant.byteCount, reason))
      }
    }
    let places = float.enumerated().sorted {
      ($1.element.byteCount, $0.offset) < ($0.element.byteCount, $1.offset)
    }
    return QuantizationPlan.WeightBytes(total: total, float: places.map(\.element))
  }

  private func weight(
    _ name: String, _ entry: QuantizationPlan.Entry, _ byteCount: Int, _ reason: String
  ) -> QuantizationPlan.FloatWeight {
    QuantizationPlan.FloatWeight(
      name: name, node: entry.node, operation: entry.operation, byteCount: byteCount,
      reason: reason)
  }

  private func becomesCodes(_ name: String, _ index: Int) -> Bool {
    graph.nodes[index].readsAsCodes(
      name, entries[index].treatment, hasCodes: entries[index].weights != nil,
      isQuantized: values[name] != nil, constants: graph.constants)
  }

  private static func floatByteCount(of graph: Graph) -> Int {
    graph.constants.values.reduce(0) { $0 + ($1.elementType.isFloatingPoint ? $1.byteCount : 0) }
      + graph.nodes.flatMap(\.subgraphs).reduce(0) { $0 + floatByteCount(of: $1) }
  }
}
