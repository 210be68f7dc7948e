import Graphs
import Tensors

/// What static quantization does with one operator. The one place to say so for another operator.
struct QuantizationRule: Sendable {
  enum Kind: Sendable {
    /// Constant weights and bias: input 0 is the activation; computed in integers.
    case layer
    /// Computed from codes to codes, with a range of its own for the output.
    case computed
    /// As `computed`, with an output that lies in a range that is known.
    case fixedRange(Float, Float)
    /// Relu and Clip at zero: the range of the output clamps what the node before computes.
    case clamp
    /// Moves or selects elements: codes pass unchanged, so input and output share scale and zero point.
    case sharing
  }

  let operation: OperatorName
  let kind: Kind
  /// Which inputs are activations; nil for all.
  let activations: [Int]?

  init(_ operation: OperatorName, _ kind: Kind, activations: [Int]? = [0]) {
    (self.operation, self.kind, self.activations) = (operation, kind, activations)
  }

  /// The positions of the inputs of a node that are activations.
  func activationInputs(of node: Node) -> [Int] {
    (activations ?? Array(node.inputs.indices)).filter { node.input($0) != nil }
  }
}

/// The table of operators that static quantization knows.
///
/// Every other operator is computed in float: runtimes have no integer form of it, so that quantizing its input and output
/// would only lose accuracy. ONNX Runtime's fusions of these: `DQ → operator → Q` becomes an integer operator, or, where codes
/// pass unchanged, both pairs vanish.
enum QuantizationRules {
  static let all: [OperatorName: QuantizationRule] = Dictionary(
    uniqueKeysWithValues: rows.map { ($0.operation, $0) })

  private static let rows: [QuantizationRule] = [
    // MARK: Weights and bias
    QuantizationRule("Conv", .layer),
    QuantizationRule("ConvTranspose", .layer),
    QuantizationRule("Gemm", .layer),
    QuantizationRule("MatMul", .layer),

    // MARK: Ranges of their own
    QuantizationRule("Add", .computed, activations: nil),
    QuantizationRule("Mul", .computed, activations: nil),
    QuantizationRule("AveragePool", .computed),
    QuantizationRule("GlobalAveragePool", .computed),
    QuantizationRule("ReduceMean", .computed),
    QuantizationRule("LeakyRelu", .computed),
    QuantizationRule("PRelu", .computed),
    QuantizationRule("Elu", .computed),
    QuantizationRule("HardSwish", .computed),
    QuantizationRule("Mish", .computed),
    QuantizationRule("Tanh", .computed),
    QuantizationRule("Sigmoid", .computed),
    QuantizationRule("HardSigmoid", .computed),
    QuantizationRule("Softmax", .fixedRange(0, 1)),

    // MARK: Clamps
    QuantizationRule("Relu", .clamp),
    QuantizationRule("Clip", .clamp),

    // MARK: Codes pass
    QuantizationRule("MaxPool", .sharing),
    QuantizationRule("GlobalMaxPool", .sharing),
    QuantizationRule("ReduceMax", .sharing),
    QuantizationRule("ReduceMin", .sharing),
    QuantizationRule("Identity", .sharing),
    QuantizationRule("Reshape", .sharing),
    QuantizationRule("Transpose", .sharing),
    QuantizationRule("Flatten", .sharing),
    QuantizationRule("Squeeze", .sharing),
    QuantizationRule("Unsqueeze", .sharing),
    QuantizationRule("Slice", .sharing),
    QuantizationRule("Gather", .sharing),
    QuantizationRule("Expand", .sharing),
    QuantizationRule("Tile", .sharing),
    QuantizationRule("Split", .sharing),
    QuantizationRule("Pad", .sharing),
    QuantizationRule("Resize", .sharing),
    QuantizationRule("DepthToSpace", .sharing),
    QuantizationRule("SpaceToDepth", .sharing),
    QuantizationRule("Concat", .sharing, activations: nil),
    QuantizationRule("Max", .sharing, activations: nil),
    QuantizationRule("Min", .sharing, activations: nil),
    QuantizationRule("Where", .sharing, activations: [1, 2]),
  ]

  /// Why a node whose operator has a rule can't follow it, or nil where it can.
  static func objection(to node: Node, constants: [String: Tensor]) -> String? {
    switch node.operation {
    case "Resize" where node.text("mode", default: "nearest") != "nearest":
      return "interpolation mixes elements"
    case "Pad":
      guard node.text("mode", default: "constant") == "constant", let value = node.input(2) else {
        return nil
      }
      let isZero = constants[value]?.withUnsafeBytes { $0.allSatisfy { $0 == 0 } } ?? false
      return isZero ? nil : "pads with another number than 0"
    case "MaxPool" where node.outputs.count > 1 && !node.outputs[1].isEmpty:
      return "its indices are read"
    default: return nil
    }
  }
}
