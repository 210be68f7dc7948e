public import Tensors

/// The operators that give elements another type.
let castingOperators: [any Operator.Type] = [Cast.self, CastLike.self, BitCast.self]

/// The same numbers as another element type.
///
/// Floating-point numbers become integers by dropping the fraction, Booleans by asking whether they are 0.
public struct Cast: Operator {
  public static let name: OperatorName = "Cast"
  public static let inputCount = 1...1
  /// The type of the result.
  public let elementType: ElementType
  /// Whether numbers beyond the range of an 8-bit float become its greatest rather than infinity or NaN.
  public let saturates: Bool
  /// How numbers become powers of two (float8e8m0).
  public let powerRounding: PowerRounding

  /// How a number becomes a power of two.
  public enum PowerRounding: String, CaseIterable, Sendable {
    case up
    case down
    case nearest
  }

  public init(_ attributes: inout AttributeReader) throws {
    elementType = try attributes.required("to", attributes.elementType("to"))
    saturates = try attributes.flag("saturate", default: true)
    powerRounding = try attributes.choice("round_mode", default: .up)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    [ValueType(elementType, inputs[0].dimensions)]
  }
}

/// The same numbers as the element type of a second tensor, whose values play no role.
public struct CastLike: Operator {
  public static let name: OperatorName = "CastLike"
  public static let inputCount = 2...2
  /// Whether numbers beyond the range of an 8-bit float become its greatest rather than infinity or NaN.
  public let saturates: Bool
  /// How numbers become powers of two (float8e8m0).
  public let powerRounding: Cast.PowerRounding

  public init(_ attributes: inout AttributeReader) throws {
    saturates = try attributes.flag("saturate", default: true)
    powerRounding = try attributes.choice("round_mode", default: .up)
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    [ValueType(inputs[1].elementType, inputs[0].dimensions)]
  }
}

/// The same bits as another element type of the same width; opset 26.
public struct BitCast: Operator {
  public static let name: OperatorName = "BitCast"
  public static let inputCount = 1...1
  /// The type of the result.
  public let elementType: ElementType

  public init(_ attributes: inout AttributeReader) throws {
    elementType = try attributes.required("to", attributes.elementType("to"))
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    if let type = inputs[0].elementType, type.bitWidth != elementType.bitWidth {
      throw GraphError(
        .mismatchedTypes,
        "\(type) has \(type.bitWidth) bits, \(elementType) \(elementType.bitWidth); must be as many"
      )
    }
    return [ValueType(elementType, inputs[0].dimensions)]
  }
}
