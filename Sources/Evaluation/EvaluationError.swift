public import Tensors

/// A network that can't be judged as asked: labels that are missing, outputs that don't go together.
public struct EvaluationError: LocatedError {
  /// What went wrong, to switch on.
  public enum Code: Sendable {
    /// A metric that needs labels, or another network, that was not given.
    case missingReference
    /// Outputs that are missing or of another shape or type than expected.
    case mismatch
    /// A threshold or a metric that can't be understood.
    case invalidSetting
  }

  /// What went wrong, to switch on.
  public let code: Code
  /// What was found, what was expected, and what to do.
  public let message: String
  /// Where, outermost place first: value, sample.
  public var path: [String]

  /// An error of the given kind.
  public init(_ code: Code, _ message: String, path: [String] = []) {
    self.code = code
    self.message = message
    self.path = path
  }
}
