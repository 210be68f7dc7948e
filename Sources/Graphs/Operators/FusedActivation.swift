/// The activation at the end of a fused operator.
public enum FusedActivation: Hashable, Sendable {
  case none, relu, tanh, sigmoid
  case leakyRelu(alpha: Float)
  case clip(min: Float, max: Float)
  case hardSigmoid(alpha: Float, beta: Float)

  /// The activation of that name; parameters in ONNX Runtime's order.
  init(_ name: String?, parameters: [Float], _ attributes: inout AttributeReader) throws {
    func parameter(_ index: Int, default absent: Float) -> Float {
      index < parameters.count ? parameters[index] : absent
    }
    switch name {
    case nil, "": self = .none
    case "Relu": self = .relu
    case "Tanh": self = .tanh
    case "Sigmoid": self = .sigmoid
    case "LeakyRelu": self = .leakyRelu(alpha: parameter(0, default: 0.01))
    case "Clip":
      let range = (
        parameter(0, default: -.greatestFiniteMagnitude),
        parameter(1, default: .greatestFiniteMagnitude)
      )
      self = .clip(min: range.0, max: range.1)
    case "HardSigmoid":
      self = .hardSigmoid(
        alpha: parameter(0, default: 0.2), beta: parameter(1, default: 0.5))
    case .some(let other):
      throw attributes.invalid(
        "activation",
        "is '\(other)'; known are Relu, Tanh, Sigmoid, LeakyRelu, Clip, HardSigmoid")
    }
  }
}
