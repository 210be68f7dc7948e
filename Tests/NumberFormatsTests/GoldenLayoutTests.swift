import Datasets
import NumberFormats
import Tensors
import Testing
import _TestSupport

/// Bytes that ONNX Runtime packed, or read as we expect.
@Suite struct GoldenLayoutTests {
  static func arrays(_ name: String) throws -> [String: Tensor] {
    try NumPyArchive(contentsOf: TestSupport.fixture("onnx/\(name).npz")).arrays
  }

  /// Fixtures of MatMulNBits without their variants that only differ in how they run.
  static let matMulNBits = [
    "mmnbits_b2_bs32_sym", "mmnbits_b2_bs32_zp", "mmnbits_b4_bs128_sym", "mmnbits_b4_bs16_zp",
    "mmnbits_b4_bs32_Kpad", "mmnbits_b4_bs32_Kpad_garbage", "mmnbits_b4_bs32_bias",
    "mmnbits_b4_bs32_fp16", "mmnbits_b4_bs32_sym", "mmnbits_b4_bs32_zp",
    "mmnbits_b4_bs32_zp_oddblocks", "mmnbits_b8_bs32_sym", "mmnbits_b8_bs32_zp",
  ]

  @Test(arguments: matMulNBits) func packsAsONNXRuntimeReads(_ name: String) throws {
    let arrays = try Self.arrays(name)
    let (q, scales) = (try #require(arrays["q"]), try #require(arrays["scales"]))
    let (packed, expected) = (try #require(arrays["B"]), try #require(arrays["Wdeq"]))
    let zeroPoints = try #require(arrays["zp"])
    let (outputs, blocks, size) = (q.shape[0], q.shape[1], q.shape[2])
    let inputs = expected.shape[1]
    let bits = packed.shape[2] * 8 / size
    let scheme = try QuantizationScheme(
      .unsigned(bits: BitWidth(integerLiteral: bits)), .perGroup(size: size, axis: 1), .affine,
      scaleType: scales.elementType == .float16 ? .float16 : .float32)
    let padded = q.elements(of: UInt8.self)
    let codes = (0..<outputs).flatMap {
      padded[($0 * blocks * size)..<($0 * blocks * size + inputs)]
    }
    let tensor = try QuantizedTensor(
      codes: Tensor(codes, shape: [outputs, inputs]), scheme: scheme,
      parameters: QuantizationParameters(scales: scales, zeroPoints: zeroPoints))
    #expect(tensor.dequantized().isIdentical(to: expected))

    let parts = try PackedLayout.matMulNBits.packed(tensor)
    // What lies beyond the last input means nothing; others fill it with the zero point or anything.
    let (meant, rowBytes) = (inputs * bits / 8, blocks * size * bits / 8)
    for row in 0..<outputs {
      let bytes = (row * rowBytes)..<(row * rowBytes + meant)
      #expect(parts.codes.elements[bytes] == packed.elements[bytes])
    }
    #expect(parts.scales.elements == scales.elements)
    let areMiddle = zeroPoints.integers().allSatisfy { $0 == 1 << (bits - 1) }
    #expect((parts.zeroPoints == nil) == areMiddle)
    let again = try PackedLayout.matMulNBits.unpacked(
      .init(codes: packed, scales: scales, zeroPoints: parts.zeroPoints), scheme: scheme,
      shape: [outputs, inputs])
    #expect(again.codes.isIdentical(to: tensor.codes))
    #expect(again.dequantized().isIdentical(to: expected))
  }

  @Test(arguments: ["dq_block_int4", "dq_block_uint4"])
  func quantizesBlocksAsTheScriptDid(_ name: String) throws {
    let arrays = try Self.arrays(name)
    let (weight, expected) = (try #require(arrays["W"]), try #require(arrays["Wdeq"]))
    let (scales, zeroPoints) = (try #require(arrays["s"]), try #require(arrays["z"]))
    let isSigned = name.hasSuffix("_int4")
    let scheme = try QuantizationScheme(
      isSigned ? .int4 : .uint4, .perGroup(size: 32, axis: 0), isSigned ? .symmetric : .affine)
    let quantized = try QuantizedTensor(quantizing: weight, scheme: scheme)
    #expect(quantized.parameters.scales == scales.elements(of: Float.self))
    #expect(quantized.parameters.zeroPoints.map { Int($0) } == zeroPoints.integers())
    #expect(quantized.codes.integers() == arrays["q"]?.integers())
    #expect(quantized.dequantized().isIdentical(to: expected))
  }
}

extension Tensor {
  fileprivate var elements: [UInt8] { withUnsafeBytes { Array($0) } }
}
