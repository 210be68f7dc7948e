public import Tensors

/// Inputs that a network can't be run on, or a node that can't compute its result from what it was given.
public struct ExecutionError: LocatedError {
  /// What went wrong, to switch on.
  public enum Code: Sendable {
    /// An input that is missing, unknown, or of the wrong type or shape.
    case invalidInput
    /// Values that an operator can't take: an index out of range, shapes that don't go together.
    case invalidValue
    /// A combination of types or settings that is not computed here.
    case unsupported
  }

  /// What went wrong, to switch on.
  public let code: Code
  /// What was found, what was expected, and what to do.
  public let message: String
  /// Where, outermost place first: node, value.
  public var path: [String]

  /// An error of the given kind.
  public init(_ code: Code, _ message: String, path: [String] = []) {
    self.code = code
    self.message = message
    self.path = path
  }
}
