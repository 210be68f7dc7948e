public import Tensors

/// A recipe that can't be read or followed.
public struct RecipeError: LocatedError {
  /// What went wrong, to switch on.
  public enum Code: Sendable {
    /// Text that is no YAML.
    case invalidSyntax
    /// A key that no recipe has.
    case unknownKey
    /// A key that must be there.
    case missingKey
    /// A value of the wrong type or one that is not among those allowed.
    case invalidValue
    /// Parts that contradict each other.
    case contradiction
    /// A name of no recipe.
    case unknownRecipe
  }

  /// What went wrong, to switch on.
  public let code: Code
  /// What was found, what was expected, and what to do.
  public let message: String
  /// Where, outermost place first: file, line, key.
  public var path: [String]

  /// An error of the given kind.
  public init(_ code: Code, _ message: String, path: [String] = []) {
    self.code = code
    self.message = message
    self.path = path
  }
}
