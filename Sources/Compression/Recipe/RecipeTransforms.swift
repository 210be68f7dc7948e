/// The list of transforms that recipes can name.
public enum RecipeTransforms {
  /// A transform's name, and how it is made.
  public struct Form: Sendable {
    /// The name in recipes.
    public let name: String
    /// What it does, one sentence.
    public let explanation: String
    /// Whether it runs the network on calibration data.
    public let needsData: Bool
    let make: @Sendable () -> any EquivalentTransform
  }

  /// Every transform. The one place to register another.
  public static let all: [Form] = [
    Form(
      name: BatchNormalizationFolding.name,
      explanation: "Folds batch normalization into the layers before it.", needsData: false
    ) { BatchNormalizationFolding() },
    Form(
      name: CrossLayerEqualization.name,
      explanation: "Makes the ranges of weights alike from channel to channel.", needsData: false
    ) { CrossLayerEqualization() },
  ]

  static func needsData(_ name: String) -> Bool {
    all.contains { $0.name == name && $0.needsData }
  }
}

extension Recipe {
  /// The transforms that are applied first, in order. Throws ``RecipeError`` for a name that is not in the list, which a
  /// decoded recipe has none of.
  func equivalentTransforms() throws -> [any EquivalentTransform] {
    try transforms.map { name in
      guard let form = RecipeTransforms.all.first(where: { $0.name == name }) else {
        throw RecipeError.unknownTransform(name)
      }
      return form.make()
    }
  }
}

extension RecipeError {
  static func unknownTransform(_ name: String) -> RecipeError {
    let names = RecipeTransforms.all.map(\.name).joined(separator: ", ")
    return RecipeError(
      .invalidValue, "'\(name)' is no transform; must be one of \(names)")
  }
}
