import Tensors

/// The operators that look elements up by index.
let gatheringOperators: [any Operator.Type] = [
  Gather.self, GatherElements.self, GatherND.self, ScatterElements.self, Scatter.self,
  ScatterND.self,
]

/// Slices along an axis, looked up by index.
///
/// Inputs: data, indices (int32 or int64; negative ones count from the end). The axes of indices stand in place of `axis`.
public struct Gather: Operator {
  public static let name: OperatorName = "Gather"
  public static let inputCount = 2...2
  /// The axis that is indexed; negative counts from the innermost.
  public let axis: Int

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis", default: 0)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(1, .int32, .int64)
    guard let data = inputs[0].dimensions else { return [inputs[0].with(nil)] }
    let axis = try ShapeRules.axis(axis, rank: data.count)
    guard let indices = inputs[1].dimensions else { return [inputs[0].with(nil)] }
    return [inputs[0].with(data[..<axis] + indices + data[(axis + 1)...])]
  }
}

/// Elements looked up one by one: the index along one axis is given, the others are the element's own.
///
/// Inputs: data, indices (int32 or int64) with as many axes as data and nowhere longer, but along `axis`.
public struct GatherElements: Operator {
  public static let name: OperatorName = "GatherElements"
  public static let inputCount = 2...2
  /// The axis that is indexed; negative counts from the innermost.
  public let axis: Int

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis", default: 0)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(1, .int32, .int64)
    try ElementIndexing.check(data: inputs[0], indices: inputs[1], axis: axis)
    return [ValueType(inputs[0].elementType, inputs[1].dimensions)]
  }
}

/// Slices looked up by index tuples; opset 13 and later.
///
/// Inputs: data, indices (int64) whose innermost axis holds a tuple for the first axes of data behind `batchRank` shared ones.
public struct GatherND: Operator {
  public static let name: OperatorName = "GatherND"
  public static let inputCount = 2...2
  /// How many first axes data and indices share.
  public let batchRank: Int

  public init(_ attributes: inout AttributeReader) throws {
    batchRank = try attributes.int("batch_dims", default: 0)
    guard batchRank >= 0 else {
      throw attributes.invalid("batch_dims", "is \(batchRank); must be at least 0")
    }
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(1, .int64)
    try inputs.requireRank(0, 1...ShapeRules.rankLimit)
    try inputs.requireRank(1, 1...ShapeRules.rankLimit)
    guard let data = inputs[0].dimensions, let indices = inputs[1].dimensions else {
      return [inputs[0].with(nil)]
    }
    guard batchRank < min(data.count, indices.count) else {
      throw GraphError(
        .invalidAttribute,
        "attribute 'batch_dims' is \(batchRank); must be less than the number of axes of \(inputs[0]) and \(inputs[1])"
      )
    }
    let batch = try (0..<batchRank).map {
      try ShapeRules.common(data[$0], indices[$0], "data and indices differ in shared axis \($0)")
    }
    guard let tuple = indices.last!.length else { return [inputs[0].with(nil)] }
    guard tuple >= 1, batchRank + tuple <= data.count else {
      throw GraphError(
        .mismatchedTypes,
        "index tuples have \(tuple) elements; must be 1 to \(data.count - batchRank)")
    }
    let dimensions = batch + indices[batchRank..<(indices.count - 1)] + data[(batchRank + tuple)...]
    return [inputs[0].with(dimensions)]
  }
}

/// What becomes of an element that an update meets.
public enum ScatterReduction: String, CaseIterable, Sendable {
  /// It is replaced.
  case replace = "none"
  /// The update is added.
  case add
  /// It is multiplied by the update.
  case multiply = "mul"
  /// The greater one stays.
  case maximum = "max"
  /// The lesser one stays.
  case minimum = "min"
}

/// Data with some elements updated: the index along one axis is given, the others are the update's own.
///
/// Inputs: data, indices (int32 or int64), updates, shaped alike and nowhere longer than data, but along `axis`.
public struct ScatterElements: Operator {
  public static let name: OperatorName = "ScatterElements"
  public static let inputCount = 3...3
  /// The axis that is indexed; negative counts from the innermost.
  public let axis: Int
  /// What becomes of an element that an update meets.
  public let reduction: ScatterReduction

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis", default: 0)
    reduction = try attributes.choice("reduction", default: .replace)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(1, .int32, .int64)
    try ElementIndexing.check(data: inputs[0], indices: inputs[1], axis: axis)
    try ElementIndexing.checkUpdates(inputs[2], shape: inputs[1].dimensions, of: inputs[0])
    return [inputs[0]]
  }
}

/// An older name of ``ScatterElements``.
public struct Scatter: Operator {
  public static let name: OperatorName = "Scatter"
  public static let inputCount = 3...3
  /// The operator by its present name.
  public let elements: ScatterElements

  public init(_ attributes: inout AttributeReader) throws {
    elements = try ScatterElements(&attributes)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try elements.outputTypes(inputs)
  }
}

/// Data with slices updated that index tuples name.
///
/// Inputs: data, indices (int64) whose innermost axis holds a tuple for the first axes of data, updates.
public struct ScatterND: Operator {
  public static let name: OperatorName = "ScatterND"
  public static let inputCount = 3...3
  /// What becomes of an element that an update meets.
  public let reduction: ScatterReduction

  public init(_ attributes: inout AttributeReader) throws {
    reduction = try attributes.choice("reduction", default: .replace)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(1, .int64)
    try inputs.requireRank(0, 1...ShapeRules.rankLimit)
    try inputs.requireRank(1, 1...ShapeRules.rankLimit)
    guard let data = inputs[0].dimensions, let indices = inputs[1].dimensions,
      let tuple = indices.last!.length
    else { return [inputs[0]] }
    guard tuple >= 1, tuple <= data.count else {
      throw GraphError(
        .mismatchedTypes, "index tuples have \(tuple) elements; must be 1 to \(data.count)")
    }
    try ElementIndexing.checkUpdates(
      inputs[2], shape: indices.dropLast() + data[tuple...], of: inputs[0])
    return [inputs[0]]
  }
}

/// What the operators that index single elements check.
private enum ElementIndexing {
  static func check(data: ValueType, indices: ValueType, axis: Int) throws {
    guard let rank = data.rank else { return }
    let axis = try ShapeRules.axis(axis, rank: rank)
    guard let lengths = indices.dimensions, let available = data.dimensions else { return }
    let fits =
      lengths.count == rank
      && zip(lengths, available).enumerated().allSatisfy { index, pair in
        guard index != axis, let length = pair.0.length, let limit = pair.1.length else {
          return true
        }
        return length <= limit
      }
    guard fits else {
      throw GraphError(
        .mismatchedTypes,
        "indices are \(indices); must have the axes of data, \(data), none longer but axis \(axis)")
    }
  }

  static func checkUpdates(_ updates: ValueType, shape: [Dimension]?, of data: ValueType) throws {
    _ = try Broadcasting.commonElementType([data, updates])
    guard let shape, let dimensions = updates.dimensions else { return }
    let fits =
      shape.count == dimensions.count
      && zip(shape, dimensions).allSatisfy { expected, found in
        expected.length == nil || found.length == nil || expected == found
      }
    guard fits else {
      throw GraphError(
        .mismatchedTypes, "updates are \(updates); must be \(data.with(shape))")
    }
  }
}
