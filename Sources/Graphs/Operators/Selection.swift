import Tensors

/// The operators whose result is as long as the data says.
let selectingOperators: [any Operator.Type] = [NonZero.self, Unique.self, NonMaxSuppression.self]

/// The indices of all elements that are not zero: int64 [rank, count], in row-major order.
public struct NonZero: Operator {
  public static let name: OperatorName = "NonZero"
  public static let inputCount = 1...1

  public init(_ attributes: inout AttributeReader) throws {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    [ValueType(.int64, [inputs[0].rank.map { .fixed($0) } ?? .unknown, .unknown])]
  }
}

/// The different elements, or slices along an axis.
///
/// Outputs: values, index of each one's first appearance?, index among the values of each element?, number of
/// appearances? (all int64).
public struct Unique: Operator {
  public static let name: OperatorName = "Unique"
  public static let inputCount = 1...1
  public static let outputCount = 1...4
  /// The axis; nil takes the elements as a list.
  public let axis: Int?
  /// Whether the values stand in rising order, rather than in that of their first appearance.
  public let isSorted: Bool

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis")
    isSorted = try attributes.flag("sorted", default: true)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    let list = ValueType(.int64, [.unknown])
    guard let axis else {
      return [.ofRank(1, inputs[0].elementType), list, list, list]
    }
    guard var dimensions = inputs[0].dimensions else { return [inputs[0], list, list, list] }
    dimensions[try ShapeRules.axis(axis, rank: dimensions.count)] = .unknown
    return [inputs[0].with(dimensions), list, list, list]
  }
}

/// Boxes that overlap little with better ones: int64 [count, 3] of batch, class and box.
///
/// Inputs: boxes [batch, n, 4], scores [batch, classes, n], most boxes per class? (int64), overlap limit?, score limit?.
public struct NonMaxSuppression: Operator {
  public static let name: OperatorName = "NonMaxSuppression"
  public static let inputCount = 2...5
  /// Whether boxes are centre and size (x, y, width, height), rather than two corners (y, x, y, x).
  public let areCentered: Bool

  public init(_ attributes: inout AttributeReader) throws {
    areCentered = try attributes.flag("center_point_box", default: false)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    for index in [0, 1] {
      try inputs.requireRank(index, 3...3)
      try inputs.requireType(index, .float32)
    }
    if let boxes = inputs[0].dimensions, let scores = inputs[1].dimensions {
      _ = try ShapeRules.common(boxes[0], scores[0], "boxes and scores differ in batch size")
      _ = try ShapeRules.common(boxes[1], scores[2], "boxes and scores differ in number")
      _ = try ShapeRules.common(boxes[2], 4, "numbers of a box must be 4")
    }
    return [ValueType(.int64, [.unknown, 3])]
  }
}
