public import Tensors

/// What a code is: the small whole numbers that stand for real ones.
///
/// To add a code type, add its case here and answer this file's questions for it: nothing else switches over the cases.
public enum CodeType: Hashable, Sendable {
  /// Two's complement, −2ᵇ⁻¹ … 2ᵇ⁻¹ − 1; `real = scale × (code − zeroPoint)`.
  case signed(bits: BitWidth)

  /// 0 … 2ᵇ − 1; `real = scale × (code − zeroPoint)`.
  case unsigned(bits: BitWidth)

  /// A sign and an exponent: code 0 is 0, and a code of magnitude m ≥ 1 is `sign × 2^(m − quantMax) × scale`, so that codes
  /// ascend with their values and the greatest is `scale` itself.
  ///
  /// Miyashita, Lee and Murmann, "Convolutional Neural Networks using Logarithmic Data Representation" (2016),
  /// arXiv:1603.01025, section 3. Needs 2 to 8 bits: a ``QuantizationScheme`` of other widths is refused.
  case powerOfTwo(bits: BitWidth)

  /// Two's complement integers of 8 bits.
  public static let int8 = CodeType.signed(bits: 8)
  /// Integers from 0 to 255.
  public static let uint8 = CodeType.unsigned(bits: 8)
  /// Two's complement integers of 4 bits, −8 … 7.
  public static let int4 = CodeType.signed(bits: 4)
  /// Integers from 0 to 15.
  public static let uint4 = CodeType.unsigned(bits: 4)
  /// Two's complement integers of 16 bits.
  public static let int16 = CodeType.signed(bits: 16)
  /// Integers from 0 to 65535.
  public static let uint16 = CodeType.unsigned(bits: 16)

  /// Every code type that a scheme can have, by kind and ascending width.
  public static let all: [CodeType] =
    BitWidth.allCases.map { .signed(bits: $0) } + BitWidth.allCases.map { .unsigned(bits: $0) }
    + BitWidth.allCases.filter { 2...8 ~= $0.rawValue }.map { .powerOfTwo(bits: $0) }
}

// MARK: - Questions

extension CodeType {
  private var width: BitWidth {
    switch self {
    case .signed(let bits), .unsigned(let bits), .powerOfTwo(let bits): bits
    }
  }

  /// The number of bits of one code: 1 to 8, or 16.
  public var bitWidth: Int { width.rawValue }

  /// The least code. The one of power-of-two codes is −``quantMax``: their lowest bit pattern is not used.
  public var quantMin: Int32 {
    switch self {
    case .signed(let bits): -(1 << Int32(bits.rawValue - 1))
    case .unsigned: 0
    case .powerOfTwo: -quantMax
    }
  }

  /// The greatest code.
  public var quantMax: Int32 {
    switch self {
    case .signed(let bits), .powerOfTwo(let bits): (1 << Int32(bits.rawValue - 1)) - 1
    case .unsigned(let bits): (1 << Int32(bits.rawValue)) - 1
    }
  }

  /// Every code.
  public var codes: ClosedRange<Int32> { quantMin...quantMax }

  /// Whether codes can be negative.
  public var isSigned: Bool { quantMin < 0 }

  /// Whether equal steps of codes are equal steps of values: `real = scale × (code − zeroPoint)`.
  public var isLinear: Bool {
    switch self {
    case .signed, .unsigned: true
    case .powerOfTwo: false
    }
  }

  /// The zero point of a symmetric mapping: 0 for signed codes, 2ᵇ⁻¹ for unsigned ones.
  public var symmetricZeroPoint: Int32 { isSigned ? 0 : 1 << Int32(bitWidth - 1) }

  /// How many codes a symmetric mapping has on either side of zero, the outermost of a full range left out: 2ᵇ⁻¹ − 1.
  public var symmetricQuantMax: Int32 { (1 << Int32(bitWidth - 1)) - 1 }

  /// The type of a tensor that holds one code an element: `int8`, `uint8`, `int16` or `uint16`.
  public var storageType: ElementType {
    switch (isSigned, bitWidth > 8) {
    case (true, false): .int8
    case (false, false): .uint8
    case (true, true): .int16
    case (false, true): .uint16
    }
  }

  /// The smallest ONNX type that holds these codes, as in `int4` for three bits; nil where ONNX can't express their meaning.
  public var onnxType: ElementType? {
    guard isLinear else { return nil }
    switch bitWidth {
    case 1...2: return isSigned ? .int2 : .uint2
    case 3...4: return isSigned ? .int4 : .uint4
    default: return storageType
    }
  }

  /// The integers that fill an element of that type; nil for types that are no codes, such as `float32` and `int32`.
  public init?(_ elementType: ElementType) {
    switch elementType {
    case .int2, .int4, .int8, .int16:
      self = .signed(bits: BitWidth(integerLiteral: elementType.bitWidth))
    case .uint2, .uint4, .uint8, .uint16:
      self = .unsigned(bits: BitWidth(integerLiteral: elementType.bitWidth))
    default: return nil
    }
  }

  /// The same kind of code with one bit less, nil for 1 and 16 bits: what `reduceRange` asks for, so that the sum of two
  /// products of 8-bit codes fits 16 bits.
  public var reduced: CodeType? {
    guard let narrower = BitWidth(rawValue: bitWidth - 1) else { return nil }
    switch self {
    case .signed: return .signed(bits: narrower)
    case .unsigned: return .unsigned(bits: narrower)
    case .powerOfTwo: return .powerOfTwo(bits: narrower)
    }
  }
}

// MARK: - Names

extension CodeType: CustomStringConvertible {
  /// The name in recipes and on the command line: `int8`, `uint4`, `pow2_4`.
  public var description: String {
    switch self {
    case .signed(let bits): "int\(bits.rawValue)"
    case .unsigned(let bits): "uint\(bits.rawValue)"
    case .powerOfTwo(let bits): "pow2_\(bits.rawValue)"
    }
  }

  /// The code type of that name. Throws ``NumberFormatError`` that lists the names for any other.
  public init(name: String) throws {
    guard let type = CodeType.all.first(where: { $0.description == name }) else {
      throw NumberFormatError(
        .unknownName,
        "'\(name)' is no code type; must be int1 … int8, int16, uint1 … uint8, uint16 or "
          + "pow2_2 … pow2_8")
    }
    self = type
  }
}
