import NumberFormats

extension Recipe {
  /// What a recipe leaves out, and what the presets have in common. The one place where these choices are made.
  enum Defaults {
    /// How the ranges of activations are chosen.
    static let activationEstimator = choice("minMax")
    /// How the ranges of 8-bit weights are chosen.
    static let weightEstimator = choice("minMax")
    /// How the ranges of weights are chosen where it pays to clip: with fewer bits.
    static let searchedWeightEstimator = choice("mse")

    /// What static recipes have data for anyway, and where it gains most.
    static func biasCorrection(of method: Method) -> BiasCorrection {
      method == .static ? .empirical : .none
    }

    /// 8 bits, symmetric, one scale per output.
    static let weights = Weights(
      type: .int8, granularity: .perChannel, mapping: .symmetric, estimator: weightEstimator,
      scaleType: .float32)

    /// 8 bits, affine: what ONNX Runtime runs fastest beside int8 weights.
    static let activations = Activations(
      type: .uint8, mapping: .affine, estimator: activationEstimator)

    private static func choice(_ name: String) -> RangeEstimatorChoice {
      guard let choice = try? RangeEstimatorChoice(name: name) else {
        preconditionFailure("'\(name)' is no range estimator")
      }
      return choice
    }
  }
}
