import Foundation
public import Tensors

/// The operators that repeat elements or make them up.
let generatingOperators: [any Operator.Type] = [
  Expand.self, Tile.self, NumberRange.self, ConstantOfShape.self, EyeLike.self, OneHot.self,
  Constant.self, ShapeOf.self, Size.self,
]

/// Repeated along axes of length 1 until it has a given shape.
///
/// Inputs: data, shape (int64), which is broadcast with data's.
public struct Expand: Operator {
  public static let name: OperatorName = "Expand"
  public static let inputCount = 2...2

  public init(_ attributes: inout AttributeReader) throws {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(1, .int64)
    let count = try inputs.listLength(1)
    guard let data = inputs[0].dimensions else { return [inputs[0]] }
    guard let target = inputs.integers(1) else {
      return [.ofRank(count.map { max($0, data.count) }, inputs[0].elementType)]
    }
    let shape = try ShapeRules.dimensions(target, of: "target shape")
    return [inputs[0].with(try Broadcasting.dimensions(data, shape))]
  }
}

/// Repeated as a whole along each axis.
///
/// Inputs: data, repeats (int64, one per axis).
public struct Tile: Operator {
  public static let name: OperatorName = "Tile"
  public static let inputCount = 2...2

  public init(_ attributes: inout AttributeReader) throws {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(1, .int64)
    try inputs.requireRank(1, 1...1)
    guard let data = inputs[0].dimensions else { return [inputs[0]] }
    guard let repeats = inputs.integers(1) else {
      return [.ofRank(data.count, inputs[0].elementType)]
    }
    guard repeats.count == data.count else {
      throw GraphError(
        .mismatchedTypes, "\(repeats.count) repeats for \(data.count) axes; must be as many")
    }
    let factors = try ShapeRules.lengths(repeats, of: "list of repeats")
    return [inputs[0].with(try zip(data, factors).map { try ShapeRules.merged([$0, $1]) })]
  }
}

/// Evenly spaced numbers from a start, up to a limit that is not reached.
///
/// Inputs: start, limit, step: scalars of one type.
public struct NumberRange: Operator {
  public static let name: OperatorName = "Range"
  public static let inputCount = 3...3

  public init(_ attributes: inout AttributeReader) throws { attributes.ignore("stash_type") }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    let elementType = try Broadcasting.commonElementType((0..<3).map { inputs[$0] })
    guard let start = inputs.constant(0), let limit = inputs.constant(1),
      let step = inputs.constant(2)
    else { return [.ofRank(1, elementType)] }
    return [ValueType(elementType, [.fixed(try NumberRange.count(start, limit, step))])]
  }

  /// How many numbers there are: `max(0, ⌈(limit − start) / step⌉)`.
  package static func count(_ start: Tensor, _ limit: Tensor, _ step: Tensor) throws -> Int {
    guard start.count == 1, limit.count == 1, step.count == 1 else {
      throw GraphError(
        .mismatchedTypes, "start, limit and step are \(start), \(limit), \(step); must be scalars")
    }
    let problem = { (what: String) in
      GraphError(.invalidValue, "the range has \(what); give another step or limit")
    }
    let count: Double
    switch start.elementType {
    case .float32, .float64:
      let numbers = [start, limit, step].map(\.firstNumber)
      guard numbers[2] != 0 else { throw problem("step 0") }
      count = ((numbers[1] - numbers[0]) / numbers[2]).rounded(.up)
    case .int16, .int32, .int64:
      let numbers = [start, limit, step].map { $0.integers()[0] }
      guard numbers[2] != 0 else { throw problem("step 0") }
      let (distance, overflow) = numbers[1].subtractingReportingOverflow(numbers[0])
      guard !overflow else { throw problem("more numbers than can be counted") }
      guard (distance > 0) == (numbers[2] > 0), distance != 0 else { return 0 }
      return Int((distance.magnitude - 1) / numbers[2].magnitude) + 1
    default:
      throw GraphError(
        .mismatchedTypes,
        "start is \(start); must be float32, float64, int16, int32 or int64")
    }
    guard count < 0x1p60 else { throw problem("more numbers than can be counted") }
    return Int(max(count, 0))
  }
}

extension Tensor {
  /// The first of a tensor of float32 or float64.
  fileprivate var firstNumber: Double {
    elementType == .float64 ? elements(of: Double.self)[0] : Double(elements(of: Float.self)[0])
  }
}

/// One number, repeated until it fills a shape.
///
/// Input: shape (int64).
public struct ConstantOfShape: Operator {
  public static let name: OperatorName = "ConstantOfShape"
  public static let inputCount = 1...1
  /// The number: a tensor of one element.
  public let value: Tensor

  public init(_ attributes: inout AttributeReader) throws {
    value = try attributes.tensor("value") ?? Tensor([Float(0)])
    guard value.count == 1 else {
      throw attributes.invalid("value", "is \(value); must have one element")
    }
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(0, .int64)
    let count = try inputs.listLength(0)
    guard let shape = inputs.integers(0) else { return [.ofRank(count, value.elementType)] }
    return [ValueType(value.elementType, try ShapeRules.dimensions(shape))]
  }
}

