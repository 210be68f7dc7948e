public import Tensors

/// A model file that can't be understood, or a model that a file can't hold.
public struct ModelFileError: LocatedError {
  /// What went wrong, to switch on.
  public enum Code: Sendable {
    /// A file of no format that is known here.
    case unknownFormat
    /// Bytes that are cut off or changed.
    case damaged
    /// A part of the format that is not supported, such as functions or texts as constants.
    case unsupported
    /// A version of the format or of its operators that is out of range.
    case unsupportedVersion
    /// A tensor whose shape, type and bytes do not go together.
    case invalidTensor
    /// A file of constants that is missing, too short, or lies outside the model's folder.
    case externalData
    /// A model that the format can't hold.
    case notStorable
  }

  /// What went wrong, to switch on.
  public let code: Code
  /// What was found, what was expected, and what to do.
  public let message: String
  /// Where, outermost place first: file, node, tensor.
  public var path: [String]

  /// An error of the given kind.
  public init(_ code: Code, _ message: String, path: [String] = []) {
    self.code = code
    self.message = message
    self.path = path
  }
}
