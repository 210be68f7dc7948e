import Tensors

/// The operators that cut tensors out and fill them up.
let slicingOperators: [any Operator.Type] = [
  Slice.self, Pad.self, CenterCropPad.self, Trilu.self, ReverseSequence.self, Compress.self,
]

/// Every step-th element between two indices along each axis; opset 13 and later.
///
/// Inputs: data, starts, ends, axes?, steps? (int32 or int64). Indices beyond an end stop there; negative ones count from
/// the end; negative steps go backwards.
public struct Slice: Operator {
  public static let name: OperatorName = "Slice"
  public static let inputCount = 3...5

  /// The indices taken along one axis: `start`, `start + step`, … `count` of them.
  package struct Run: Equatable, Sendable {
    package let start: Int
    package let step: Int
    package let count: Int

    /// What is taken of an axis of the given length.
    package init(from start: Int, to end: Int, step: Int, length: Int) throws {
      guard step != 0 else { throw GraphError(.invalidValue, "a step is 0; must not be") }
      let forward = step > 0
      let range = forward ? 0...length : -1...(length - 1)
      let clamp = { (index: Int) in
        min(max(index < 0 ? index + length : index, range.lowerBound), range.upperBound)
      }
      self.start = forward ? clamp(start) : max(clamp(start), 0)
      // An end before the first element stays there.
      let stop = clamp(end)
      let distance = forward ? stop - self.start : self.start - stop
      count =
        distance <= 0 || length == 0 ? 0 : Int(UInt(distance - 1) / step.magnitude) + 1
      self.step = count <= 1 ? 1 : step
    }
  }

  public init(_ attributes: inout AttributeReader) throws {}

  /// What is taken of each axis. Throws ``GraphError`` where the lists don't go together.
  package func runs(
    _ lengths: [Int?], starts: [Int], ends: [Int], axes: [Int]?, steps: [Int]?
  ) throws -> [Int: Run?] {
    let axes = try ShapeRules.axes(axes ?? Array(starts.indices), rank: lengths.count)
    guard ends.count == starts.count, axes.count == starts.count,
      steps.map({ $0.count == starts.count }) ?? true
    else {
      throw GraphError(
        .mismatchedTypes,
        "\(starts.count) starts, \(ends.count) ends, \(axes.count) axes and "
          + "\(steps?.count ?? starts.count) steps; must be as many")
    }
    var runs: [Int: Run?] = [:]
    for (index, axis) in axes.enumerated() {
      runs[axis] = .some(
        try lengths[axis].map { length in
          try Run(
            from: starts[index], to: ends[index], step: steps?[index] ?? 1, length: length)
        })
    }
    return runs
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    for index in 1..<5 {
      try inputs.requireType(index, .int32, .int64)
      try inputs.requireRank(index, 1...1)
    }
    guard var dimensions = inputs[0].dimensions else { return [inputs[0]] }
    let axes = inputs.integers(3)
    guard !inputs.has(3) || axes != nil else {
      return [.ofRank(dimensions.count, inputs[0].elementType)]
    }
    guard let starts = inputs.integers(1), let ends = inputs.integers(2),
      !inputs.has(4) || inputs.constant(4) != nil
    else {
      let cut = try ShapeRules.axes(axes ?? Array(dimensions.indices), rank: dimensions.count)
      for axis in cut { dimensions[axis] = .unknown }
      return [inputs[0].with(dimensions)]
    }
    let runs = try runs(
      dimensions.map(\.length), starts: starts, ends: ends, axes: axes, steps: inputs.integers(4))
    for (axis, run) in runs { dimensions[axis] = run.map { .fixed($0.count) } ?? .unknown }
    return [inputs[0].with(dimensions)]
  }
}

/// With elements added before and behind along each axis; opset 13 and later.
///
/// Inputs: data, pads (int64: all befores, then all behinds; negative cuts), value?, axes? (opset 18 and later).
public struct Pad: Operator {
  public static let name: OperatorName = "Pad"
  public static let inputCount = 2...4

  /// What is added.
  public enum Mode: String, CaseIterable, Sendable {
    /// One value everywhere.
    case constant
    /// The elements mirrored at the outermost one, which is not repeated.
    case reflect
    /// The outermost element.
    case edge
    /// The elements from the other end.
    case wrap
  }

  /// What is added.
  public let mode: Mode

  public init(_ attributes: inout AttributeReader) throws {
    mode = try attributes.choice("mode", default: .constant)
  }

