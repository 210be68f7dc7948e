import Tensors

/// The operators that make one number of many.
let reducingOperators: [any Operator.Type] = [
  ReduceSum.self, ReduceMean.self, ReduceMax.self, ReduceMin.self, ReduceProd.self, ReduceL1.self,
  ReduceL2.self, ReduceLogSum.self, ReduceLogSumExp.self, ReduceSumSquare.self, ArgMax.self,
  ArgMin.self, TopK.self, CumSum.self, CumProd.self,
]

/// One number for all elements along some axes.
///
/// Inputs: data, axes? (int64; an attribute before opset 18, of `ReduceSum` before 13).
public struct Reduction: Sendable {
  /// The axes, where they stand in the node.
  public let axes: [Int]?
  /// Whether the axes stay, with length 1.
  public let keepsAxes: Bool
  /// Whether no axes means none at all, rather than all.
  public let ignoresEmptyAxes: Bool

  init(_ attributes: inout AttributeReader) throws {
    axes = try attributes.ints("axes")
    keepsAxes = try attributes.flag("keepdims", default: true)
    ignoresEmptyAxes = try attributes.flag("noop_with_empty_axes", default: false)
  }

  /// The axes that go, ascending; nil where they are not known.
  package func axes(_ given: [Int]?, isGiven: Bool, rank: Int) throws -> [Int]? {
    let named = isGiven ? given : axes ?? []
    guard let named else { return nil }
    if named.isEmpty { return ignoresEmptyAxes ? [] : Array(0..<rank) }
    return try ShapeRules.axes(named, rank: rank).sorted()
  }

  func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(1, .int32, .int64)
    try inputs.requireRank(1, 0...1)
    guard let dimensions = inputs[0].dimensions else { return [inputs[0]] }
    let axes = try axes(inputs.integers(1), isGiven: inputs.has(1), rank: dimensions.count)
    guard let axes else {
      return [.ofRank(keepsAxes ? dimensions.count : nil, inputs[0].elementType)]
    }
    return [inputs[0].with(Reduction.removing(axes, from: dimensions, keepsAxes: keepsAxes))]
  }

  static func removing(_ axes: [Int], from dimensions: [Dimension], keepsAxes: Bool) -> [Dimension]
  {
    let gone = Set(axes)
    return dimensions.enumerated().compactMap { axis, dimension in
      gone.contains(axis) ? (keepsAxes ? 1 : nil) : dimension
    }
  }
}

/// An operator that makes one number of all elements along some axes.
public protocol ReducingOperator: Operator {
  /// Along which axes, and what becomes of them.
  var reduction: Reduction { get }
}

extension ReducingOperator {
  /// The data, and from opset 18 on the axes.
  public static var inputCount: ClosedRange<Int> { 1...2 }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try reduction.outputTypes(inputs)
  }
}

/// The sum along some axes.
public struct ReduceSum: ReducingOperator {
  public static let name: OperatorName = "ReduceSum"
  public let reduction: Reduction

  public init(_ attributes: inout AttributeReader) throws {
    reduction = try Reduction(&attributes)
  }
}

/// The mean along some axes.
public struct ReduceMean: ReducingOperator {
  public static let name: OperatorName = "ReduceMean"
  public let reduction: Reduction

  public init(_ attributes: inout AttributeReader) throws {
    reduction = try Reduction(&attributes)
  }
}

/// The greatest along some axes.
public struct ReduceMax: ReducingOperator {
  public static let name: OperatorName = "ReduceMax"
  public let reduction: Reduction

  public init(_ attributes: inout AttributeReader) throws {
    reduction = try Reduction(&attributes)
  }
}

/// The least along some axes.
public struct ReduceMin: ReducingOperator {
  public static let name: OperatorName = "ReduceMin"
  public let reduction: Reduction

  public init(_ attributes: inout AttributeReader) throws {
    reduction = try Reduction(&attributes)
  }
}

/// The product along some axes.
public struct ReduceProd: ReducingOperator {
  public static let name: OperatorName = "ReduceProd"
  public let reduction: Reduction

  public init(_ attributes: inout AttributeReader) throws {
    reduction = try Reduction(&attributes)
  }
}

/// The sum of absolute values along some axes.
public struct ReduceL1: ReducingOperator {
  public static let name: OperatorName = "ReduceL1"
  public let reduction: Reduction

  public init(_ attributes: inout AttributeReader) throws {
    reduction = try Reduction(&attributes)
  }
}

/// The square root of the sum of squares along some axes.
public struct ReduceL2: ReducingOperator {
  public static let name: OperatorName = "ReduceL2"
  public let reduction: Reduction

  public init(_ attributes: inout AttributeReader) throws {
    reduction = try Reduction(&attributes)
  }
}

/// The natural logarithm of the sum along some axes.
public struct ReduceLogSum: ReducingOperator {
  public static let name: OperatorName = "ReduceLogSum"
  public let reduction: Reduction

  public init(_ attributes: inout AttributeReader) throws {
    reduction = try Reduction(&attributes)
  }
}

