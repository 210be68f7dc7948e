import NumberFormats
import Tensors
import Testing

@Suite struct ParametersTests {
  static func schemes(scaleType: ScaleType = .float32) -> [QuantizationScheme] {
    CodeType.all.flatMap { code in
      Mapping.all.compactMap {
        try? QuantizationScheme(code, .perTensor, $0, scaleType: scaleType)
      }
    }
  }

  static let tiny = Float.leastNonzeroMagnitude
  static let ranges: [ValueRange] = [
    ValueRange(-1, 1), ValueRange(0, 5), ValueRange(-3, 0), ValueRange(-0.1, 7.3),
    ValueRange(2, 9), ValueRange(-9, -2), ValueRange(-1e-20, 1e20), ValueRange(-1e-30, 3e-30),
    ValueRange(0, tiny), ValueRange(-tiny, 3 * tiny), ValueRange(0, 200 * tiny),
    ValueRange(-165 * tiny, 0), ValueRange(0, .leastNormalMagnitude),
  ]

  @Test func rangesNeverLeaveOutZero() {
    #expect(ValueRange(2, 9).min == 0)
    #expect(ValueRange(-9, -2).max == 0)
    #expect(ValueRange(5, -1) == ValueRange(-1, 5))
    #expect(ValueRange(-0.0, -0.0).min.sign == .plus)
    #expect(ValueRange(-3, 2).maxAbs == 3)
    #expect(ValueRange(-3, 2).union(ValueRange(1, 4)) == ValueRange(-3, 4))
  }

  @Test(
    arguments: [
      (CodeType.int8, Mapping.symmetric, ValueRange(-1.27, 0.5), Float(1.27) / 127, 0),
      (.int8, .symmetric(fullRange: true), ValueRange(-3, 2), Float(3) / 127.5, 0),
      (.int4, .symmetric(fullRange: true), ValueRange(-3, 3.75), 0.5, 0),
      (.uint8, .symmetric, ValueRange(-254, 3), 2, 128),
      (.uint8, .affine, ValueRange(-1, 4.1), Float(Double(Float(4.1)) + 1) / 255, 50),
      (.uint8, .affine, ValueRange(0, 510), 2, 0),
      (.int8, .affine, ValueRange(0, 510), 2, -128),
      (.uint8, .affine, ValueRange(-510, 0), 2, 255),
      // min / scale = −0.5 and −1.5: to even.
      (.uint8, .affine, ValueRange(-0.5, 254.5), 1, 0),
      (.uint8, .affine, ValueRange(-1.5, 253.5), 1, 2),
      (.unsigned(bits: 1), .affine, ValueRange(-1, 3), 4, 0),
      (.powerOfTwo(bits: 4), .symmetric, ValueRange(-3, 2), 3, 0),
    ] as [(CodeType, Mapping, ValueRange, Float, Int32)])
  func handComputed(
    _ code: CodeType, _ mapping: Mapping, _ range: ValueRange, _ scale: Float, _ zeroPoint: Int32
  ) throws {
    let found = try QuantizationScheme(code, .perTensor, mapping).parameters(for: range)
    #expect(found.scale == scale)
    #expect(found.zeroPoint == zeroPoint)
  }

  @Test func allZeroGetsScaleOneAndZeroStaysExact() throws {
    for scheme in Self.schemes() {
      let (scale, zeroPoint) = try scheme.parameters(for: ValueRange(0, 0))
      #expect(scale == 1)
      #expect(scheme.code(of: 0, scale: scale, zeroPoint: zeroPoint) == zeroPoint)
    }
  }

