public import Tensors

/// What one operator means: its settings, how many values it reads and computes, and their types.
///
/// A conforming struct's properties are the operator's attributes, decoded and checked. It knows nothing of
/// how the result is computed: that is registered in `Execution`.
///
/// Only the forms of opset 13 and later are known here: older models are brought to them by
/// ``UpgradeOldOperators`` first.
public protocol Operator: Sendable {
  /// The operator's name.
  static var name: OperatorName { get }

  /// How many inputs a node may have, those left out at the end not counted.
  static var inputCount: ClosedRange<Int> { get }

  /// How many outputs a node may have.
  static var outputCount: ClosedRange<Int> { get }

  /// Decodes and checks the settings. Every attribute that the operator knows must be asked for: one that is
  /// left over is refused by the caller.
  init(_ attributes: inout AttributeReader) throws

  /// The types of the outputs, as far as they follow from what is known of the inputs.
  ///
  /// Throws ``GraphError`` where known inputs can't go together. Returns one type per output in the
  /// operator's order.
  func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType]
}

extension Operator {
  /// One output, unless the operator says otherwise.
  public static var outputCount: ClosedRange<Int> { 1...1 }
}

/// What is known of a node's inputs before it runs.
public struct OperatorInputs: Sendable {
  /// What is known of each input's type; nil where it is left out.
  public let types: [ValueType?]
  /// The inputs whose values are known, such as the target shape of a `Reshape`.
  public let constants: [Tensor?]
  /// How many outputs the node has.
  public let outputCount: Int

  /// Inputs of which the given is known.
  public init(types: [ValueType?], constants: [Tensor?], outputCount: Int) {
    self.types = types
    self.constants = constants
    self.outputCount = outputCount
  }

  /// What is known of the input at `index`: nothing where it is left out.
  public subscript(index: Int) -> ValueType {
    (index < types.count ? types[index] : nil) ?? ValueType(nil, nil)
  }

  /// Whether the input at `index` is given.
  public func has(_ index: Int) -> Bool { index < types.count && types[index] != nil }

  /// The value of the input at `index`, where it is known.
  public func constant(_ index: Int) -> Tensor? {
    index < constants.count ? constants[index] : nil
  }

  /// The value of an input of whole numbers, where it is known.
  public func integers(_ index: Int) -> [Int]? {
    constant(index).flatMap { $0.elementType.isFloatingPoint ? nil : $0.integers() }
  }
}
