import NumberFormats
import Tensors
import Testing

@Suite struct PackedLayoutTests {
  static func random(_ shape: Shape, _ code: CodeType, seed: UInt64 = 5) -> Tensor {
    var generator = SeededGenerator(seed: seed)
    let codes = (0..<shape.count).map { _ in
      Int(code.quantMin) + generator.index(below: code.codes.count)
    }
    switch code.storageType {
    case .int8: return Tensor(codes.map { Int8($0) }, shape: shape)
    case .uint8: return Tensor(codes.map { UInt8($0) }, shape: shape)
    case .int16: return Tensor(codes.map { Int16($0) }, shape: shape)
    default: return Tensor(codes.map { UInt16($0) }, shape: shape)
    }
  }

  static func tensor(
    _ code: CodeType, _ granularity: Granularity, _ mapping: Mapping, _ shape: Shape,
    scaleType: ScaleType = .float32
  ) throws -> QuantizedTensor {
    let scheme = try QuantizationScheme(code, granularity, mapping, scaleType: scaleType)
    let scaleShape = try granularity.scaleShape(of: shape)
    var generator = SeededGenerator(seed: 9)
    let parameters = QuantizationParameters(
      scales: (0..<scaleShape.count).map { Float($0 + 1) / 8 },
      zeroPoints: (0..<scaleShape.count).map { _ in
        scheme.fixedZeroPoint
          ?? code.quantMin + Int32(generator.index(below: code.codes.count))
      }, shape: scaleShape)
    return try QuantizedTensor(
      codes: random(shape, code), scheme: scheme, parameters: parameters)
  }

  @Test func namesAreUnique() {
    #expect(Set(PackedLayout.all.map(\.name)).count == PackedLayout.all.count)
  }

  @Test(arguments: CodeType.all) func everyLayoutGivesBackWhatItHolds(_ code: CodeType) throws {
    var held: Set<String> = []
    for layout in PackedLayout.all {
      for shape in [[5, 7], [3, 32], [33, 9], [64, 80]] as [Shape] {
        for granularity in [
          Granularity.perTensor, .perChannel(axis: 0), .perGroup(size: 16, axis: 1),
          .perGroup(size: 32, axis: 0), .perGroup(size: 3, axis: -1),
          .perBlock(rows: 2, columns: 2),
        ] {
          for mapping in Mapping.all {
            for scaleType in ScaleType.allCases {
              guard
                let original = try? Self.tensor(
                  code, granularity, mapping, shape, scaleType: scaleType),
                (try? layout.requireHolds(original.scheme, shape)) != nil
              else { continue }
              held.insert(layout.name)
              let parts = try layout.packed(original)
              let again = try layout.unpacked(parts, scheme: original.scheme, shape: shape)
              #expect(again.codes.isIdentical(to: original.codes), "\(original.scheme) \(shape)")
              #expect(again.parameters.scales == original.parameters.scales)
              #expect(again.parameters.zeroPoints == original.parameters.zeroPoints)
            }
          }
        }
      }
    }
    #expect(held.contains("onnx") == code.isLinear)
  }

  @Test func fourBitsLieLowFirst() throws {
    let scheme = try QuantizationScheme(.int4, .perTensor, .symmetric)
    let tensor = try QuantizedTensor(
      codes: Tensor([Int8(-8), 7, 3, -1, 2], shape: [5]), scheme: scheme,
      parameters: QuantizationParameters(scale: 1, zeroPoint: 0))
    let parts = try PackedLayout.onnx.packed(tensor)
    #expect(parts.codes.elementType == .int4)
    #expect(parts.codes.withUnsafeBytes { Array($0) } == [0x78, 0xF3, 0x02])
    #expect(parts.zeroPoints?.elementType == .int4)
    #expect(parts.codes.integers() == [-8, 7, 3, -1, 2])
  }

  @Test func twoBitsLieLowFirst() throws {
    let scheme = try QuantizationScheme(.unsigned(bits: 2), .perTensor, .affine)
    let tensor = try QuantizedTensor(
      codes: Tensor([UInt8(0), 1, 2, 3, 3], shape: [5]), scheme: scheme,
      parameters: QuantizationParameters(scale: 1, zeroPoint: 0))
    let parts = try PackedLayout.onnx.packed(tensor)
    #expect(parts.codes.withUnsafeBytes { Array($0) } == [0xE4, 0x03])
  }

  @Test func matMulNBitsFillsUpBlocksAndZeroPoints() throws {
    let shape: Shape = [1, 33]
    let scheme = try QuantizationScheme(.uint4, .perGroup(size: 16, axis: 1), .affine)
    let codes = Tensor((0..<33).map { UInt8($0 % 16) }, shape: shape)
    let tensor = try QuantizedTensor(
      codes: codes, scheme: scheme,
      parameters: QuantizationParameters(
        scales: [1, 2, 3], zeroPoints: [1, 2, 3], shape: [1, 3]))
    let parts = try PackedLayout.matMulNBits.packed(tensor)
    #expect(parts.codes.shape == [1, 3, 8])
    let block: [UInt8] = [0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE]
    #expect(parts.codes.elements(of: UInt8.self) == block + block + [UInt8](repeating: 0, count: 8))
    #expect(parts.zeroPoints?.elements(of: UInt8.self) == [0x21, 0x03])
  }

  @Test func matMulNBitsMovesSignedCodesUp() throws {
    let shape: Shape = [1, 16]
    let scheme = try QuantizationScheme(.int4, .perGroup(size: 16, axis: 1), .symmetric)
    let tensor = try QuantizedTensor(
      codes: Tensor((0..<16).map { Int8($0 - 8) }, shape: shape), scheme: scheme,
      parameters: QuantizationParameters(scales: [1], zeroPoints: [0], shape: [1, 1]))
    let parts = try PackedLayout.matMulNBits.packed(tensor)
    #expect(
      parts.codes.elements(of: UInt8.self) == [0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE])
    #expect(parts.zeroPoints == nil)
  }

  @Test func saysWhatItCanNotHold() throws {
    let group8 = try QuantizationScheme(.int4, .perGroup(size: 8, axis: 1), .symmetric)
    #expect {
      try PackedLayout.matMulNBits.requireHolds(group8, [4, 16])
    } throws: {
      "\($0)" == "matMulNBits: MatMulNBits can't hold int4 symmetric perGroup(8, axis: 1); needs "
        + "integers of 2, 4 or 8 bits in groups of 16, 32, 64, 128 or 256"
    }
    let power = try QuantizationScheme(.powerOfTwo(bits: 4), .perTensor, .symmetric)
    #expect {
      try PackedLayout.onnx.requireHolds(power, [4])
    } throws: { "\($0)" == "onnx: ONNX has no type for pow2_4; use integer codes" }
    let block = try QuantizationScheme(.int8, .perBlock(rows: 2, columns: 2), .symmetric)
    #expect {
      try PackedLayout.onnx.requireHolds(block, [4, 4])
    } throws: {
      "\($0)" == "onnx: DequantizeLinear can't hold perBlock(2x2); use perTensor, perChannel or "
        + "perGroup"
    }
    let int4 = try Self.tensor(.int4, .perTensor, .symmetric, [4])
    var parts = try PackedLayout.onnx.packed(int4)
    parts.codes = Tensor([Int8(1)])
    #expect {
      try PackedLayout.onnx.unpacked(parts, scheme: int4.scheme, shape: [4])
    } throws: { "\($0)" == "onnx: codes are int8[1]; must be int4[4]" }
  }
}
