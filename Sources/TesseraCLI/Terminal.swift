import Foundation

/// What goes to people rather than into results.
enum Terminal {
  /// Whether standard error is a terminal rather than a file or a pipe.
  static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 }

  /// A line for people, on standard error.
  static func say(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }
}
