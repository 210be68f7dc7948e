public import Graphs
public import NumberFormats
import Tensors

/// What becomes of each node of a model when it is quantized: made before the work, checked after it.
public struct QuantizationPlan: Sendable {
  /// How a node is computed afterwards.
  public enum Treatment: String, Sendable, CaseIterable {
    /// In integers, with scales that were measured before.
    case integer = "static"
    /// In integers, with activation scales that are measured while running.
    case dynamic
    /// In float, with weights that are kept as codes.
    case weightOnly = "weight-only"
    /// Not at all: the range of the output before it clamps alike.
    case absorbed
    /// On codes that pass unchanged.
    case sharing
    /// In float.
    case float

    /// What the word means, in a few others.
    var meaning: String {
      switch self {
      case .integer: "integers, scales measured before"
      case .dynamic: "integers, scales measured while running"
      case .weightOnly: "float, weights kept as codes"
      case .absorbed: "a clamp that became the range of what is before it"
      case .sharing: "passes codes on unchanged"
      case .float: "as it was"
      }
    }
  }

  /// What becomes of one node.
  public struct Entry: Sendable {
    /// The node's label.
    public let node: String
    /// The node's operator.
    public let operation: OperatorName
    /// How it is computed afterwards.
    public let treatment: Treatment
    /// How its weights are stored; nil where it has none, or they stay float.
    public let weights: QuantizationScheme?
    /// How its first output is stored; nil where it stays float.
    public let activations: QuantizationScheme?
    /// Why it stays float, or what else is to be known; may be empty.
    public let note: String
    /// The name of the first output in the float model.
    let output: String
    /// Whether it is a layer whose float weights are known.
    let hasFloatWeights: Bool
    /// Whether the weights stand first in a product, before what is computed.
    let isFirstOperand: Bool
    /// Whether it takes part in the computation with floating-point numbers at all.
    let isNumeric: Bool
  }

  /// One entry for each node, in the order of the graph.
  public let entries: [Entry]

  /// How a value between nodes is quantized.
  struct ValuePlan: Sendable {
    /// The value whose range counts for all that share it.
    let root: String
    let scheme: QuantizationScheme
    /// Whether the node that computes it is quantized: then every reader gets the dequantized value.
    let isProducedByIntegers: Bool
  }

  /// The range of a group of values that share it.
  struct RangePlan: Sendable {
    /// The values whose numbers the range must cover, in topological order.
    var sources: [String]
    /// The bounds within which the range is held, as a clamp that was absorbed says.
    var bounds: ClosedRange<Float>?
    /// The range, where it is known without data.
    var fixed: ValueRange?
    let settings: Recipe.Activations
  }

  /// What becomes of the floating-point constants: how much in codes, and which stay float.
  public let weightBytes: WeightBytes

  /// The quantized values by name.
  let values: [String: ValuePlan]
  /// The ranges by the name of the group's root.
  let ranges: [String: RangePlan]
  /// The settings of each node.
  let settings: [NodeSettings]
  /// For the value before each absorbed clamp, the value after it.
  let absorbed: [String: String]
  /// Matrix products whose bias is a following float addition: their output stays float.
  let biasAdditions: Set<Int>
}

// MARK: - As text

extension QuantizationPlan: CustomStringConvertible {
  /// A table with a line for each node that computes with floating-point numbers: node, operator, treatment, weights,
  /// activations, note.
  public var description: String {
    let rows =
      [["node", "operator", "treatment", "weights", "activations", "note"]]
      + entries.filter(\.isNumeric).map { entry in
        [
          entry.node, "\(entry.operation)", entry.treatment.rawValue,
          entry.weights.map { "\($0)" } ?? "–", entry.activations.map { "\($0)" } ?? "–",
          entry.note,
        ]
      }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      var line = cells.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }

  /// What the words of ``summary`` mean, in one line, as in `static: integers, scales measured before; float: as it was`.
  public var legend: String {
    Treatment.allCases.filter { treatment in
      entries.contains { $0.treatment == treatment && $0.isNumeric }
    }.map { "\($0.rawValue): \($0.meaning)" }.joined(separator: "; ")
  }

  /// How many nodes get each treatment, as in `52 static, 3 absorbed, 2 float`.
  public var summary: String {
    Treatment.allCases.compactMap { treatment in
      let count = entries.count { $0.treatment == treatment && $0.isNumeric }
      return count == 0 ? nil : "\(count) \(treatment.rawValue)"
    }.joined(separator: ", ")
  }
}
