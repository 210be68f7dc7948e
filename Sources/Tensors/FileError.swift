import Foundation

/// A file that can't be read or written.
public struct FileError: LocatedError {
  /// What went wrong, to switch on.
  public enum Code: Sendable {
    case missing
    case unreadable
    case unwritable
  }

  /// What went wrong, to switch on.
  public let code: Code
  /// What was found, what was expected, and what to do.
  public let message: String
  /// The file, and what it was reached through.
  public var path: [String]

  /// An error of the given kind about the file that `path` ends in.
  public init(_ code: Code, _ message: String, path: [String]) {
    self.code = code
    self.message = message
    self.path = path
  }

  init(reading path: String, _ errorNumber: Int32) {
    let reason = String(cString: strerror(errorNumber))
    self.init(
      errorNumber == ENOENT ? .missing : .unreadable,
      "can't be read: \(reason.lowercased()); check the path and its permissions", path: [path])
  }

  init(writing path: String, _ errorNumber: Int32) {
    let reason = String(cString: strerror(errorNumber))
    self.init(
      .unwritable, "can't be written: \(reason.lowercased()); nothing was changed", path: [path])
  }
}
