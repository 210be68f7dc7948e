/// The list of transforms that recipes can name.
public enum RecipeTransforms {
  /// A transform's name, and how it is made.
  public struct Form: Sendable {
    /// The name in recipes.
    public let name: String
    /// What it does, one sentence.
    public let explanation: String
    /// The words of which one may stand behind the name in parentheses; the first is taken where none does.
    public let parameters: [String]
    let make: @Sendable (String) -> any EquivalentTransform
  }

  /// Every transform. The one place to register another.
  public static let all: [Form] = [
    Form(
      name: CrossLayerEqualization.name,
      explanation: "Makes the ranges of weights alike from channel to channel.",
      parameters: CrossLayerEqualization.ClippedChannels.allCases.map(\.rawValue)
    ) {
      CrossLayerEqualization(clippedChannels: .init(rawValue: $0) ?? .perChannel)
    }
  ]

  /// The name in a text such as `name` or `name(word)`.
  static func name(in text: String) -> Substring { text.prefix { $0 != "(" } }

  /// The transform that a recipe asks for. Throws ``RecipeError`` that lists what may stand there for any other text.
  static func transform(_ text: String) throws -> any EquivalentTransform {
    let name = name(in: text)
    guard let form = all.first(where: { $0.name == name }) else {
      let names = all.map(\.name).joined(separator: ", ")
      throw RecipeError(.invalidValue, "'\(text)' is no transform; must be one of \(names)")
    }
    if text == form.name { return form.make(form.parameters.first ?? "") }
    guard let word = form.parameters.first(where: { text == "\(name)(\($0))" }) else {
      throw RecipeError(
        .invalidValue,
        "'\(text)': the parameter of \(name) must be one of "
          + form.parameters.joined(separator: ", "))
    }
    return form.make(word)
  }
}

extension Recipe {
  /// The transforms that are applied first, in order. Throws ``RecipeError`` for a text that names none, which a decoded recipe
  /// has none of.
  func equivalentTransforms() throws -> [any EquivalentTransform] {
    try transforms.map { try RecipeTransforms.transform($0) }
  }
}
