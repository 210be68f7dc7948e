import NumberFormats
import Tensors
import Testing

@Suite struct QuantizationSchemeTests {
  @Test func presetsHaveUniqueNamesAndNoneWasRefused() {
    let names = QuantizationScheme.all.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.count == 15)
  }

  @Test func illegalCombinationsAreRefused() {
    #expect {
      try QuantizationScheme(.powerOfTwo(bits: 4), .perTensor, .affine)
    } throws: { "\($0)" == "pow2_4 can't be affine; power-of-two codes must be symmetric" }
    #expect {
      try QuantizationScheme(.powerOfTwo(bits: 4), .perTensor, .symmetric(fullRange: true))
    } throws: {
      "\($0)" == "pow2_4 can't be symmetricFullRange; power-of-two codes must be symmetric"
    }
    #expect {
      try QuantizationScheme(.powerOfTwo(bits: 16), .perTensor, .symmetric)
    } throws: { "\($0)" == "pow2_16 has 16 bits; power-of-two codes have 2 to 8" }
    #expect {
      try QuantizationScheme(.unsigned(bits: 1), .perTensor, .symmetric)
    } throws: { "\($0)" == "uint1 can't be symmetric; codes of one bit must be affine" }
    #expect(throws: NumberFormatError.self) {
      try QuantizationScheme(.int8, .perGroup(size: 0, axis: 0), .symmetric)
    }
  }

  @Test(
    arguments: [
      (CodeType.int8, Mapping.symmetric, -127, 127), (.int8, .affine, -128, 127),
      (.int8, .symmetric(fullRange: true), -128, 127), (.uint8, .symmetric, 1, 255),
      (.uint4, .symmetric, 1, 15), (.signed(bits: 7), .symmetric, -63, 63),
      (.signed(bits: 2), .symmetric, -1, 1), (.powerOfTwo(bits: 3), .symmetric, -3, 3),
    ] as [(CodeType, Mapping, Int32, Int32)])
  func codesInUse(_ code: CodeType, _ mapping: Mapping, _ low: Int32, _ high: Int32) throws {
    #expect(try QuantizationScheme(code, .perTensor, mapping).codes == low...high)
  }

  @Test func bitsPerElementCountScalesAndZeroPoints() throws {
    let shape: Shape = [2, 64]
    let symmetric = try QuantizationScheme(.int4, .perGroup(size: 32, axis: 1), .symmetric)
    #expect(try symmetric.bitsPerElement(of: shape) == 5)
    let affine = try QuantizationScheme(
      .uint4, .perGroup(size: 32, axis: 1), .affine, scaleType: .float16)
    #expect(try affine.bitsPerElement(of: shape) == 4 + 20.0 / 32)
  }

  @Test(arguments: ["symmetric", "symmetricFullRange", "affine"])
  func mappingNamesRoundTrip(_ name: String) throws {
    #expect(try Mapping(name: name).description == name)
  }

  @Test func refusesOtherNames() {
    #expect {
      try Mapping(name: "asymmetric")
    } throws: {
      "\($0)" == "'asymmetric' is no mapping; must be one of symmetric, symmetricFullRange, affine"
    }
    #expect {
      try ScaleType(name: "fp16")
    } throws: { "\($0)" == "'fp16' is no scale type; must be one of float32, float16" }
  }
}
