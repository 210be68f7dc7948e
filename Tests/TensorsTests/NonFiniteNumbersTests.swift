import Testing

@testable import Tensors

@Suite struct NonFiniteNumbersTests {
  @Test func countsInEveryFloatType() {
    let numbers: [Double] = [0, -0.0, 1, .nan, -.infinity, 65504, .infinity, -1e-40]
    let tensors = [
      Tensor(numbers), Tensor(numbers.map { Float($0) }),
      // The upper half of a float32 is a bfloat16 of the same kind.
      Tensor(numbers.map { UInt16(truncatingIfNeeded: Float($0).bitPattern >> 16) })
        .reinterpreted(as: .bfloat16),
      Tensor([0, 0x8000, 0x3C00, 0x7E01, 0xFC00, 0x7BFF, 0x7C00, 0x8001] as [UInt16])
        .reinterpreted(as: .float16),
    ]
    for tensor in tensors {
      let found = tensor.nonFiniteNumbers()
      #expect(found == NonFiniteNumbers(nanCount: 1, infinityCount: 2, first: 3, firstNaN: 3))
      #expect(tensor.rows(4..<8).nonFiniteNumbers() == NonFiniteNumbers(infinityCount: 2, first: 0))
      #expect(found.summary == "1 NaN, 2 infinite")
    }
  }

  @Test func noneInOtherTypes() {
    #expect(Tensor([Int32(-1), 0x7F80_0000]).nonFiniteNumbers() == NonFiniteNumbers())
    #expect(Tensor([Float]()).nonFiniteNumbers().summary.isEmpty)
  }

  @Test func indicesOfOffsets() {
    let tensor = Tensor.zeros([2, 3, 4], .float32)
    #expect((0..<24).map { tensor.index(ofElementAt: $0) }[17] == [1, 1, 1])
    #expect(Tensor(scalar: Float(1)).index(ofElementAt: 0) == [])
  }
}
