import NumberFormats

extension Recipe {
  /// The recipes that have names. The one place to register another.
  public static let all: [Recipe] = [
    preset(
      "w8a8", .static,
      "8-bit weights (one scale per output) and 8-bit activations with ranges from calibration data: "
        + "layers at a quarter of their size, integer arithmetic throughout. The default for "
        + "convolutional networks.",
      biasCorrection: .empirical),
    preset(
      "w8a8-per-tensor", .static,
      "As w8a8 with one scale per weight tensor, for runtimes that know no other. Ranges of weights "
        + "are made alike from channel to channel first, without which depthwise networks fail.",
      weights: weights { $0.granularity = .perTensor },
      transforms: [CrossLayerEqualization.name],
      biasCorrection: .empirical),
    preset(
      "w8a8-dynamic", .dynamic,
      "8-bit weights, and activations whose ranges are found anew at each run: needs no data. For "
        + "networks of matrix products, such as transformers."),
    preset(
      "w8a16", .static,
      "8-bit weights and 16-bit activations: nearly the accuracy of float, layers at a quarter of their size. For size and "
        + "not for speed, but where a runtime has such kernels: on the CPU it is computed in float, a little slower than the "
        + "float network.",
      activations: .uint16, biasCorrection: .empirical),
    preset(
      "w8", .weightOnly,
      "8-bit weights, one scale per output, computed in float: layers at a quarter of their size; needs no data. For the "
        + "size of the file and not for speed: weights become numbers when the network is loaded. For large matrix "
        + "products. On convolutional networks w8a8 is more accurate, since data corrects its biases."
    ),
    preset(
      "w4", .weightOnly,
      "4-bit weights with zero points, one scale per 32 inputs, computed in float: layers at a seventh "
        + "of their size; needs no data. Large matrix products keep them in memory as they are, which is faster than float "
        + "for few rows at a time; elsewhere for size and not for speed. Where an output has fewer than 9 inputs, 8 bits and "
        + "one scale.",
      weights: fourBits(.perGroup(size: 32))),
    preset(
      "w4-group64", .weightOnly,
      "As w4 with one scale per 64 inputs: a little smaller and coarser.",
      weights: fourBits(.perGroup(size: 64))),
    preset(
      "w4-group128", .weightOnly,
      "As w4 with one scale per 128 inputs: nearly an eighth.",
      weights: fourBits(.perGroup(size: 128))),
    preset(
      "w4-per-channel", .weightOnly,
      "4-bit weights, symmetric, one scale per output: the smallest and coarsest.",
      weights: weights {
        ($0.type, $0.estimator) = (.int4, Defaults.searchedWeightEstimator)
      }),
  ]

  /// The preset of that name. Throws ``RecipeError`` that lists the names for any other.
  public init(named name: String) throws {
    guard let recipe = Recipe.all.first(where: { $0.name == name }) else {
      let names = Recipe.all.map(\.name).joined(separator: ", ")
      throw RecipeError(
        .unknownRecipe, "'\(name)' is no recipe; must be one of \(names), or a YAML file")
    }
    self = recipe
  }

  private static func preset(
    _ name: String, _ method: Method, _ explanation: String, weights: Weights = Defaults.weights,
    activations: CodeType = .uint8, transforms: [String] = [],
    biasCorrection: BiasCorrection = .none
  ) -> Recipe {
    var settings = Defaults.activations
    settings.type = activations
    return Recipe(
      name: name, explanation: explanation, method: method, weights: weights,
      activations: method == .static ? settings : nil, transforms: transforms,
      biasCorrection: biasCorrection, keepFloat: [], reduceRange: false, overrides: [])
  }

  private static func weights(_ change: (inout Weights) -> Void) -> Weights {
    var weights = Defaults.weights
    change(&weights)
    return weights
  }

  private static func fourBits(_ granularity: Granularity.Kind) -> Weights {
    weights {
      ($0.type, $0.granularity, $0.mapping) = (.uint4, granularity, .affine)
      $0.estimator = Defaults.searchedWeightEstimator
    }
  }
}
