import Tensors

extension PackedLayout {
  /// The operands of ONNX Runtime's `com.microsoft::MatMulNBits`, for weights of 2, 4 or 8 bits in groups of 16 to 256
  /// inputs: of shape [N, K] grouped along axis 1, or [K, N] along axis 0.
  ///
  /// ```
  /// codes       uint8 [N, blocks, size × bits / 8]   each block's codes in ascending k, lowest bits first; the part of
  ///                                                  the last block beyond K is 0
  /// scales      [N × blocks]                         float32 or float16
  /// zero points uint8 [N × bytes]                    packed likewise, each row filled up to whole bytes; left out where
  ///                                                  all are 2^(bits − 1)
  /// ```
  ///
  /// with `blocks = ⌈K / size⌉`. Codes are unsigned: those of signed types are moved up by 2^(bits − 1), so that unpacking
  /// gives back what was packed.
  public static let matMulNBits = PackedLayout(
    name: "matMulNBits",
    explanation: "Operands of ONNX Runtime's MatMulNBits: 2, 4 or 8 bits in groups.",
    check: { _ = try MatMulNBitsGeometry($0, $1) },
    pack: { tensor in
      let geometry = try MatMulNBitsGeometry(tensor.scheme, tensor.shape)
      return Parts(
        codes: geometry.packedCodes(tensor.codes),
        scales: geometry.scales(tensor.parameters, tensor.scheme.scaleType),
        zeroPoints: geometry.packedZeroPoints(tensor.parameters))
    },
    unpack: { parts, scheme, shape in
      let geometry = try MatMulNBitsGeometry(scheme, shape)
      return try QuantizedTensor(
        codes: geometry.unpackedCodes(parts.codes), scheme: scheme,
        parameters: geometry.parameters(parts.scales, parts.zeroPoints))
    })
}

/// The lengths of one weight of MatMulNBits.
private struct MatMulNBitsGeometry {
  let outputs, inputs, size, bits: Int
  /// Whether the weight is [K, N] rather than [N, K].
  let isTransposed: Bool
  let storage: ElementType
  let shape: Shape

  static let sizes = [16, 32, 64, 128, 256]

  init(_ scheme: QuantizationScheme, _ shape: Shape) throws {
    guard let size = scheme.granularity.groupSize, let axis = scheme.granularity.axis,
      Self.sizes.contains(size), [2, 4, 8].contains(scheme.code.bitWidth), scheme.code.isLinear
    else {
      throw NumberFormatError(
        .unsupportedLayout,
        "MatMulNBits can't hold \(scheme); needs integers of 2, 4 or 8 bits in groups of "
          + "16, 32, 64, 128 or 256")
    }
    guard shape.rank == 2, -2..<2 ~= axis, shape.count > 0 else {
      throw NumberFormatError(
        .unsupportedLayout, "MatMulNBits needs a matrix that is not empty, not shape \(shape)")
    }
    isTransposed = (axis + 2) % 2 == 0
    (inputs, outputs) = (shape[axis], shape[isTransposed ? 1 : 0])
    (self.size, bits, self.shape) = (size, scheme.code.bitWidth, shape)
    storage = scheme.code.storageType
  }

  var blocks: Int { (inputs + size - 1) / size }
  private var blockBytes: Int { size * bits / 8 }
  private var zeroPointBytes: Int { (blocks * bits + 7) / 8 }
  /// What is added to codes, modulo 256, so that they become unsigned.
  private var shift: UInt8 { storage == .int8 ? 1 << UInt8(bits - 1) : 0 }
  private var middle: Int32 { storage == .int8 ? 0 : 1 << Int32(bits - 1) }

  private func offset(_ output: Int, _ input: Int) -> Int {
    isTransposed ? input * outputs + output : output * inputs + input
  }

  /// The index of a scale among the parameters, which have the weight's order.
  private func region(_ output: Int, _ block: Int) -> Int {
    isTransposed ? block * outputs + output : output * blocks + block
  }

