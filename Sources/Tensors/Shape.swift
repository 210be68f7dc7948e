/// The lengths of a tensor's axes, outermost first.
///
/// Every length is ≥ 0 and the number of elements fits `Int`; a shape without axes is a scalar and has one element.
public struct Shape: Hashable, Sendable {
  /// The length of each axis, outermost first.
  public let dimensions: [Int]

  /// The number of elements: the product of all lengths, 1 for a scalar.
  public let count: Int

  /// A shape of the given lengths. Traps where a length is negative or the number of elements overflows `Int`;
  /// lengths that come from outside go through ``init(checking:)``.
  public init(_ dimensions: [Int]) {
    guard let shape = Shape(checking: dimensions) else {
      preconditionFailure("not a shape: \(dimensions)")
    }
    self = shape
  }

  /// A shape of the given lengths, or nil where a length is negative or the number of elements, at up to 16 bytes each,
  /// overflows `Int`.
  public init?(checking dimensions: [Int]) {
    var count = 1
    var hasZero = false
    for length in dimensions {
      guard length >= 0 else { return nil }
      if length == 0 {
        hasZero = true
        continue
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      guard !overflow, product <= Int.max / 16 else { return nil }
      count = product
    }
    self.dimensions = dimensions
    self.count = hasZero ? 0 : count
  }

  /// The number of axes.
  public var rank: Int { dimensions.count }

  /// The length of one axis; a negative index counts from the innermost, as in ONNX.
  public subscript(axis: Int) -> Int { dimensions[axis < 0 ? axis + rank : axis] }

  /// For each axis the distance, in elements, between neighbours in row-major order.
  public var strides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    for axis in stride(from: rank - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * Swift.max(dimensions[axis + 1], 1)
    }
    return strides
  }

  /// The number of elements in the axes of `range`, 1 where it is empty.
  public func count(in range: Range<Int>) -> Int { dimensions[range].reduce(1, *) }
}

extension Shape: ExpressibleByArrayLiteral, CustomStringConvertible {
  /// A shape of the given lengths; see ``init(_:)``.
  public init(arrayLiteral dimensions: Int...) { self.init(dimensions) }

  /// As in `[1, 3, 224, 224]`.
  public var description: String { "[\(dimensions.map(String.init).joined(separator: ", "))]" }
}
