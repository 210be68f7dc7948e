import Tensors

/// The elements of a floating-point tensor as float32, a run at a time, so that a mapped file is never converted whole.
///
/// Valid only inside of ``with(_:_:)``.
struct FloatSource: @unchecked Sendable {
  private let bytes: UnsafeRawPointer
  private let type: ElementType
  private let isDirect: Bool

  /// How many elements are converted at once where the caller may choose.
  static let chunk = 16 << 10

  /// Calls `body` with the elements of a tensor. Throws ``NumberFormatError`` where they are neither float32, float16,
  /// bfloat16 nor float64.
  static func with<Result>(
    _ tensor: Tensor, _ body: (FloatSource) throws -> Result
  ) throws -> Result {
    guard tensor.elementType.convertsToFloat32 else {
      throw NumberFormatError(
        .mismatch, "is \(tensor); only float32, float16, bfloat16 and float64 are quantized")
    }
    return try tensor.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else {
        return try withUnsafeTemporaryAllocation(byteCount: 8, alignment: 8) {
          try body(FloatSource(UnsafeRawPointer($0.baseAddress!), tensor.elementType))
        }
      }
      return try body(FloatSource(start, tensor.elementType))
    }
  }

  /// All elements.
  static func values(of tensor: Tensor) throws -> [Float] {
    try with(tensor) { source in
      [Float](unsafeUninitializedCapacity: tensor.count) { values, count in
        if let target = values.baseAddress { source.copy(0, tensor.count, to: target) }
        count = tensor.count
      }
    }
  }

  private init(_ bytes: UnsafeRawPointer, _ type: ElementType) {
    (self.bytes, self.type) = (bytes, type)
    isDirect =
      type == .float32 && Int(bitPattern: bytes) % MemoryLayout<Float>.alignment == 0
  }

  /// Calls `body` with `count` elements from `offset`: the tensor's own where they are aligned float32, else converted for
  /// the time of the call.
  @inline(__always)
  func withFloats<Result>(
    _ offset: Int, _ count: Int, _ body: (UnsafePointer<Float>) -> Result
  ) -> Result {
    if isDirect { return body(bytes.assumingMemoryBound(to: Float.self) + offset) }
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: max(count, 1)) { floats in
      copy(offset, count, to: floats.baseAddress!)
      return body(UnsafePointer(floats.baseAddress!))
    }
  }

  /// Copies `count` elements from `offset`.
  func copy(_ offset: Int, _ count: Int, to target: UnsafeMutablePointer<Float>) {
    let start = bytes + offset * (type.bitWidth / 8)
    switch type {
    case .float32:
      UnsafeMutableRawPointer(target).copyMemory(from: start, byteCount: count * 4)
    case .float64:
      for i in 0..<count {
        target[i] = Float(start.loadUnaligned(fromByteOffset: i * 8, as: Double.self))
      }
    default: widen(start, count, to: target)
    }
  }

  private func widen(
    _ start: UnsafeRawPointer, _ count: Int, to target: UnsafeMutablePointer<Float>
  ) {
    guard Int(bitPattern: start) % 2 == 0 else {
      withUnsafeTemporaryAllocation(of: UInt16.self, capacity: max(count, 1)) { halves in
        let aligned = UnsafeMutableRawPointer(halves.baseAddress!)
        aligned.copyMemory(from: start, byteCount: count * 2)
        widen(UnsafeRawPointer(aligned), count, to: target)
      }
      return
    }
    let halves = start.assumingMemoryBound(to: UInt16.self)
    if type == .float16 {
      Kernels.float16ToFloat(halves, target, count: count)
    } else {
      Kernels.bfloat16ToFloat(halves, target, count: count)
    }
  }
}
