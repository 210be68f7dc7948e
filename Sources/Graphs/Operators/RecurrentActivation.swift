import Foundation

/// One activation function of a recurrent layer.
public struct RecurrentActivation: Hashable, Sendable {
  /// Which function.
  public let function: Function
  /// Its first parameter, where it has one.
  public let alpha: Float
  /// Its second parameter, where it has one.
  public let beta: Float

  /// Which function.
  public enum Function: String, CaseIterable, Sendable {
    case relu = "Relu"
    case tanh = "Tanh"
    case sigmoid = "Sigmoid"
    /// `alpha · x + beta`.
    case affine = "Affine"
    /// `x`, times alpha where it is negative.
    case leakyRelu = "LeakyRelu"
    /// `x` where it is alpha or greater, else 0.
    case thresholdedRelu = "ThresholdedRelu"
    /// `alpha · tanh(beta · x)`.
    case scaledTanh = "ScaledTanh"
    /// `min(max(alpha · x + beta, 0), 1)`.
    case hardSigmoid = "HardSigmoid"
    /// `x`, or `alpha · (eˣ − 1)` where it is negative.
    case elu = "Elu"
    case softsign = "Softsign"
    case softplus = "Softplus"

    var defaults: (alpha: Float?, beta: Float?) {
      switch self {
      case .affine, .scaledTanh: (1, self == .affine ? 0 : 1)
      case .leakyRelu: (0.01, nil)
      case .thresholdedRelu, .elu: (1, nil)
      case .hardSigmoid: (0.2, 0.5)
      default: (nil, nil)
      }
    }
  }

  /// The `count` activations that the attributes name, in turn taking parameters from their lists.
  static func list(
    _ attributes: inout AttributeReader, count: Int, defaults: [String]
  ) throws -> [RecurrentActivation] {
    let names =
      try attributes.strings("activations")
      ?? (0..<count).map { defaults[$0 % defaults.count] }
    guard names.count == count else {
      throw attributes.invalid("activations", "has \(names.count) names; must have \(count)")
    }
    var alphas = try attributes.floats("activation_alpha") ?? []
    var betas = try attributes.floats("activation_beta") ?? []
    return try names.map { name in
      let known = Function.allCases.first { $0.rawValue.lowercased() == name.lowercased() }
      guard let function = known else {
        let list = Function.allCases.map(\.rawValue).joined(separator: ", ")
        throw attributes.invalid("activations", "has '\(name)'; known are \(list)")
      }
      func next(_ list: inout [Float], _ absent: Float?) -> Float {
        guard let absent else { return 0 }
        return list.isEmpty ? absent : list.removeFirst()
      }
      let absent = function.defaults
      return RecurrentActivation(
        function: function, alpha: next(&alphas, absent.alpha), beta: next(&betas, absent.beta))
    }
  }
}

extension RecurrentActivation {
  /// The function's value.
  package func value(at x: Float) -> Float {
    switch function {
    case .relu: max(x, 0)
    case .tanh: Foundation.tanh(x)
    case .sigmoid: 1 / (1 + exp(-x))
    case .affine: alpha * x + beta
    case .leakyRelu: x < 0 ? alpha * x : x
    case .thresholdedRelu: x >= alpha ? x : 0
    case .scaledTanh: alpha * Foundation.tanh(beta * x)
    case .hardSigmoid: min(max(alpha * x + beta, 0), 1)
    case .elu: x < 0 ? alpha * expm1(x) : x
    case .softsign: x / (1 + x.magnitude)
    case .softplus: max(x, 0) + log1p(exp(-x.magnitude))
    }
  }
}
