public import Tensors

/// A number format that can't be, or numbers that it can't hold.
public struct NumberFormatError: LocatedError {
  /// What went wrong, to switch on.
  public enum Code: Sendable {
    /// A name that stands for no code type, granularity, mapping or scale type.
    case unknownName
    /// Parts that don't go together.
    case invalidScheme
    /// A tensor, scales or zero points of the wrong shape or type.
    case mismatch
    /// A NaN or an infinity among the numbers.
    case notFinite
    /// A scale, a code or a bias that its type can't hold.
    case outOfRange
    /// A layout that can't hold the scheme.
    case unsupportedLayout
  }

  /// What went wrong, to switch on.
  public let code: Code
  /// What was found, what was expected, and what to do.
  public let message: String
  /// Where, outermost place first.
  public var path: [String]

  /// An error of the given kind.
  public init(_ code: Code, _ message: String, path: [String] = []) {
    self.code = code
    self.message = message
    self.path = path
  }

  /// The error about the element at `offset`, in row-major order, of a tensor of the given shape.
  package static func notFinite(_ value: Float, at offset: Int, in shape: Shape) -> Self {
    var rest = offset
    let index = shape.strides.map { stride in
      defer { rest %= stride }
      return rest / stride
    }
    let name = value.isNaN ? "NaN" : value < 0 ? "-infinity" : "infinity"
    return Self(
      .notFinite,
      "\(name) at \(index); numbers must be finite: repair the file or whatever computed them")
  }
}