  func packedCodes(_ codes: Tensor) -> Tensor {
    Tensor([outputs, blocks, blockBytes], .uint8) { target in
      codes.withUnsafeBytes { source in
        let bytes = target.bindMemory(to: UInt8.self).baseAddress!
        nonisolated(unsafe) let (first, source) = (bytes, source)
        parallelFor(outputs) { output in
          withUnsafeTemporaryAllocation(of: UInt8.self, capacity: blocks * size) { row in
            row.initialize(repeating: 0)
            for input in 0..<inputs { row[input] = source[offset(output, input)] &+ shift }
            SubByteCodes.pack(
              row.baseAddress!, count: row.count, bits: bits,
              into: first + output * blocks * blockBytes)
          }
        }
      }
    }
  }

  func unpackedCodes(_ packed: Tensor) throws -> Tensor {
    try require(packed, "codes", .uint8, outputs * blocks * blockBytes)
    return Tensor(shape, storage) { target in
      packed.withUnsafeBytes { source in
        let bytes = source.bindMemory(to: UInt8.self).baseAddress!
        nonisolated(unsafe) let (first, target) = (bytes, target)
        parallelFor(outputs) { output in
          withUnsafeTemporaryAllocation(of: UInt8.self, capacity: blocks * size) { row in
            SubByteCodes.unpack(
              first + output * blocks * blockBytes, count: row.count, bits: bits, isSigned: false,
              into: row.baseAddress!)
            for input in 0..<inputs { target[offset(output, input)] = row[input] &- shift }
          }
        }
      }
    }
  }

  func scales(_ parameters: QuantizationParameters, _ type: ScaleType) -> Tensor {
    let scales = inLayoutOrder(parameters.scales)
    return QuantizationParameters(
      scales: scales, zeroPoints: .init(repeating: 0, count: scales.count), shape: [scales.count]
    ).scaleTensor(type)
  }

  func packedZeroPoints(_ parameters: QuantizationParameters) -> Tensor? {
    guard parameters.zeroPoints.contains(where: { $0 != middle }) else { return nil }
    let codes = inLayoutOrder(parameters.zeroPoints).map {
      UInt8(truncatingIfNeeded: $0) &+ shift
    }
    return Tensor([outputs * zeroPointBytes], of: UInt8.self) { bytes in
      codes.withUnsafeBufferPointer { codes in
        for output in 0..<outputs {
          SubByteCodes.pack(
            codes.baseAddress! + output * blocks, count: blocks, bits: bits,
            into: bytes.baseAddress! + output * zeroPointBytes)
        }
      }
    }
  }

  func parameters(_ scales: Tensor, _ zeroPoints: Tensor?) throws -> QuantizationParameters {
    let values = try QuantizationParameters(scales: scales, zeroPoints: nil).scales
    guard values.count == outputs * blocks else {
      throw NumberFormatError(
        .mismatch, "scales are \(scales); must be \(outputs * blocks) numbers")
    }
    var zeros = [Int32](repeating: middle, count: values.count)
    if let zeroPoints {
      try require(zeroPoints, "zero points", .uint8, outputs * zeroPointBytes)
      let bytes = zeroPoints.elements(of: UInt8.self)
      for output in 0..<outputs {
        for block in 0..<blocks {
          let bit = block * bits
          let byte = bytes[output * zeroPointBytes + bit / 8]
          let code = Int32(byte >> UInt8(bit % 8)) & ((1 << Int32(bits)) - 1)
          zeros[region(output, block)] = code - Int32(shift)
        }
      }
    }
    var ordered = values
    for output in 0..<outputs {
      for block in 0..<blocks { ordered[region(output, block)] = values[output * blocks + block] }
    }
    return QuantizationParameters(
      scales: ordered, zeroPoints: zeros,
      shape: isTransposed ? [blocks, outputs] : [outputs, blocks])
  }

  /// One value per block, those of an output together.
  private func inLayoutOrder<Value>(_ values: [Value]) -> [Value] {
    guard isTransposed else { return values }
    return (0..<outputs).flatMap { output in
      (0..<blocks).map { values[region(output, $0)] }
    }
  }

  private func require(
    _ tensor: Tensor, _ what: String, _ type: ElementType, _ count: Int
  ) throws {
    guard tensor.elementType == type, tensor.count == count else {
      throw NumberFormatError(
        .mismatch, "\(what) are \(tensor); must be \(count) elements of \(type)")
    }
  }
}
