package import Tensors

/// The shape rule of multidirectional broadcasting, as in NumPy and ONNX.
///
/// Axes are lined up from the innermost; an axis that is missing or of length 1 is repeated.
package enum Broadcasting {
  /// The axes of the result of two operands. Throws ``GraphError`` where two known lengths differ and neither is 1.
  package static func dimensions(
    _ a: [Dimension], _ b: [Dimension]
  ) throws -> [Dimension] {
    let rank = max(a.count, b.count)
    return try (0..<rank).map { axis in
      let i = axis - (rank - a.count)
      let j = axis - (rank - b.count)
      if i < 0 { return b[j] }
      if j < 0 { return a[i] }
      guard let length = broadcast(a[i], b[j]) else {
        throw GraphError(
          .mismatchedTypes,
          "shapes [\(list(a))] and [\(list(b))] can't be broadcast together: "
            + "\(a[i]) and \(b[j]) differ and neither is 1")
      }
      return length
    }
  }

  /// The axes of the result of several operands, nil where the rank of one is not known.
  package static func dimensions(_ types: [ValueType]) throws -> [Dimension]? {
    let known = types.compactMap(\.dimensions)
    let result = try known.reduce([]) { try dimensions($0, $1) }
    return known.count == types.count ? result : nil
  }

  /// The type of the result of operands that must be of one element type.
  ///
  /// Throws ``GraphError`` where known element types differ, or shapes can't be broadcast together.
  package static func type(_ types: [ValueType]) throws -> ValueType {
    ValueType(try commonElementType(types), try dimensions(types))
  }

  /// The one element type of several values, nil where none is known.
  ///
  /// Throws ``GraphError`` where two known ones differ.
  package static func commonElementType(_ types: [ValueType]) throws -> ElementType? {
    let known = types.compactMap(\.elementType)
    if let other = known.first(where: { $0 != known[0] }) {
      throw GraphError(
        .mismatchedTypes,
        "inputs are \(known[0]) and \(other); must be of one element type, so put a Cast before one"
      )
    }
    return known.first
  }

  private static func broadcast(_ a: Dimension, _ b: Dimension) -> Dimension? {
    if a == b { return a }
    switch (a.length, b.length) {
    case (1, _): return b
    case (_, 1): return a
    case (.some, .some): return nil
    // A length that is not known can only be 1 or the other's.
    case (.some, nil): return a
    case (nil, .some): return b
    case (nil, nil): return .unknown
    }
  }

  private static func list(_ dimensions: [Dimension]) -> String {
    dimensions.map(\.description).joined(separator: ", ")
  }
}