  @Test(arguments: ranges) func zeroIsExactAndErrorsAreAtMostHalfAStep(_ range: ValueRange) throws {
    for scheme in Self.schemes() where scheme.code.isLinear {
      let (scale, zeroPoint) = try scheme.parameters(for: range)
      #expect(scale > 0 && scheme.code.codes.contains(zeroPoint), "\(scheme)")
      let zero = scheme.code(of: 0, scale: scale, zeroPoint: zeroPoint)
      #expect(scheme.value(of: zero, scale: scale, zeroPoint: zeroPoint) == 0)
      for step in 0...512 {
        let x = Float(
          Double(range.min) + (Double(range.max) - Double(range.min)) * Double(step) / 512)
        let code = scheme.code(of: x, scale: scale, zeroPoint: zeroPoint)
        #expect(scheme.codes.contains(code))
        let error = abs(
          Double(x) - Double(scheme.value(of: code, scale: scale, zeroPoint: zeroPoint)))
        let rounding = Double(range.maxAbs) * 0x1p-22
        #expect(
          error <= Double(scale) / 2 + rounding, "\(scheme): \(x) in \(range), error \(error)")
      }
    }
  }

  @Test func denormalRangesThatStepsCanExpressAreExact() throws {
    let scheme = try QuantizationScheme(.int8, .perTensor, .symmetric)
    let (scale, _) = try scheme.parameters(for: ValueRange(-63 * Self.tiny, 0))
    #expect(scale == Self.tiny)
    #expect(scheme.code(of: -63 * Self.tiny, scale: scale, zeroPoint: 0) == -63)
    // 165 / 127 rounds to one least step, which would clip: two are taken.
    #expect(try scheme.parameters(for: ValueRange(0, 165 * Self.tiny)).scale == 2 * Self.tiny)
  }

  @Test func greatestNumbersStayFinite() throws {
    let greatest = Float.greatestFiniteMagnitude
    // A full range's lowest code lies half a step beyond the range, which is then refused.
    for scheme in Self.schemes() where scheme.mapping != .symmetric(fullRange: true) {
      for range in [ValueRange(0, greatest), ValueRange(-greatest, 0), ValueRange(-greatest, 1)] {
        let (scale, zeroPoint) = try scheme.parameters(for: range)
        for code in [scheme.codes.lowerBound, scheme.codes.upperBound] {
          #expect(
            scheme.value(of: code, scale: scale, zeroPoint: zeroPoint).isFinite,
            "\(scheme) \(range)")
        }
      }
    }
  }

  @Test func refusesWhatWouldBeInfinite() throws {
    let affine = try QuantizationScheme(.unsigned(bits: 1), .perTensor, .affine)
    let greatest = Float.greatestFiniteMagnitude
    #expect {
      try affine.parameters(for: ValueRange(-greatest, greatest))
    } throws: {
      "\($0)" == "the range -3.4028235e+38 … 3.4028235e+38 is too wide for uint1 affine perTensor: "
        + "a scale or a code's value would be infinite; clip the range, use float32 scales or keep "
        + "the tensor in float"
    }
    let half = try QuantizationScheme(.int8, .perTensor, .symmetric, scaleType: .float16)
    #expect(throws: NumberFormatError.self) { try half.parameters(for: ValueRange(0, 1e9)) }
  }

  @Test func scalesOfFloat16AreRoundedUpWhereTheRangeWouldBeClipped() throws {
    for scheme in Self.schemes(scaleType: .float16) where scheme.code.isLinear {
      for maxAbs: Float in [1, 0.3, 7.77, 1000.5, 1e-9] {
        let (scale, zeroPoint) = try scheme.parameters(for: ValueRange(-maxAbs, maxAbs))
        #expect(Float(Float16(scale)) == scale)
        let ends = [-maxAbs, maxAbs].map { x in
          let code = scheme.code(of: x, scale: scale, zeroPoint: zeroPoint)
          return abs(x - scheme.value(of: code, scale: scale, zeroPoint: zeroPoint))
        }
        #expect(ends.allSatisfy { $0 <= scale / 2 * 1.0001 }, "\(scheme) \(maxAbs)")
      }
    }
  }

  @Test func parametersReadTensors() throws {
    let scales = Tensor([Float(0.5), 2], shape: [2])
    let read = try QuantizationParameters(scales: scales, zeroPoints: Tensor([UInt8(3), 4]))
    #expect(read.scales == [0.5, 2] && read.zeroPoints == [3, 4] && read.shape == [2])
    #expect(try QuantizationParameters(scales: scales, zeroPoints: nil).zeroPoints == [0, 0])
    let again = try QuantizationParameters(
      scales: read.scaleTensor(.float16), zeroPoints: read.zeroPointTensor(.uint4))
    #expect(again == read)
    #expect {
      try read.zeroPointTensor(.int2)
    } throws: { "\($0)" == "zero point 3 does not fit int2, which holds -2...1" }
    #expect {
      try QuantizationParameters(scales: Tensor([Float.nan]), zeroPoints: nil)
    } throws: { "\($0)" == "scale 0 is nan; must be finite and not 0" }
    #expect {
      try QuantizationParameters(scales: scales, zeroPoints: Tensor([UInt8(3)]))
    } throws: {
      "\($0)" == "zero points are uint8[1]; must be integers, one for each of float32[2]"
    }
  }
}
