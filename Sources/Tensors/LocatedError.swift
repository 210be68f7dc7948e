/// An error about data that came from outside, which says where it was met and what to do about it.
///
/// Each layer that reads outside data has one such struct. `path` grows on the way up, from the innermost place outwards,
/// so that the whole reads `mlp.onnx › fc1 › weight: NaN at [3, 7]; …`.
public protocol LocatedError: Error, CustomStringConvertible, Sendable {
  /// Where it was met, outermost place first: file, node, tensor.
  var path: [String] { get set }

  /// What was found, what was expected, and what to do, as one line.
  var message: String { get }
}

extension LocatedError {
  /// The path and the message in one line: control characters, which names in damaged files may hold, are spelled out.
  public var description: String {
    let text = path.isEmpty ? message : path.joined(separator: " › ") + ": " + message
    guard text.unicodeScalars.contains(where: \.isControl) else { return text }
    return text.unicodeScalars.reduce(into: "") { line, scalar in
      line += scalar.isControl ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
    }
  }

  /// The same error, met inside `place`.
  public func inside(_ place: String) -> Self {
    var error = self
    error.path.insert(place, at: 0)
    return error
  }
}

/// Runs `body`; a ``LocatedError`` that leaves it gains `place` at the front of its path.
public func located<Result>(
  _ place: @autoclosure () -> String, _ body: () throws -> Result
) throws -> Result {
  do {
    return try body()
  } catch let error as any LocatedError {
    throw error.inside(place())
  }
}

extension Unicode.Scalar {
  fileprivate var isControl: Bool { properties.generalCategory == .control }
}
