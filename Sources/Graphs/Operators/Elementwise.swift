import Tensors

/// An operator without attributes.
public protocol SettinglessOperator: Operator {
  /// The operator.
  init()
}

extension SettinglessOperator {
  public init(_ attributes: inout AttributeReader) throws { self.init() }
}

/// An operator whose one output is shaped and typed as its first input.
public protocol ElementwiseOperator: Operator {}

extension ElementwiseOperator {
  public static var inputCount: ClosedRange<Int> { 1...1 }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] { [inputs[0]] }
}

/// An operator whose operands are of one element type, which is also the result's, and are broadcast together.
public protocol BroadcastingOperator: Operator {}

extension BroadcastingOperator {
  public static var inputCount: ClosedRange<Int> { 2...2 }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    [try Broadcasting.type(inputs.all)]
  }
}

/// An operator whose operands are of one element type and are broadcast together; the result is `bool`.
public protocol ComparisonOperator: Operator {}

extension ComparisonOperator {
  public static var inputCount: ClosedRange<Int> { 2...2 }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    [ValueType(.bool, try Broadcasting.type(inputs.all).dimensions)]
  }
}

extension OperatorInputs {
  /// What is known of each input.
  var all: [ValueType] { types.indices.map { self[$0] } }

  /// An axis of an input, counted from the outermost, nil where the number of axes is not known.
  ///
  /// Throws ``GraphError`` where it is out of range.
  func axis(_ axis: Int, of index: Int) throws -> Int? {
    guard let rank = self[index].rank else { return nil }
    return try ShapeRules.axis(axis, rank: rank)
  }
}

extension Operators {
  /// The most inputs that a node of a variadic operator may have; far more than any real network's.
  static let inputLimit = 1 << 16
}
