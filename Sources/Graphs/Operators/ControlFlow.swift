import Tensors

/// The operators that hold graphs.
let controlFlowOperators: [any Operator.Type] = [If.self, Loop.self, Scan.self]

/// One of two graphs, chosen by a condition.
///
/// Input: condition (bool, one element). The graphs have no inputs of their own and read values from around.
public struct If: Operator {
  public static let name: OperatorName = "If"
  public static let inputCount = 1...1
  public static let outputCount = 1...Int(Int32.max)
  /// What is computed where the condition is true.
  public let thenBranch: Graph
  /// What is computed where it is not.
  public let elseBranch: Graph

  public init(_ attributes: inout AttributeReader) throws {
    thenBranch = try attributes.required("then_branch", attributes.graph("then_branch"))
    elseBranch = try attributes.required("else_branch", attributes.graph("else_branch"))
    guard thenBranch.outputs.count == elseBranch.outputs.count else {
      throw attributes.invalid(
        "else_branch",
        "has \(elseBranch.outputs.count) outputs; must have \(thenBranch.outputs.count), as 'then_branch' has"
      )
    }
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(0, .bool)
    guard inputs.outputCount <= thenBranch.outputs.count else {
      throw GraphError(
        .invalidValue,
        "the node has \(inputs.outputCount) outputs; its graphs have \(thenBranch.outputs.count)")
    }
    if let condition = inputs.constant(0)?.firstTruth {
      return (condition ? thenBranch : elseBranch).outputs.map(\.type)
    }
    return zip(thenBranch.outputs, elseBranch.outputs).map { $0.type.common(with: $1.type) }
  }
}

/// A graph again and again, as often as a number or a condition says.
///
/// Inputs: most repetitions?, condition?, carried values…. The graph is given the number of the repetition, the condition and
/// the carried values, and returns the condition, the carried values and values that are stacked. Outputs: the
/// carried values, the stacks.
public struct Loop: Operator {
  public static let name: OperatorName = "Loop"
  public static let inputCount = 2...Int(Int32.max)
  public static let outputCount = 1...Int(Int32.max)
  /// What is repeated.
  public let body: Graph

  public init(_ attributes: inout AttributeReader) throws {
    body = try attributes.required("body", attributes.graph("body"))
    guard body.inputs.count >= 2, body.outputs.count >= body.inputs.count - 1 else {
      throw attributes.invalid(
        "body",
        "has \(body.inputs.count) inputs and \(body.outputs.count) outputs; must have a number, a condition and carried values in, a condition and carried values out"
      )
    }
  }

  /// How many values are carried from one repetition to the next.
  public var carriedCount: Int { body.inputs.count - 2 }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(0, .int64)
    try inputs.requireType(1, .bool)
    guard inputs.types.count - 2 == carriedCount, inputs.outputCount < body.outputs.count else {
      throw GraphError(
        .invalidValue,
        "the node carries \(inputs.types.count - 2) values to \(inputs.outputCount) outputs; its graph carries \(carriedCount) of \(body.outputs.count - 1)"
      )
    }
    let types = body.outputs.dropFirst().map(\.type)
    return types.enumerated().map { index, type in
      if index < carriedCount { return type.common(with: inputs[2 + index]) }
      return type.with(type.dimensions.map { [.unknown] + $0 })
    }
  }
}

/// A graph once for every slice of some values.
///
/// Inputs: carried values…, values that are sliced…. The graph is given the carried values and a slice of each, and returns the
/// carried values and values that are stacked. Outputs: the carried values, the stacks.
public struct Scan: Operator {
  public static let name: OperatorName = "Scan"
  public static let inputCount = 1...Int(Int32.max)
  public static let outputCount = 1...Int(Int32.max)
  /// What is repeated.
  public let body: Graph
  /// How many of the inputs are sliced.
  public let slicedCount: Int
  /// Along which axis each is sliced; negative counts from the innermost.
  public let inputAxes: [Int]
  /// Whether each is run through from its end.
  public let inputsAreReversed: [Bool]
  /// Along which axis each result is stacked; negative counts from the innermost.
  public let outputAxes: [Int]
  /// Whether each is stacked from its end.
  public let outputsAreReversed: [Bool]

  public init(_ attributes: inout AttributeReader) throws {
    body = try attributes.required("body", attributes.graph("body"))
    slicedCount = try attributes.required("num_scan_inputs", attributes.int("num_scan_inputs"))
    guard slicedCount >= 1, slicedCount <= body.inputs.count,
      body.outputs.count >= body.inputs.count - slicedCount
    else {
      throw attributes.invalid(
        "num_scan_inputs",
        "is \(slicedCount); the graph has \(body.inputs.count) inputs and \(body.outputs.count) outputs"
      )
    }
    let stacked = body.outputs.count - (body.inputs.count - slicedCount)
    inputAxes = try attributes.list("scan_input_axes", count: slicedCount)
    outputAxes = try attributes.list("scan_output_axes", count: stacked)
    inputsAreReversed = try attributes.list("scan_input_directions", count: slicedCount)
      .map { $0 != 0 }
    outputsAreReversed = try attributes.list("scan_output_directions", count: stacked)
      .map { $0 != 0 }
  }

  /// How many values are carried from one slice to the next.
  public var carriedCount: Int { body.inputs.count - slicedCount }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    guard inputs.types.count == body.inputs.count, inputs.outputCount <= body.outputs.count else {
      throw GraphError(
        .invalidValue,
        "the node has \(inputs.types.count) inputs and \(inputs.outputCount) outputs; its graph \(body.inputs.count) and \(body.outputs.count)"
      )
    }
    var length = Dimension.unknown
    for (index, axis) in inputAxes.enumerated() {
      guard let dimensions = inputs[carriedCount + index].dimensions else { continue }
      let axis = try ShapeRules.axis(axis, rank: dimensions.count)
      length = try ShapeRules.common(
        length, dimensions[axis], "sliced inputs differ in the number of slices")
    }
    return try body.outputs.map(\.type).enumerated().map { index, type in
      if index < carriedCount { return type.common(with: inputs[index]) }
      guard var dimensions = type.dimensions else { return type }
      let axis = try ShapeRules.axis(
        outputAxes[index - carriedCount], rank: dimensions.count + 1)
      dimensions.insert(length, at: axis)
      return type.with(dimensions)
    }
  }
}

extension AttributeReader {
  /// One integer per value, 0 where the attribute is absent.
  fileprivate mutating func list(_ name: String, count: Int) throws -> [Int] {
    guard let list = try ints(name) else { return [Int](repeating: 0, count: count) }
    guard list.count == count else {
      throw invalid(name, "is \(list); must have \(count) elements")
    }
    return list
  }
}

extension ValueType {
  /// What is true of both.
  package func common(with other: ValueType) -> ValueType {
    var result = ValueType(elementType == other.elementType ? elementType : nil, nil)
    if let dimensions, let others = other.dimensions, dimensions.count == others.count {
      result.dimensions = zip(dimensions, others).map { $0 == $1 ? $0 : .unknown }
    }
    return result
  }
}
