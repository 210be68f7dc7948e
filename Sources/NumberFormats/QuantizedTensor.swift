public import Tensors

/// A tensor of codes, with what they mean.
public struct QuantizedTensor: Sendable {
  /// One code an element: a tensor of the code's ``CodeType/storageType``.
  public let codes: Tensor
  /// What the codes mean.
  public let scheme: QuantizationScheme
  /// The scale and zero point of each region.
  public let parameters: QuantizationParameters

  /// The shape of the codes, and of the numbers they stand for.
  public var shape: Shape { codes.shape }

  /// Codes that are known.
  ///
  /// Throws ``NumberFormatError`` where they have another type than the scheme's storage or a code lies outside of the
  /// type's range, or where the parameters don't fit the scheme. Codes may use all of the type's range whatever the mapping
  /// says.
  public init(
    codes: Tensor, scheme: QuantizationScheme, parameters: QuantizationParameters
  ) throws {
    try parameters.check(scheme, codes.shape)
    guard codes.elementType == scheme.code.storageType else {
      throw NumberFormatError(
        .mismatch,
        "codes are \(codes); those of \(scheme.code) must be \(scheme.code.storageType)")
    }
    let range = scheme.code.codes
    if let (index, code) = codes.firstCode(outsideOf: range) {
      throw NumberFormatError(
        .outOfRange,
        "code \(code), number \(index), is none of \(scheme.code), which has "
          + "\(range.lowerBound) … \(range.upperBound)")
    }
    (self.codes, self.scheme, self.parameters) = (codes, scheme, parameters)
  }

  /// The codes of a tensor of float32, float16, bfloat16 or float64, by ``QuantizationScheme/code(of:scale:zeroPoint:)``.
  ///
  /// Needs no more memory than the codes take and a few rows on each thread, wherever the tensor lies. Throws
  /// ``NumberFormatError`` for a tensor of another type, one that lacks the scheme's axis, and at the first number, in
  /// row-major order, that is not finite; its message names the index. O(n), on all threads.
  public init(
    quantizing tensor: Tensor, scheme: QuantizationScheme, parameters: QuantizationParameters
  ) throws {
    try parameters.check(scheme, tensor.shape)
    let codes: Tensor =
      switch scheme.code.storageType {
      case .int8: try encode(tensor, scheme, parameters, Int8.self)
      case .uint8: try encode(tensor, scheme, parameters, UInt8.self)
      case .int16: try encode(tensor, scheme, parameters, Int16.self)
      default: try encode(tensor, scheme, parameters, UInt16.self)
      }
    (self.codes, self.scheme, self.parameters) = (codes, scheme, parameters)
  }

  /// The codes of a tensor whose regions' ranges follow from it: min-max. Throws as
  /// ``init(quantizing:scheme:parameters:)`` does.
  public init(quantizing tensor: Tensor, scheme: QuantizationScheme) throws {
    try self.init(
      quantizing: tensor, scheme: scheme, parameters: scheme.parameters(covering: tensor))
  }

  /// The numbers that the codes stand for, as float32. O(n), on all threads.
  public func dequantized() -> Tensor {
    switch scheme.code.storageType {
    case .int8: decode(self, Int8.self)
    case .uint8: decode(self, UInt8.self)
    case .int16: decode(self, Int16.self)
    default: decode(self, UInt16.self)
    }
  }
}

extension QuantizationParameters {
  /// Throws ``NumberFormatError`` where these can't be the parameters of a tensor of that shape.
  func check(_ scheme: QuantizationScheme, _ tensorShape: Shape) throws {
    let expected = try scheme.granularity.scaleShape(of: tensorShape)
    guard shape.count == expected.count else {
      throw NumberFormatError(
        .mismatch,
        "scales of shape \(shape); \(scheme) of a tensor of shape \(tensorShape) needs \(expected)")
    }
    let fixed = scheme.fixedZeroPoint
    let allowed = fixed.map { $0...$0 } ?? scheme.code.codes
    if let index = zeroPoints.firstIndex(where: { !allowed.contains($0) }) {
      throw NumberFormatError(
        .outOfRange,
        "zero point \(index) is \(zeroPoints[index]); that of \(scheme.code) \(scheme.mapping) must be "
          + (fixed.map(String.init) ?? "in \(allowed.lowerBound) … \(allowed.upperBound)"))
    }
    if let index = scales.firstIndex(where: { !$0.isFinite || $0 == 0 }) {
      throw NumberFormatError(
        .outOfRange, "scale \(index) is \(scales[index]); must be finite and not 0")
    }
  }
}

extension Tensor {
  /// The first element that is outside of a range, with its offset; for tensors of the codes' storage types.
  fileprivate func firstCode(outsideOf range: ClosedRange<Int32>) -> (offset: Int, code: Int32)? {
    guard range.count < 1 << elementType.bitWidth else { return nil }
    func first<Code: CodeElement>(_ type: Code.Type) -> (Int, Int32)? {
      withElements(of: type) { codes in
        codes.firstIndex { !range.contains(Int32($0)) }.map { ($0, Int32(codes[$0])) }
      }
    }
    return elementType == .int8 ? first(Int8.self) : first(UInt8.self)
  }
}

// MARK: - Piece by piece

private func encode<Code: CodeElement>(
  _ tensor: Tensor, _ scheme: QuantizationScheme, _ parameters: QuantizationParameters,
  _ type: Code.Type
) throws -> Tensor {
  let regions = try scheme.granularity.regions(of: tensor.shape)
  let codec = RegionCodec<Code>(scheme, parameters, regions)
  return try Tensor(tensor.shape, of: Code.self) { codes in
    guard let target = codes.baseAddress else { return }
    try forEachFinitePiece(of: tensor, regions) { piece, x, offset in
      codec.encode(piece, x, target + offset)
    }
  }
}

private func decode<Code: CodeElement>(_ tensor: QuantizedTensor, _ type: Code.Type) -> Tensor {
  guard let regions = try? tensor.scheme.granularity.regions(of: tensor.shape) else {
    preconditionFailure("\(tensor.scheme) was checked against \(tensor.shape)")
  }
  let codec = RegionCodec<Code>(tensor.scheme, tensor.parameters, regions)
  return Tensor(tensor.shape, of: Float.self) { numbers in
    tensor.codes.withElements(of: Code.self) { codes in
      guard let target = numbers.baseAddress, let source = codes.baseAddress else { return }
      _ = regions.forEachPiece { piece in
        codec.decode(piece, source + piece.offset, target + piece.offset)
        return nil
      }
    }
  }
}

/// Calls `body` with every piece of a tensor, its elements as float32 and its offset, in parallel. Throws where a number is
/// not finite, after all pieces were seen.
private func forEachFinitePiece(
  of tensor: Tensor, _ regions: Regions,
  _ body: (Regions.Piece, UnsafePointer<Float>, _ offset: Int) -> Void
) throws {
  try FloatSource.with(tensor) { source in
    let wrong = regions.forEachPiece { piece in
      source.withFloats(piece.offset, piece.count) { x in
        if let index = Kernels.range(x, count: piece.count).firstNonFinite {
          return piece.offset + index
        }
        body(piece, x, piece.offset)
        return nil
      }
    }
    if let wrong {
      let value = source.withFloats(wrong, 1) { $0.pointee }
      throw NumberFormatError.notFinite(value, at: wrong, in: tensor.shape)
    }
  }
}
