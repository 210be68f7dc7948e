public import Tensors

/// A model that can't be compressed as asked.
public struct QuantizationError: LocatedError {
  /// What went wrong, to switch on.
  public enum Code: Sendable {
    /// Settings that contradict each other or that the operator can't follow.
    case invalidSettings
    /// Statistics that lack a value, or calibration data that is empty.
    case missingStatistics
    /// A number that is NaN or infinite, or that its type can't hold.
    case invalidValue
    /// An operator set version that is needed and can't be reached.
    case unsupportedOpset
    /// A graph that is not what the plan says.
    case planViolated
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
