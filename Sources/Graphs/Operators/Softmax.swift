import Tensors

/// The operators that turn scores along an axis into shares.
let softmaxOperators: [any Operator.Type] = [Softmax.self, LogSoftmax.self, Hardmax.self]

/// An operator that works on the elements along one axis together.
public protocol AxisOperator: ElementwiseOperator {
  /// The axis; negative counts from the innermost.
  var axis: Int { get }
}

extension AxisOperator {
  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    _ = try inputs.axis(axis, of: 0)
    return [inputs[0]]
  }
}

/// `eˣ`, divided by the sum of these along the axis.
public struct Softmax: AxisOperator {
  public static let name: OperatorName = "Softmax"
  public let axis: Int

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis", default: -1)
  }
}

/// The natural logarithm of ``Softmax``.
public struct LogSoftmax: AxisOperator {
  public static let name: OperatorName = "LogSoftmax"
  public let axis: Int

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis", default: -1)
  }
}

/// 1 at the first greatest element along the axis, 0 elsewhere.
public struct Hardmax: AxisOperator {
  public static let name: OperatorName = "Hardmax"
  public let axis: Int

  public init(_ attributes: inout AttributeReader) throws {
    axis = try attributes.int("axis", default: -1)
  }
}
