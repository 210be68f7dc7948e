public import NumberFormats

extension Recipe {
  /// What the recipe asks for one node.
  public struct Settings: Hashable, Sendable {
    /// How its weights become codes, `reduceRange` taken into account.
    public var weights: Weights
    /// How the activations it reads and computes become codes; nil unless the method is static.
    public var activations: Activations?
    /// Whether it stays float.
    public var keepFloat: Bool
    /// Which line of the recipe keeps it float, as in `keepFloat 'operator:Softmax'`; empty where it does not stay float.
    public var reason: String
    /// Whether an override says which of its weights share a scale.
    public var overridesGranularity = false
  }

  /// What the recipe asks for a node: the defaults, then each override that matches, in order.
  ///
  /// Throws ``RecipeError`` where overrides that match together make an impossible scheme.
  public func settings(for node: NodeIdentity) throws -> Settings {
    var settings = Settings(
      weights: weights, activations: activations, keepFloat: false, reason: "")
    if let pattern = keepFloat.first(where: { $0.matches(node) }) {
      settings.keepFloat = true
      settings.reason = "keepFloat '\(pattern)'"
    }
    for override in overrides where override.match.matches(node) {
      if let changes = override.weights {
        settings.weights = changes.applied(to: settings.weights)
        if changes.granularity != nil { settings.overridesGranularity = true }
      }
      if let changes = override.activations, let activations = settings.activations {
        settings.activations = changes.applied(to: activations)
      }
      if let keep = override.keepFloat {
        settings.keepFloat = keep
        settings.reason = keep ? "override '\(override.match)'" : ""
      }
    }
    if reduceRange, settings.weights.type.bitWidth == 8, let reduced = settings.weights.type.reduced
    {
      settings.weights.type = reduced
    }
    do {
      try settings.check()
    } catch let error as NumberFormatError {
      throw RecipeError(
        .contradiction, "the overrides that match give \(error.message)", path: [node.name])
    }
    return settings
  }

  /// The patterns, of `keepFloat` and of overrides, that match none of a model's nodes: as a rule a misspelt name.
  public func unmatchedPatterns(among nodes: [NodeIdentity]) -> [NodePattern] {
    (keepFloat + overrides.map(\.match)).filter { pattern in
      !nodes.contains { pattern.matches($0) }
    }
  }
}

extension Recipe.Settings {
  func check() throws {
    _ = try QuantizationScheme(
      weights.type, weights.granularity.granularity(outputAxis: 0, inputAxis: 1), weights.mapping,
      scaleType: weights.scaleType)
    if let activations {
      _ = try QuantizationScheme(activations.type, .perTensor, activations.mapping)
    }
  }
}

extension Recipe.Activations {
  /// The scheme of an activation.
  ///
  /// Throws ``NumberFormatError`` where type and mapping don't go together, which a decoded recipe's do.
  public func scheme() throws -> QuantizationScheme {
    try QuantizationScheme(type, .perTensor, mapping)
  }
}

extension Recipe.Weights {
  /// The scheme of a weight of which `outputAxis` counts outputs and `inputAxis` the inputs that are summed over.
  ///
  /// Throws ``NumberFormatError`` where the parts don't go together, which a decoded recipe's do.
  public func scheme(outputAxis: Int, inputAxis: Int) throws -> QuantizationScheme {
    let granularity = granularity.granularity(outputAxis: outputAxis, inputAxis: inputAxis)
    return try QuantizationScheme(type, granularity, mapping, scaleType: scaleType)
  }
}