/// The natural logarithm of the sum of exponentials, without overflow along some axes.
public struct ReduceLogSumExp: ReducingOperator {
  public static let name: OperatorName = "ReduceLogSumExp"
  public let reduction: Reduction

  public init(_ attributes: inout AttributeReader) throws {
    reduction = try Reduction(&attributes)
  }
}

/// The sum of squares along some axes.
public struct ReduceSumSquare: ReducingOperator {
  public static let name: OperatorName = "ReduceSumSquare"
  public let reduction: Reduction

  public init(_ attributes: inout AttributeReader) throws {
    reduction = try Reduction(&attributes)
  }
}

/// The index of the greatest or least element along an axis.
public protocol ExtremeIndexOperator: Operator {
  /// The axis; negative counts from the innermost.
  var axis: Int { get }
  /// Whether the axis stays, with length 1.
  var keepsAxis: Bool { get }
  /// Whether the last of equal elements is named, rather than the first.
  var namesLast: Bool { get }
}

extension ExtremeIndexOperator {
  /// The data.
  public static var inputCount: ClosedRange<Int> { 1...1 }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    guard let dimensions = inputs[0].dimensions else { return [ValueType(.int64, nil)] }
    let axis = try ShapeRules.axis(axis, rank: dimensions.count)
    guard dimensions[axis] != 0 else {
      throw GraphError(
        .mismatchedTypes, "axis \(axis) of \(inputs[0]) is empty; there is nothing to choose from")
    }
    return [
      ValueType(.int64, Reduction.removing([axis], from: dimensions, keepsAxes: keepsAxis))
    ]
  }
}

/// The index of the greatest element along an axis; NaN counts as greatest.
public struct ArgMax: ExtremeIndexOperator {
  public static let name: OperatorName = "ArgMax"
  public let axis: Int
  public let keepsAxis: Bool
  public let namesLast: Bool

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis", default: 0)
    keepsAxis = try attributes.flag("keepdims", default: true)
    namesLast = try attributes.flag("select_last_index", default: false)
  }
}

/// The index of the least element along an axis; NaN counts as least.
public struct ArgMin: ExtremeIndexOperator {
  public static let name: OperatorName = "ArgMin"
  public let axis: Int
  public let keepsAxis: Bool
  public let namesLast: Bool

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis", default: 0)
    keepsAxis = try attributes.flag("keepdims", default: true)
    namesLast = try attributes.flag("select_last_index", default: false)
  }
}

/// The k greatest or least elements along an axis, in order, and their indices.
///
/// Inputs: data, k (int64, one number). Of equal elements the one with the lower index comes first. Outputs: values,
/// indices (int64).
public struct TopK: Operator {
  public static let name: OperatorName = "TopK"
  public static let inputCount = 2...2
  public static let outputCount = 1...2
  /// The axis; negative counts from the innermost.
  public let axis: Int
  /// Whether the greatest are taken, rather than the least.
  public let takesGreatest: Bool

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis", default: -1)
    takesGreatest = try attributes.flag("largest", default: true)
    attributes.ignore("sorted")
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(1, .int64)
    guard var dimensions = inputs[0].dimensions else {
      return [inputs[0], ValueType(.int64, nil)]
    }
    let axis = try ShapeRules.axis(axis, rank: dimensions.count)
    let k = try inputs.integer(1)
    if let k {
      guard k >= 0, k <= dimensions[axis].length ?? Int.max else {
        throw GraphError(
          .invalidValue, "k is \(k); must be 0 to the length of the axis, \(dimensions[axis])")
      }
    }
    dimensions[axis] = k.map { .fixed($0) } ?? .unknown
    return [inputs[0].with(dimensions), ValueType(.int64, dimensions)]
  }
}

/// An operator that runs along an axis and writes down what it has so far.
public protocol CumulativeOperator: Operator {
  /// Whether an element itself is left out of its own result.
  var isExclusive: Bool { get }
  /// Whether the axis is run through from its end.
  var isReversed: Bool { get }
}

extension CumulativeOperator {
  /// The data and the axis.
  public static var inputCount: ClosedRange<Int> { 2...2 }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(1, .int32, .int64)
    if let axis = try inputs.integer(1), let rank = inputs[0].rank {
      _ = try ShapeRules.axis(axis, rank: rank)
    }
    return [inputs[0]]
  }
}

/// The sum of all elements up to each along an axis.
///
/// Inputs: data, axis (int32 or int64, one number).
public struct CumSum: CumulativeOperator {
  public static let name: OperatorName = "CumSum"
  public let isExclusive: Bool
  public let isReversed: Bool

  public init(_ attributes: inout AttributeReader) throws {
    isExclusive = try attributes.flag("exclusive", default: false)
    isReversed = try attributes.flag("reverse", default: false)
  }
}

/// The product of all elements up to each along an axis; opset 26.
///
/// Inputs: data, axis (int32 or int64, one number).
public struct CumProd: CumulativeOperator {
  public static let name: OperatorName = "CumProd"
  public let isExclusive: Bool
  public let isReversed: Bool

  public init(_ attributes: inout AttributeReader) throws {
    isExclusive = try attributes.flag("exclusive", default: false)
    isReversed = try attributes.flag("reverse", default: false)
  }
}
