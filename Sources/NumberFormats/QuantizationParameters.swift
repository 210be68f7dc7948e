public import Tensors

/// The scale and the zero point of each region of a tensor.
public struct QuantizationParameters: Hashable, Sendable {
  /// One scale per region: positive and finite, except that a scale read from a file may be negative.
  public let scales: [Float]
  /// One zero point per region.
  public let zeroPoints: [Int32]
  /// The shape of the tensors of scales and zero points; see ``Granularity/scaleShape(of:)``.
  public let shape: Shape

  /// Parameters of the given shape. Traps where there are not as many as the shape says.
  public init(scales: [Float], zeroPoints: [Int32], shape: Shape) {
    precondition(
      scales.count == shape.count && zeroPoints.count == shape.count,
      "\(scales.count) scales and \(zeroPoints.count) zero points for shape \(shape)")
    (self.scales, self.zeroPoints, self.shape) = (scales, zeroPoints, shape)
  }

  /// The parameters of a whole tensor.
  public init(scale: Float, zeroPoint: Int32) {
    self.init(scales: [scale], zeroPoints: [zeroPoint], shape: [])
  }

  /// The parameters that tensors hold: scales of float32, float16 or bfloat16, zero points of any integer type, 0 where
  /// there are none.
  ///
  /// Throws ``NumberFormatError`` for other types, shapes that differ, scales that are 0 or not finite.
  public init(scales: Tensor, zeroPoints: Tensor?) throws {
    let values = try FloatSource.values(of: scales)
    if let index = values.firstIndex(where: { !$0.isFinite || $0 == 0 }) {
      throw NumberFormatError(
        .outOfRange, "scale \(index) is \(values[index]); must be finite and not 0")
    }
    guard let zeroPoints else {
      self.init(
        scales: values, zeroPoints: .init(repeating: 0, count: values.count), shape: scales.shape)
      return
    }
    guard zeroPoints.elementType.isInteger, zeroPoints.count == scales.count else {
      throw NumberFormatError(
        .mismatch, "zero points are \(zeroPoints); must be integers, one for each of \(scales)")
    }
    let codes = zeroPoints.integers().map { Int32(clamping: $0) }
    self.init(scales: values, zeroPoints: codes, shape: scales.shape)
  }

  /// The scales as a tensor of the given type.
  public func scaleTensor(_ type: ScaleType = .float32) -> Tensor {
    guard type == .float16 else { return Tensor(scales, shape: shape) }
    return Tensor(shape, .float16) { bytes in
      let halves = bytes.bindMemory(to: UInt16.self)
      guard let target = halves.baseAddress else { return }
      scales.withUnsafeBufferPointer {
        Kernels.floatToFloat16($0.baseAddress!, target, count: $0.count)
      }
    }
  }

  /// The zero points as a tensor of `int8`, `uint8`, `int16`, `uint16` or `int32`, or of packed 2- or 4-bit integers.
  ///
  /// Traps for other types; throws ``NumberFormatError`` where one does not fit.
  public func zeroPointTensor(_ type: ElementType) throws -> Tensor {
    guard let range = type.integerRange else { preconditionFailure("zero points of \(type)") }
    if let wrong = zeroPoints.first(where: { !range.contains(Int($0)) }) {
      throw NumberFormatError(
        .outOfRange, "zero point \(wrong) does not fit \(type), which holds \(range)")
    }
    switch type {
    case .int8: return Tensor(zeroPoints.map { Int8($0) }, shape: shape)
    case .uint8: return Tensor(zeroPoints.map { UInt8($0) }, shape: shape)
    case .int16: return Tensor(zeroPoints.map { Int16($0) }, shape: shape)
    case .uint16: return Tensor(zeroPoints.map { UInt16($0) }, shape: shape)
    case .int32: return Tensor(zeroPoints, shape: shape)
    default:
      let bytes = zeroPoints.map { UInt8(truncatingIfNeeded: $0) }
      return SubByteCodes.packed(Tensor(bytes, shape: shape), as: type)
    }
  }
}