  /// How many elements each axis gains before and behind. Throws ``GraphError`` where the lists don't go together.
  package func amounts(
    _ pads: [Int], axes: [Int]?, rank: Int
  ) throws -> [(before: Int, behind: Int)] {
    let axes = try ShapeRules.axes(axes ?? Array(0..<rank), rank: rank)
    guard pads.count == 2 * axes.count else {
      throw GraphError(
        .mismatchedTypes,
        "\(pads.count) pads for \(axes.count) axes; must be two per axis, all befores first")
    }
    guard pads.allSatisfy({ $0.magnitude <= UInt(Int32.max) }) else {
      throw GraphError(.invalidValue, "pads are \(pads); must be within ±\(Int32.max)")
    }
    var amounts = [(before: Int, behind: Int)](repeating: (0, 0), count: rank)
    for (index, axis) in axes.enumerated() {
      amounts[axis] = (pads[index], pads[index + axes.count])
    }
    return amounts
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(1, .int64)
    guard let dimensions = inputs[0].dimensions else { return [inputs[0]] }
    guard let pads = inputs.integers(1), !inputs.has(3) || inputs.integers(3) != nil else {
      return [.ofRank(dimensions.count, inputs[0].elementType)]
    }
    let amounts = try amounts(pads, axes: inputs.integers(3), rank: dimensions.count)
    let result = try zip(dimensions, amounts).map { dimension, amount -> Dimension in
      if amount == (0, 0) { return dimension }
      guard let length = dimension.length else { return .unknown }
      let (padded, overflow) = length.addingReportingOverflow(amount.before + amount.behind)
      guard !overflow, padded >= 0, length + min(amount.before, 0) >= 0,
        length + min(amount.behind, 0) >= 0
      else {
        throw GraphError(
          .invalidValue,
          "an axis of length \(length) can't be padded by \(amount.before) and \(amount.behind)")
      }
      return .fixed(padded)
    }
    return [inputs[0].with(result)]
  }
}

/// Cut or filled with zeros to given lengths, evenly on both sides; opset 18 and later.
///
/// Inputs: data, shape (int32 or int64, one length per axis of `axes`).
public struct CenterCropPad: Operator {
  public static let name: OperatorName = "CenterCropPad"
  public static let inputCount = 2...2
  /// The axes that the lengths are for; nil means all.
  public let axes: [Int]?

  public init(_ attributes: inout AttributeReader) throws { axes = try attributes.ints("axes") }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(1, .int32, .int64)
    guard var dimensions = inputs[0].dimensions else { return [inputs[0]] }
    let axes = try ShapeRules.axes(axes ?? Array(dimensions.indices), rank: dimensions.count)
    let lengths = try inputs.integers(1).map { try ShapeRules.dimensions($0) }
    if let lengths, lengths.count != axes.count {
      throw GraphError(
        .mismatchedTypes, "\(lengths.count) lengths for \(axes.count) axes; must be as many")
    }
    for (index, axis) in axes.enumerated() { dimensions[axis] = lengths?[index] ?? .unknown }
    return [inputs[0].with(dimensions)]
  }
}

/// The upper or lower triangle of matrices, zero elsewhere.
///
/// Inputs: data [..., rows, columns], diagonal? (int64): the diagonal that bounds the triangle, 0 the main one.
public struct Trilu: Operator {
  public static let name: OperatorName = "Trilu"
  public static let inputCount = 1...2
  /// Whether the upper triangle is kept, rather than the lower.
  public let keepsUpper: Bool

  public init(_ attributes: inout AttributeReader) throws {
    keepsUpper = try attributes.flag("upper", default: true)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireRank(0, 2...ShapeRules.rankLimit)
    try inputs.requireType(1, .int64)
    return [inputs[0]]
  }
}

/// The first elements of each sequence of a batch in reverse.
///
/// Inputs: data, lengths (int64, one per sequence).
public struct ReverseSequence: Operator {
  public static let name: OperatorName = "ReverseSequence"
  public static let inputCount = 2...2
  /// The axis of the batch, 0 or 1.
  public let batchAxis: Int
  /// The axis of time: the other one.
  public let timeAxis: Int

  public init(_ attributes: inout AttributeReader) throws {
    batchAxis = try attributes.int("batch_axis", default: 1)
    timeAxis = try attributes.int("time_axis", default: 0)
    guard Set([batchAxis, timeAxis]) == [0, 1] else {
      throw attributes.invalid(
        "batch_axis", "is \(batchAxis) and 'time_axis' \(timeAxis); must be 0 and 1 or 1 and 0")
    }
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireRank(0, 2...ShapeRules.rankLimit)
    try inputs.requireType(1, .int64)
    let count = try inputs.listLength(1)
    if let dimensions = inputs[0].dimensions {
      _ = try ShapeRules.common(
        dimensions[batchAxis], count.map { .fixed($0) } ?? .unknown,
        "batch size and number of lengths differ")
    }
    return [inputs[0]]
  }
}

/// The slices along an axis for which a condition is true.
///
/// Inputs: data, condition (bool); what the condition is too short for is left out. Without an axis the elements are
/// taken as a list.
public struct Compress: Operator {
  public static let name: OperatorName = "Compress"
  public static let inputCount = 2...2
  /// The axis; negative counts from the innermost.
  public let axis: Int?

  public init(_ attributes: inout AttributeReader) throws { axis = try attributes.int("axis") }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(1, .bool)
    try inputs.requireRank(1, 1...1)
    guard let axis else { return [.ofRank(1, inputs[0].elementType)] }
    guard var dimensions = inputs[0].dimensions else { return [inputs[0]] }
    dimensions[try ShapeRules.axis(axis, rank: dimensions.count)] = .unknown
    return [inputs[0].with(dimensions)]
  }
}
