/// Where zero lies among the codes.
public enum Mapping: Hashable, Sendable {
  /// Zero is the middle code, and the step follows from the greatest magnitude.
  ///
  /// As a rule the codes −quantMax … quantMax are used and the step is `maxAbs / quantMax`. With `fullRange` the outermost
  /// negative code is used too and the step is `maxAbs / ((quantMax − quantMin) / 2)`, as ONNX Runtime has it for 4 bits:
  /// there the greatest magnitude lies half a step outside on the positive side.
  case symmetric(fullRange: Bool)

  /// The codes cover min … max, widened to contain 0, and zero is one of them.
  case affine

  /// Symmetric, the outermost negative code left out.
  public static let symmetric = Mapping.symmetric(fullRange: false)

  /// Whether zero is the middle code.
  public var isSymmetric: Bool { self != .affine }

  /// Whether the codes are all that the type has.
  public var usesAllCodes: Bool { self != .symmetric }

  /// Every mapping.
  public static let all: [Mapping] = [.symmetric, .symmetric(fullRange: true), .affine]
}

extension Mapping: CustomStringConvertible {
  /// The name in recipes: `symmetric`, `symmetricFullRange` or `affine`.
  public var description: String {
    switch self {
    case .symmetric(let fullRange): fullRange ? "symmetricFullRange" : "symmetric"
    case .affine: "affine"
    }
  }

  /// The mapping of that name. Throws ``NumberFormatError`` that lists the names for any other.
  public init(name: String) throws {
    guard let mapping = Mapping.all.first(where: { $0.description == name }) else {
      let names = Mapping.all.map(\.description).joined(separator: ", ")
      throw NumberFormatError(.unknownName, "'\(name)' is no mapping; must be one of \(names)")
    }
    self = mapping
  }
}
