import NumberFormats
import Tensors
import Testing

@Suite struct RoundingRuleTests {
  static let scales: [Float] = [1, 0.1, 0.0737, 3e-5, 1e20, 1e-38]

  @Test(arguments: CodeType.all.filter { $0.bitWidth <= 8 })
  func everyCodeSurvivesDecodingAndEncoding(_ code: CodeType) throws {
    for mapping in Mapping.all {
      guard let scheme = try? QuantizationScheme(code, .perTensor, mapping) else { continue }
      let zeroPoints = scheme.fixedZeroPoint.map { $0...$0 } ?? code.codes
      for scale in Self.scales where code.isLinear || scale > 1e-3 || code.bitWidth < 8 {
        for zeroPoint in zeroPoints {
          for number in scheme.codes {
            let value = scheme.value(of: number, scale: scale, zeroPoint: zeroPoint)
            guard value.isFinite else { continue }
            let again = scheme.code(of: value, scale: scale, zeroPoint: zeroPoint)
            let vanished = value == 0 && number != zeroPoint
            if again != number && !vanished {
              Issue.record(
                "\(scheme), scale \(scale), zero point \(zeroPoint): \(number) → \(again)")
            }
          }
        }
      }
    }
  }

  @Test(
    arguments: [
      (0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (-2.5, -2), (126.5, 126), (127.5, 127),
      (-127.5, -128), (-128.5, -128), (1e30, 127), (-1e30, -128),
    ] as [(Float, Int32)])
  func tiesGoToEven(_ x: Float, _ code: Int32) throws {
    let scheme = try QuantizationScheme(.int8, .perTensor, .affine)
    #expect(scheme.code(of: x, scale: 1, zeroPoint: 0) == code)
  }

  @Test func zeroPointIsAddedAfterRounding() throws {
    let scheme = try QuantizationScheme(.uint8, .perTensor, .affine)
    // Added before, 0.5 + 1 would become 2.
    #expect(scheme.code(of: 0.5, scale: 1, zeroPoint: 1) == 1)
    #expect(scheme.code(of: -0.5, scale: 1, zeroPoint: 1) == 1)
    #expect(scheme.code(of: 1.5, scale: 1, zeroPoint: 1) == 3)
  }

  @Test func dividesAndDoesNotMultiplyByTheReciprocal() throws {
    let scheme = try QuantizationScheme(.int8, .perTensor, .affine)
    let scale: Float = 0.0737
    var differing: [Float] = []
    for tie in -120..<120 {
      let middle = (Float(tie) + 0.5) * scale
      for x in [middle.nextDown, middle, middle.nextUp] {
        let divided = Int32((x / scale).rounded(.toNearestOrEven))
        #expect(scheme.code(of: x, scale: scale, zeroPoint: 0) == divided)
        if divided != Int32((x * (1 / scale)).rounded(.toNearestOrEven)) { differing.append(x) }
      }
    }
    #expect(!differing.isEmpty)
    let tensor = Tensor(differing)
    let codes = try QuantizedTensor(
      quantizing: tensor, scheme: scheme,
      parameters: QuantizationParameters(scale: scale, zeroPoint: 0)
    ).codes
    #expect(
      codes.integers() == differing.map { Int(($0 / scale).rounded(.toNearestOrEven)) })
  }

  @Test func infinitiesSaturateAndNaNIsTheLowest() throws {
    let scheme = try QuantizationScheme(.int8, .perTensor, .symmetric)
    #expect(scheme.code(of: .infinity, scale: 1, zeroPoint: 0) == 127)
    #expect(scheme.code(of: -.infinity, scale: 1, zeroPoint: 0) == -127)
    #expect(scheme.code(of: .nan, scale: 1, zeroPoint: 0) == -127)
  }

  @Test func codesOfSixteenBitsAreExact() throws {
    let scheme = try QuantizationScheme(.uint16, .perTensor, .affine)
    for code in Int32(0)...65535 where code % 97 == 0 || code > 65500 {
      for zeroPoint: Int32 in [0, 1, 32768, 65535] {
        let value = scheme.value(of: code, scale: 0.0313, zeroPoint: zeroPoint)
        #expect(scheme.code(of: value, scale: 0.0313, zeroPoint: zeroPoint) == code)
      }
    }
  }

  @Test(
    arguments: [
      (1, 7), (0.5, 6), (0.25, 5), (1.0 / 64, 1), (1.0 / 128, 0), (0.75, 6), (0.7500001, 7),
      (0.375, 6), (0.374, 5), (0.0079, 1), (3, 7), (-0.5, -6), (-9, -7), (0, 0),
    ] as [(Float, Int32)])
  func powersOfTwoByHand(_ x: Float, _ code: Int32) throws {
    let scheme = try QuantizationScheme(.powerOfTwo(bits: 4), .perTensor, .symmetric)
    #expect(scheme.code(of: x, scale: 1, zeroPoint: 0) == code)
    #expect(scheme.code(of: 3 * x, scale: 3, zeroPoint: 0) == code)
  }

  @Test(arguments: CodeType.all.filter { !$0.isLinear })
  func powersOfTwoAscendAndAreNearest(_ code: CodeType) throws {
    let scheme = try QuantizationScheme(code, .perTensor, .symmetric)
    let values = scheme.codes.map { scheme.value(of: $0, scale: 1, zeroPoint: 0) }
    #expect(zip(values, values.dropFirst()).allSatisfy { $0 < $1 })
    #expect(values.last == 1 && values[values.count / 2] == 0)
    for step in -600...600 {
      let x = Float(step) / 500
      let nearest = values.map { abs($0 - x) }.min() ?? 0
      let code = scheme.code(of: x, scale: 1, zeroPoint: 0)
      #expect(abs(scheme.value(of: code, scale: 1, zeroPoint: 0) - x) == nearest)
    }
  }
}
