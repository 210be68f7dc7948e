import Tensors

/// The operators that put tensors together and take them apart.
let joiningOperators: [any Operator.Type] = [Concat.self, Split.self]

/// Tensors one behind the other along an axis.
public struct Concat: Operator {
  public static let name: OperatorName = "Concat"
  public static let inputCount = 1...Int(Int32.max)
  /// The axis along which they stand; negative counts from the innermost.
  public let axis: Int

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.required("axis", attributes.int("axis"))
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    let types = inputs.types.indices.map { inputs[$0] }
    let elementType = try Broadcasting.commonElementType(types)
    return [ValueType(elementType, try Concat.dimensions(types, axis: axis))]
  }

  /// The axes of the tensors put together, nil where the number of axes of none is known.
  package static func dimensions(_ types: [ValueType], axis: Int) throws -> [Dimension]? {
    let known = types.compactMap(\.dimensions)
    guard var result = known.first else { return nil }
    let axis = try ShapeRules.axis(axis, rank: result.count)
    for dimensions in known.dropFirst() {
      guard dimensions.count == result.count else {
        throw GraphError(
          .mismatchedTypes,
          "inputs have \(result.count) and \(dimensions.count) axes; must be as many")
      }
      for other in result.indices where other != axis {
        result[other] = try ShapeRules.common(
          result[other], dimensions[other],
          "inputs differ in axis \(other), along which they don't join")
      }
    }
    result[axis] =
      known.count == types.count ? try ShapeRules.sum(known.map { $0[axis] }) : .unknown
    return result
  }
}

/// Parts of a tensor along an axis; opset 13 and later.
///
/// Inputs: data, lengths? (int64, one per output); without them the parts are equal, from opset 18 on the last one
/// may be shorter.
public struct Split: Operator {
  public static let name: OperatorName = "Split"
  public static let inputCount = 1...2
  public static let outputCount = 1...Int(Int32.max)
  /// The axis that is divided; negative counts from the innermost.
  public let axis: Int
  /// The number of parts, where the node says it.
  public let partCount: Int?
  private let mayEndShort: Bool

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis", default: 0)
    mayEndShort = attributes.opset >= 18
    partCount = mayEndShort ? try attributes.int("num_outputs") : nil
    if let partCount, partCount < 1 {
      throw attributes.invalid("num_outputs", "is \(partCount); must be at least 1")
    }
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    let count = inputs.outputCount
    if let partCount, partCount != count {
      throw GraphError(
        .invalidValue, "attribute 'num_outputs' is \(partCount); the node has \(count) outputs")
    }
    guard let dimensions = inputs[0].dimensions else {
      return [ValueType](repeating: inputs[0].with(nil), count: count)
    }
    let axis = try ShapeRules.axis(axis, rank: dimensions.count)
    let parts: [Dimension]
    if inputs.has(1) {
      try inputs.requireType(1, .int64)
      parts =
        try inputs.integers(1).map { try given($0, dimensions[axis], count) }
        ?? [Dimension](repeating: .unknown, count: count)
    } else {
      parts = try equal(dimensions[axis], count)
    }
    return parts.map { part in
      var result = dimensions
      result[axis] = part
      return inputs[0].with(result)
    }
  }

  private func given(_ lengths: [Int], _ whole: Dimension, _ count: Int) throws -> [Dimension] {
    guard lengths.count == count else {
      throw GraphError(
        .invalidValue, "\(lengths.count) lengths for \(count) outputs; must be as many")
    }
    let parts = try ShapeRules.lengths(lengths, of: "list of lengths")
    if let sum = try ShapeRules.sum(parts).length, let whole = whole.length, sum != whole {
      throw GraphError(
        .invalidValue, "lengths \(lengths) add up to \(sum); the axis has \(whole)")
    }
    return parts
  }

  private func equal(_ whole: Dimension, _ count: Int) throws -> [Dimension] {
    guard let whole = whole.length else { return [Dimension](repeating: .unknown, count: count) }
    let part = whole / count + (whole % count == 0 ? 0 : 1)
    let last = whole - part * (count - 1)
    guard last >= 0, last == part || mayEndShort else {
      throw GraphError(
        .invalidValue, "an axis of length \(whole) can't be split into \(count) equal parts")
    }
    return [Dimension](repeating: .fixed(part), count: count - 1) + [.fixed(last)]
  }
}
