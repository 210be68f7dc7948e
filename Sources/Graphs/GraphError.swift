public import Tensors

/// A graph that is not well-formed, or that asks for what is not there.
public struct GraphError: LocatedError {
  /// What went wrong, to switch on.
  public enum Code: Sendable {
    /// An operator or a version of one that is not known.
    case unsupportedOperator
    /// An attribute that is missing, of the wrong kind, out of range or unknown.
    case invalidAttribute
    /// A name that is assigned twice, or read and never assigned.
    case invalidName
    /// Nodes that wait for each other.
    case cycle
    /// Shapes or element types that don't go together.
    case mismatchedTypes
    /// A value that an operator can't take.
    case invalidValue
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
