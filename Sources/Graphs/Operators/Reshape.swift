import Tensors

/// The operators that give elements other axes and leave their order alone.
let reshapingOperators: [any Operator.Type] = [
  Reshape.self, Flatten.self, Squeeze.self, Unsqueeze.self, Identity.self, Dropout.self,
]

/// The same elements under the shape that an input holds; opset 13 and later.
///
/// Inputs: data, shape (int64). A length of −1 follows from the others; 0 keeps the length of the same axis of data.
public struct Reshape: Operator {
  public static let name: OperatorName = "Reshape"
  public static let inputCount = 2...2
  /// Whether a length of 0 means 0 rather than the length of data.
  public let zeroMeansZero: Bool

  public init(_ attributes: inout AttributeReader) throws {
    zeroMeansZero = try attributes.flag("allowzero", default: false)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(1, .int64)
    let rank = try inputs.listLength(1)
    guard let target = inputs.integers(1) else { return [.ofRank(rank, inputs[0].elementType)] }
    return [inputs[0].with(try dimensions(inputs[0].dimensions, target))]
  }

  private func dimensions(_ source: [Dimension]?, _ target: [Int]) throws -> [Dimension] {
    guard target.count <= ShapeRules.rankLimit else {
      throw GraphError(
        .invalidValue, "target shape has \(target.count) axes; at most 64 are supported")
    }
    guard target.allSatisfy({ $0 >= -1 }), target.count(where: { $0 == -1 }) <= 1,
      !(zeroMeansZero && target.contains(0) && target.contains(-1))
    else {
      throw GraphError(
        .invalidValue,
        "target shape is \(target); lengths must be at least 0, and one may be -1 to follow from the rest"
      )
    }
    var rest = source
    var result: [Dimension] = []
    for (axis, length) in target.enumerated() {
      guard length == 0, !zeroMeansZero else {
        result.append(.fixed(length))
        continue
      }
      guard let source else {
        result.append(.unknown)
        continue
      }
      guard axis < source.count else {
        throw GraphError(
          .invalidValue,
          "target shape \(target) keeps the length of axis \(axis); data has \(source.count) axes")
      }
      result.append(source[axis])
      rest![axis] = 1
    }
    try resolve(&result, target, source, rest)
    return result
  }

  /// Finds the length that is left open, and checks the number of elements.
  ///
  /// `rest` is the source's axes without those that are kept.
  private func resolve(
    _ result: inout [Dimension], _ target: [Int], _ source: [Dimension]?, _ rest: [Dimension]?
  ) throws {
    let open = target.firstIndex(of: -1)
    if let open { result[open] = .unknown }
    guard let source, let rest else { return }
    let mismatch = {
      GraphError(
        .mismatchedTypes,
        "\(ValueType(nil, source)) can't be seen as shape \(target): the number of elements differs"
      )
    }
    guard let open else {
      if let from = try ShapeRules.product(source), let to = try ShapeRules.product(result),
        from != to
      {
        throw mismatch()
      }
      return
    }
    let chosen = zip(target, target.indices).filter { $0.0 > 0 || (zeroMeansZero && $0.0 == 0) }
    let size = try ShapeRules.product(chosen.map { Dimension.fixed($0.0) }) ?? 0
    let known = try ShapeRules.product(rest.filter { $0.length != nil }) ?? 0
    let unknown = rest.filter { $0.length == nil }
    let keepsNothing = zip(result, target).contains { $0.0 == .fixed(0) && $0.1 == 0 }
    guard unknown.isEmpty else {
      if size > 0, unknown.count == 1, known == size { result[open] = unknown[0] }
      return
    }
    guard size > 0, known % size == 0, !keepsNothing else { throw mismatch() }
    result[open] = .fixed(known / size)
  }
}

/// Two axes: what stands before `axis`, and the rest.
public struct Flatten: Operator {
  public static let name: OperatorName = "Flatten"
  public static let inputCount = 1...1
  /// The first axis of the second part; negative counts from the innermost.
  public let axis: Int

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis", default: 1)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    guard let dimensions = inputs[0].dimensions else { return [.ofRank(2, inputs[0].elementType)] }
    let rank = dimensions.count
    guard axis >= -rank, axis <= rank else {
      throw GraphError(
        .invalidValue, "axis \(axis) is out of range; must be \(-rank) to \(rank)")
    }
    let split = axis < 0 ? axis + rank : axis
    return [
      inputs[0].with([
        try ShapeRules.merged(dimensions[..<split]), try ShapeRules.merged(dimensions[split...]),
      ])
    ]
  }
}

/// Without axes of length 1; opset 13 and later.
///
/// Inputs: data, axes? (int64); all axes of length 1 where none are named.
public struct Squeeze: Operator {
  public static let name: OperatorName = "Squeeze"
  public static let inputCount = 1...2

  public init(_ attributes: inout AttributeReader) throws {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    let type = inputs[0]
    guard inputs.has(1) else {
      guard let dimensions = type.dimensions, dimensions.allSatisfy({ $0.length != nil }) else {
        return [type.with(nil)]
      }
      return [type.with(dimensions.filter { $0 != 1 })]
    }
    try inputs.requireType(1, .int64)
    let count = try inputs.listLength(1)
    guard let dimensions = type.dimensions, let named = inputs.integers(1) else {
      guard let rank = type.rank, let count, count <= rank else { return [type.with(nil)] }
      return [.ofRank(rank - count, type.elementType)]
    }
    let axes = try ShapeRules.axes(named, rank: dimensions.count)
    for axis in axes {
      guard let length = dimensions[axis].length, length != 1 else { continue }
      throw GraphError(
        .mismatchedTypes, "axis \(axis) of \(type) has length \(length); must be 1 to be removed")
    }
    return [type.with(dimensions.indices.filter { !axes.contains($0) }.map { dimensions[$0] })]
  }
}

/// With new axes of length 1; opset 13 and later.
///
/// Inputs: data, axes (int64), as they are numbered in the result.
public struct Unsqueeze: Operator {
  public static let name: OperatorName = "Unsqueeze"
  public static let inputCount = 2...2

  public init(_ attributes: inout AttributeReader) throws {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    let type = inputs[0]
    try inputs.requireType(1, .int64)
    try inputs.requireRank(1, 0...1)
    guard let dimensions = type.dimensions, let named = inputs.integers(1) else {
      guard let rank = type.rank, let count = inputs[1].shape?.count else {
        return [type.with(nil)]
      }
      return [.ofRank(rank + count, type.elementType)]
    }
    let rank = dimensions.count + named.count
    let axes = Set(try ShapeRules.axes(named, rank: rank))
    var rest = dimensions.makeIterator()
    return [type.with((0..<rank).map { axes.contains($0) ? 1 : rest.next()! })]
  }
}

/// The input as it is.
public struct Identity: Operator {
  public static let name: OperatorName = "Identity"
  public static let inputCount = 1...1

  public init(_ attributes: inout AttributeReader) throws {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] { [inputs[0]] }
}

/// The input as it is: what training drops at random stays when a network is used; opset 13 and later.
///
/// Inputs: data, ratio?, trainingMode?. Outputs: data, mask? (all true).
public struct Dropout: Operator {
  public static let name: OperatorName = "Dropout"
  public static let inputCount = 1...3
  public static let outputCount = 1...2

  public init(_ attributes: inout AttributeReader) throws {
    attributes.ignore("seed")
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    [inputs[0], ValueType(.bool, inputs[0].dimensions)]
  }
}