/// A matrix shaped like another, of ones on a diagonal and zeros elsewhere.
public struct EyeLike: Operator {
  public static let name: OperatorName = "EyeLike"
  public static let inputCount = 1...1
  /// The element type; nil is the input's.
  public let outputType: ElementType?
  /// Which diagonal: 0 the main one, positive above it.
  public let diagonal: Int

  public init(_ attributes: inout AttributeReader) throws {
    outputType = try attributes.elementType("dtype")
    diagonal = try attributes.int("k", default: 0)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireRank(0, 2...2)
    return [ValueType(outputType ?? inputs[0].elementType, inputs[0].dimensions)]
  }
}

/// A new axis along which one element is on, at the index that the input gives, and the rest off.
///
/// Inputs: indices, depth (one number), values (off, on). Indices out of range leave all off.
public struct OneHot: Operator {
  public static let name: OperatorName = "OneHot"
  public static let inputCount = 3...3
  /// Where the new axis stands in the result; negative counts from the innermost.
  public let axis: Int

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis", default: -1)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    if let count = try inputs.listLength(2), count != 2 {
      throw GraphError(.mismatchedTypes, "values are \(inputs[2]); must be two: off and on")
    }
    guard var dimensions = inputs[0].dimensions else { return [inputs[2].with(nil)] }
    let axis = try ShapeRules.axis(axis, rank: dimensions.count + 1)
    dimensions.insert(try depth(inputs).map { .fixed($0) } ?? .unknown, at: axis)
    return [inputs[2].with(dimensions)]
  }

  private func depth(_ inputs: OperatorInputs) throws -> Int? {
    guard let depth = inputs.constant(1) else { return nil }
    let problem = GraphError(
      .invalidValue, "depth is \(depth); must be one number, at least 1 and below 2³¹")
    guard depth.count == 1 else { throw problem }
    let number: Double
    switch depth.elementType {
    case .float32, .float64: number = depth.firstNumber
    case .float16, .bfloat16: throw problem
    default:
      guard !depth.elementType.isFloatingPoint else { throw problem }
      number = Double(depth.integers()[0])
    }
    guard number >= 1, number < 0x1p31 else { throw problem }
    return Int(number)
  }
}

/// A value that stands in the graph itself.
public struct Constant: Operator {
  public static let name: OperatorName = "Constant"
  public static let inputCount = 0...0
  /// The value.
  public let value: Tensor

  public init(_ attributes: inout AttributeReader) throws {
    var values: [Tensor] = []
    if let tensor = try attributes.tensor("value") { values.append(tensor) }
    if let number = try attributes.float("value_float") { values.append(Tensor(scalar: number)) }
    if let numbers = try attributes.floats("value_floats") { values.append(Tensor(numbers)) }
    if let number = try attributes.int("value_int") {
      values.append(Tensor(scalar: Int64(number)))
    }
    if let numbers = try attributes.ints("value_ints") {
      values.append(Tensor(numbers.map { Int64($0) }))
    }
    if try attributes.string("value_string") != nil || attributes.strings("value_strings") != nil {
      throw attributes.invalid("value_string", "is a text; only numbers are supported")
    }
    guard values.count == 1 else {
      throw attributes.invalid(
        "value", "or one of its kind must be there once; \(values.count) are")
    }
    value = values[0]
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    [ValueType(value.elementType, value.shape)]
  }
}

/// The lengths of a tensor's axes, int64.
public struct ShapeOf: ShapeValuedOperator {
  public static let name: OperatorName = "Shape"
  public static let inputCount = 1...1
  /// The first axis; negative counts from the innermost.
  public let start: Int
  /// The axis to stop before; nil goes to the innermost.
  public let end: Int?

  public init(_ attributes: inout AttributeReader) throws {
    start = try attributes.int("start", default: 0)
    end = try attributes.int("end")
  }

  /// The axes that are asked for; ends beyond the axes stop there.
  package func axes(rank: Int) -> Range<Int> {
    let clamp = { (index: Int) in min(max(index < 0 ? index + rank : index, 0), rank) }
    let start = clamp(start)
    return start..<max(clamp(end ?? rank), start)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    let rank = inputs[0].rank
    return [ValueType(.int64, [rank.map { .fixed(axes(rank: $0).count) } ?? .unknown])]
  }

  package func value(_ input: ValueType) -> Tensor? {
    guard let dimensions = input.dimensions else { return nil }
    let lengths = dimensions[axes(rank: dimensions.count)].map(\.length)
    guard lengths.allSatisfy({ $0 != nil }) else { return nil }
    return Tensor(lengths.map { Int64($0!) })
  }
}

/// The number of a tensor's elements, int64.
public struct Size: ShapeValuedOperator {
  public static let name: OperatorName = "Size"
  public static let inputCount = 1...1

  public init(_ attributes: inout AttributeReader) throws {}

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    [ValueType(.int64, [])]
  }

  package func value(_ input: ValueType) -> Tensor? {
    input.shape.map { Tensor(scalar: Int64($0.count)) }
  }
}
