import NumberFormats
import Tensors
import Testing

@Suite struct CodeTypeTests {
  @Test(arguments: CodeType.all) func nameRoundTrips(_ code: CodeType) throws {
    #expect(try CodeType(name: code.description) == code)
  }

  @Test(arguments: CodeType.all) func rangeFitsBitsAndStorage(_ code: CodeType) throws {
    #expect(code.codes.count <= 1 << code.bitWidth)
    #expect(code.codes.count >= (1 << code.bitWidth) - 1)
    let storage = try #require(code.storageType.integerRange)
    #expect(storage.contains(Int(code.quantMin)) && storage.contains(Int(code.quantMax)))
    #expect(code.codes.contains(code.symmetricZeroPoint))
    if let onnx = code.onnxType?.integerRange {
      #expect(onnx.contains(Int(code.quantMin)) && onnx.contains(Int(code.quantMax)))
    }
  }

  @Test(
    arguments: [
      (CodeType.int8, -128, 127), (.uint8, 0, 255), (.int4, -8, 7), (.uint4, 0, 15),
      (.signed(bits: 1), -1, 0), (.unsigned(bits: 1), 0, 1), (.int16, -32768, 32767),
      (.uint16, 0, 65535), (.powerOfTwo(bits: 4), -7, 7), (.powerOfTwo(bits: 8), -127, 127),
    ] as [(CodeType, Int32, Int32)])
  func limits(_ code: CodeType, _ low: Int32, _ high: Int32) {
    #expect(code.quantMin == low && code.quantMax == high)
  }

  @Test(
    arguments: [
      (CodeType.signed(bits: 3), ElementType.int4), (.unsigned(bits: 2), .uint2),
      (.unsigned(bits: 1), .uint2), (.signed(bits: 7), .int8), (.int16, .int16), (.int4, .int4),
    ] as [(CodeType, ElementType)])
  func onnxTypes(_ code: CodeType, _ type: ElementType) {
    #expect(code.onnxType == type)
  }

  @Test func onlyPowersOfTwoHaveNoONNXType() {
    for code in CodeType.all { #expect((code.onnxType == nil) == !code.isLinear) }
  }

  @Test(arguments: ["int9", "Int8", "uint", "pow2_1", "pow2_16", "float32", ""])
  func refusesOtherNames(_ name: String) {
    #expect {
      try CodeType(name: name)
    } throws: { error in
      "\(error)"
        == "'\(name)' is no code type; must be int1 … int8, int16, uint1 … uint8, uint16 or "
        + "pow2_2 … pow2_8"
    }
  }

  @Test func elementTypesOfIntegersAreCodes() {
    for type in ElementType.allCases {
      let code = CodeType(type)
      #expect((code != nil) == (type.isInteger && type.bitWidth <= 16))
      if let code { #expect(code.onnxType == type) }
    }
  }

  @Test func reducedHasOneBitLess() {
    #expect(CodeType.int8.reduced == .signed(bits: 7))
    #expect(CodeType.uint8.reduced == .unsigned(bits: 7))
    #expect(CodeType.int8.reduced?.storageType == .int8)
    #expect(CodeType.unsigned(bits: 1).reduced == nil)
    #expect(CodeType.int16.reduced == nil)
  }
}
