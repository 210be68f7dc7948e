public import Tensors

/// What is stored of a quantized tensor: which codes, which elements share a scale, where zero lies, how scales are kept.
///
/// How the bytes lie in a file is apart from it: see ``PackedLayout``.
public struct QuantizationScheme: Hashable, Sendable {
  /// What a code is.
  public let code: CodeType
  /// Which elements share a scale.
  public let granularity: Granularity
  /// Where zero lies among the codes.
  public let mapping: Mapping
  /// How scales are stored.
  public let scaleType: ScaleType

  /// A scheme of these parts. Throws ``NumberFormatError`` where they don't go together: a symmetric mapping of one bit,
  /// power-of-two codes of 1 or 16 bits or with any mapping but the plain symmetric one, sizes below 1.
  public init(
    _ code: CodeType, _ granularity: Granularity, _ mapping: Mapping,
    scaleType: ScaleType = .float32
  ) throws {
    try granularity.checkSizes()
    guard CodeType.all.contains(code) else {
      throw NumberFormatError(
        .invalidScheme, "\(code) has \(code.bitWidth) bits; power-of-two codes have 2 to 8")
    }
    guard code.isLinear || mapping == .symmetric else {
      throw NumberFormatError(
        .invalidScheme, "\(code) can't be \(mapping); power-of-two codes must be symmetric")
    }
    guard code.bitWidth > 1 || mapping == .affine else {
      throw NumberFormatError(
        .invalidScheme, "\(code) can't be \(mapping); codes of one bit must be affine")
    }
    (self.code, self.granularity) = (code, granularity)
    (self.mapping, self.scaleType) = (mapping, scaleType)
  }

  /// The codes that are used: all of the type's, except that a plain symmetric mapping has as many below its zero point as
  /// above.
  public var codes: ClosedRange<Int32> {
    guard !mapping.usesAllCodes else { return code.codes }
    let zero = code.symmetricZeroPoint
    return (zero - code.symmetricQuantMax)...(zero + code.symmetricQuantMax)
  }

  /// The zero point, where it is the same for every range: that of a symmetric mapping.
  public var fixedZeroPoint: Int32? { mapping.isSymmetric ? code.symmetricZeroPoint : nil }

  /// The same scheme with another granularity. Throws as ``init(_:_:_:scaleType:)`` does.
  public func with(_ granularity: Granularity) throws -> QuantizationScheme {
    try QuantizationScheme(code, granularity, mapping, scaleType: scaleType)
  }

  /// How many bits an element takes on average in a tensor of that shape, scales and (of affine mappings) zero points
  /// included. Throws where the tensor lacks the axis.
  public func bitsPerElement(of shape: Shape) throws -> Double {
    let regions = try granularity.scaleShape(of: shape).count
    let zeroPoint = mapping.isSymmetric ? 0 : code.bitWidth
    let overhead = regions * (scaleType.elementType.bitWidth + zeroPoint)
    return Double(code.bitWidth) + Double(overhead) / Double(max(shape.count, 1))
  }
}

extension QuantizationScheme: CustomStringConvertible {
  /// As in `int8 symmetric perChannel(axis: 0)`.
  public var description: String {
    let scales = scaleType == .float32 ? "" : " scales \(scaleType)"
    return "\(code) \(mapping) \(granularity)\(scales)"
  }
}
