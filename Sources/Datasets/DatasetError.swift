public import Tensors

/// Data that can't be read, or that does not fit what it is meant for.
public struct DatasetError: LocatedError {
  /// What went wrong, to switch on.
  public enum Code: Sendable {
    /// A file that is cut short, damaged, or not what it claims to be.
    case invalidFile
    /// A sound file that holds something which is not read here.
    case unsupported
    /// Data without a single sample.
    case empty
    /// A setting that is unknown, of the wrong kind, or out of range.
    case invalidSetting
    /// Data that does not fit the network: a missing input, another shape or type.
    case mismatch
  }

  /// What went wrong, to switch on.
  public let code: Code
  /// What was found, what was expected, and what to do.
  public let message: String
  /// Where, outermost place first: folder, file, array.
  public var path: [String]

  /// An error of the given kind.
  public init(_ code: Code, _ message: String, path: [String] = []) {
    self.code = code
    self.message = message
    self.path = path
  }
}
