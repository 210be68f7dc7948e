public import Tensors

/// What is known of a value before it is computed.
public struct ValueType: Hashable, Sendable, CustomStringConvertible {
  /// What each element is, nil where it is not known.
  public var elementType: ElementType?
  /// The length of each axis, nil where not even the number of axes is known.
  public var dimensions: [Dimension]?

  /// A type of which the given is known.
  public init(_ elementType: ElementType?, _ dimensions: [Dimension]?) {
    self.elementType = elementType
    self.dimensions = dimensions
  }

  /// A type that is wholly known.
  public init(_ elementType: ElementType, _ shape: Shape) {
    self.init(elementType, shape.dimensions.map { .fixed($0) })
  }

  /// The shape, where every length is known.
  public var shape: Shape? {
    guard let dimensions else { return nil }
    let lengths = dimensions.compactMap(\.length)
    return lengths.count == dimensions.count ? Shape(checking: lengths) : nil
  }

  /// The number of axes, where it is known.
  public var rank: Int? { dimensions?.count }

  /// As in `float32[N, 3, 224, 224]`; what is not known reads `?`.
  public var description: String {
    let lengths = dimensions.map { "[\($0.map(\.description).joined(separator: ", "))]" }
    return (elementType?.rawValue ?? "?") + (lengths ?? "[…]")
  }
}

/// The length of one axis, known or not.
public enum Dimension: Hashable, Sendable, CustomStringConvertible {
  /// A length that is known.
  case fixed(Int)
  /// A length that is the same wherever the name stands, as in a batch size `N`.
  case named(String)
  /// A length that nothing is known of.
  case unknown

  /// The length, where it is known.
  public var length: Int? { if case .fixed(let length) = self { length } else { nil } }

  /// The name, where the length goes by one.
  public var name: String? { if case .named(let name) = self { name } else { nil } }

  /// The number, the name, or `?`.
  public var description: String {
    switch self {
    case .fixed(let length): String(length)
    case .named(let name): name
    case .unknown: "?"
    }
  }
}

extension Dimension: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
  /// A known length.
  public init(integerLiteral length: Int) { self = .fixed(length) }
  /// A named length.
  public init(stringLiteral name: String) { self = .named(name) }
}
