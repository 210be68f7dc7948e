import Execution
import Graphs
import Tensors
import Testing

@Suite struct CastTests {
  private func cast(
    _ x: Tensor, _ type: ElementType, _ more: [String: AttributeValue] = [:]
  ) throws -> Tensor {
    let attributes = more.merging(["to": .int(type.onnxCode)]) { $1 }
    return try applySingle("Cast", [x], attributes, opset: 25)
  }

  private static let whole: [ElementType] = [
    .int8, .uint8, .int16, .uint16, .int32, .uint32, .int64, .uint64, .float32, .float64, .float16,
    .bfloat16, .bool, .int4, .uint4, .int2, .uint2,
  ]

  @Test(arguments: whole) func zeroAndOneAreTheSameInAllTypes(_ type: ElementType) throws {
    let x = Tensor([Float(0), 1, 1])
    let there = try cast(x, type)
    #expect(there.elementType == type)
    #expect(try cast(there, .float32).isIdentical(to: x))
  }

  @Test(arguments: [ElementType.float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz])
  func everyEightBitFloatStaysItself(_ type: ElementType) throws {
    let codes = Tensor((0...255).map { UInt8($0) }).reinterpreted(as: type)
    let numbers = try cast(codes, .float32)
    let back = try cast(numbers, type, ["saturate": .int(0)])
    let values = numbers.elements(of: Float.self)
    let (a, b) = (
      codes.reinterpreted(as: .uint8).elements(of: UInt8.self),
      back.reinterpreted(as: .uint8).elements(of: UInt8.self)
    )
    for code in 0...255 where !values[code].isNaN { #expect(a[code] == b[code]) }
    #expect(values.contains { $0.isNaN })
  }

  @Test(arguments: [
    (ElementType.float8e4m3fn, Float(448)), (.float8e4m3fnuz, 240), (.float8e5m2, 57344),
    (.float8e5m2fnuz, 57344), (.float4e2m1, 6),
  ])
  func smallFloatsStopAtTheirRange(_ type: ElementType, _ greatest: Float) throws {
    let x = Tensor([greatest * 2, -greatest * 2, .infinity, greatest])
    let y = try cast(try cast(x, type), .float32)
    #expect(y.elements(of: Float.self) == [greatest, -greatest, greatest, greatest])
  }

  @Test func roundsSmallFloatsToEven() throws {
    // Between 1 and 1.125, the neighbours of float8e4m3fn, 1.0625 is a tie; so is 1.1875 between 1.125 and 1.25.
    let y = try cast(
      try cast(Tensor([Float(1.0625), 1.1875, 0x1p-10, 0x1.8p-9]), .float8e4m3fn), .float32)
    #expect(y.elements(of: Float.self) == [1, 1.25, 0, 0x1p-8])
  }

  @Test func integersLoseHigherBits() throws {
    let y = try cast(Tensor([Int16(200), -300, 127]), .int8)
    #expect(y.elements(of: Int8.self) == [-56, -44, 127])
    #expect(try cast(Tensor([Int8(-1), 8, 7]), .int4).integers() == [-1, -8, 7])
    #expect(try cast(Tensor([UInt64.max]), .float32).elements(of: Float.self) == [0x1p64])
  }

  @Test func floatsLoseTheirFraction() throws {
    let x = Tensor([Float(2.9), -2.9, 1e20, .nan, -1e20])
    #expect(
      try cast(x, .int64).elements(of: Int64.self) == [2, -2, Int64.max, 0, Int64.min])
    #expect(try cast(x, .uint8).elements(of: UInt8.self) == [2, 0, 255, 0, 0])
  }

  @Test func truth() throws {
    let y = try cast(Tensor([Float(0), -0.0, .nan, .leastNonzeroMagnitude]), .bool)
    #expect(y.elements(of: Bool.self) == [false, false, true, true])
  }

  @Test func doubleToHalfIsRoundedOnce() throws {
    // Just above the tie between 1 and the next half, by less than float32 can say.
    let x = Tensor([1 + 0x1p-11 + 0x1p-40])
    let half = try cast(x, .float16)
    #expect(try cast(half, .float32).elements(of: Float.self) == [1 + 0x1p-10])
  }

  @Test func powersOfTwo() throws {
    let x = Tensor([Float(1), 3, 0.75, 5])
    let up = try cast(try cast(x, .float8e8m0), .float32)
    #expect(up.elements(of: Float.self) == [1, 4, 1, 8])
    let down = try cast(
      try cast(x, .float8e8m0, ["round_mode": .string("down")]), .float32)
    #expect(down.elements(of: Float.self) == [1, 2, 0.5, 4])
  }

  @Test func castLikeTakesTheOthersType() throws {
    let y = try applySingle("CastLike", [Tensor([Float(1.5)]), Tensor([Int32(0), 0])])
    #expect(y.elements(of: Int32.self) == [1])
  }
}
