package import Tensors

/// What many shape rules ask and say.
package enum ShapeRules {
  /// The greatest number of axes that a shape from a file or from data may have.
  ///
  /// NumPy stops at 64, and no network comes near it.
  package static let rankLimit = 64

  /// An axis counted from the outermost. Throws ``GraphError`` where there is no such axis.
  package static func axis(_ axis: Int, rank: Int) throws -> Int {
    guard axis >= -rank, axis < rank else {
      throw GraphError(
        .invalidValue,
        rank == 0
          ? "axis \(axis) of a scalar; it has none"
          : "axis \(axis) is out of range; must be \(-rank) to \(rank - 1)")
    }
    return axis < 0 ? axis + rank : axis
  }

  /// Axes counted from the outermost, in the order given.
  ///
  /// Throws ``GraphError`` where there is no such axis or one is named twice.
  package static func axes(_ axes: [Int], rank: Int) throws -> [Int] {
    let axes = try axes.map { try axis($0, rank: rank) }
    guard Set(axes).count == axes.count else {
      throw GraphError(.invalidValue, "axes \(axes) name an axis twice")
    }
    return axes
  }

  /// The product of lengths, nil where one is not known. Throws ``GraphError`` where it overflows.
  package static func product(_ dimensions: some Sequence<Dimension>) throws -> Int? {
    var product = 1
    var isKnown = true
    for dimension in dimensions {
      guard let length = dimension.length else {
        isKnown = false
        continue
      }
      let (next, overflow) = product.multipliedReportingOverflow(by: length)
      guard !overflow else { throw tooManyElements(Array(dimensions)) }
      product = next
    }
    return isKnown ? product : product == 0 ? 0 : nil
  }

  /// One length for a merged axis; the very dimension where all others are 1.
  package static func merged(_ dimensions: some Collection<Dimension>) throws -> Dimension {
    if let product = try product(dimensions) { return .fixed(product) }
    let open = dimensions.filter { $0 != 1 }
    return open.count == 1 ? open[0] : .unknown
  }

  /// A sum of lengths. Throws ``GraphError`` where it overflows.
  package static func sum(_ dimensions: [Dimension]) throws -> Dimension {
    var sum = 0
    for dimension in dimensions {
      guard let length = dimension.length else { return .unknown }
      let (next, overflow) = sum.addingReportingOverflow(length)
      guard !overflow else { throw tooManyElements(dimensions) }
      sum = next
    }
    return .fixed(sum)
  }

  /// Lengths from data as the axes of a shape.
  ///
  /// Throws ``GraphError`` where one is negative, or there are too many axes or elements.
  package static func dimensions(
    _ lengths: [Int], of what: String = "shape"
  ) throws -> [Dimension] {
    guard lengths.count <= rankLimit else {
      throw GraphError(
        .invalidValue, "\(what) has \(lengths.count) axes; at most \(rankLimit) are supported")
    }
    let dimensions = try self.lengths(lengths, of: what)
    guard Shape(checking: lengths) != nil else { throw tooManyElements(dimensions) }
    return dimensions
  }

  /// Lengths from data. Throws ``GraphError`` where one is negative.
  package static func lengths(_ lengths: [Int], of what: String) throws -> [Dimension] {
    guard lengths.allSatisfy({ $0 >= 0 }) else {
      throw GraphError(.invalidValue, "\(what) is \(lengths); lengths must be at least 0")
    }
    return lengths.map { .fixed($0) }
  }

  /// The one length that two axes must share. Throws ``GraphError`` where two known ones differ.
  package static func common(
    _ a: Dimension, _ b: Dimension, _ problem: @autoclosure () -> String
  ) throws -> Dimension {
    if let a = a.length, let b = b.length, a != b {
      throw GraphError(.mismatchedTypes, "\(problem()): \(a) and \(b)")
    }
    return a.length != nil || b == .unknown ? a : b.length != nil ? b : a == .unknown ? b : a
  }

  private static func tooManyElements(_ dimensions: [Dimension]) -> GraphError {
    let list = dimensions.map(\.description).joined(separator: ", ")
    return GraphError(.invalidValue, "shape [\(list)] has more elements than can be counted")
  }
}

extension OperatorInputs {
  /// Refuses an input whose number of axes is known to be another.
  package func requireRank(_ index: Int, _ ranks: ClosedRange<Int>) throws {
    guard let rank = self[index].rank, !ranks.contains(rank) else { return }
    let expected =
      ranks.count == 1
      ? "\(ranks.lowerBound)"
      : ranks.upperBound >= ShapeRules.rankLimit
        ? "at least \(ranks.lowerBound)" : "\(ranks.lowerBound) to \(ranks.upperBound)"
    throw GraphError(
      .mismatchedTypes, "input \(index) is \(self[index]); must have \(expected) axes")
  }

  /// Refuses an input whose element type is known to be none of these.
  package func requireType(_ index: Int, _ types: ElementType...) throws {
    guard let type = self[index].elementType, !types.contains(type) else { return }
    let expected = types.map(\.rawValue).joined(separator: ", ")
    throw GraphError(
      .mismatchedTypes, "input \(index) is \(self[index]); must be \(expected)")
  }

  /// The number of elements of an input that is a list, where it is known.
  package func listLength(_ index: Int) throws -> Int? {
    try requireRank(index, 1...1)
    return self[index].dimensions?.first?.length
  }

  /// An input that holds one whole number, nil where it is left out or not known.
  package func integer(_ index: Int) throws -> Int? {
    guard let values = integers(index) else { return nil }
    guard values.count == 1 else {
      throw GraphError(
        .invalidValue, "input \(index) is \(self[index]); must be one whole number")
    }
    return values[0]
  }
}

extension ValueType {
  /// The same elements in other axes.
  package func with(_ dimensions: [Dimension]?) -> ValueType { ValueType(elementType, dimensions) }

  /// The same element type and as many axes, of unknown lengths.
  package static func ofRank(_ rank: Int?, _ elementType: ElementType?) -> ValueType {
    ValueType(elementType, rank.map { [Dimension](repeating: .unknown, count: $0) })
  }
}
