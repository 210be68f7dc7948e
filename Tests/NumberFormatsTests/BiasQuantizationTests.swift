import NumberFormats
import Tensors
import Testing

@Suite struct BiasQuantizationTests {
  @Test func roundsInDoubleToEven() throws {
    let bias = Tensor([Float(0.5), -1.5, 1000.25, 0])
    let (codes, scales) = try BiasQuantization.quantized(
      bias, inputScale: 0.5, weightScales: [2, 2, 1, 0.001])
    #expect(codes.elements(of: Int32.self) == [0, -2, 2000, 0])
    #expect(scales == [1, 1, 0.5, 0.0005])
  }

  @Test func oneScaleServesAll() throws {
    let (codes, scales) = try BiasQuantization.quantized(
      Tensor([Float(1), 2]), inputScale: 0.1, weightScales: [0.1])
    #expect(codes.elements(of: Int32.self) == [100, 200])
    #expect(scales == [Float(0.1) * Float(0.1)])
  }

  @Test func largeCodesAreExact() throws {
    // In float32 the quotient would be a multiple of 32.
    let (codes, _) = try BiasQuantization.quantized(
      Tensor([Float(0x1p30)]), inputScale: 3, weightScales: [1])
    #expect(codes.elements(of: Int32.self) == [357_913_941])
  }

  @Test func saysWhichScaleWouldFit() {
    #expect {
      try BiasQuantization.quantized(
        Tensor([Float(0), 1]), inputScale: 0.5, weightScales: [1, 1e-12])
    } throws: {
      "\($0)"
        == "the bias of output 1 is 1.0, which does not fit int32 at scale 5e-13; the scale of "
        + "its weights must be at least 1.8626451e-09"
    }
    #expect(throws: NumberFormatError.self) {
      try BiasQuantization.quantized(Tensor([Float.nan]), inputScale: 1, weightScales: [1])
    }
  }

  @Test(
    arguments: [1, -3.5, 1e-20, 1e20, .leastNonzeroMagnitude] as [Float], [1, 1e-6, 300] as [Float])
  func leastScaleFits(_ bias: Float, _ inputScale: Float) throws {
    let least = BiasQuantization.leastWeightScale(for: bias, inputScale: inputScale)
    let (codes, _) = try BiasQuantization.quantized(
      Tensor([bias]), inputScale: inputScale, weightScales: [least])
    #expect(abs(codes.integers()[0]) <= 1 << 30 + 64)
  }

  @Test func noBiasNeedsNoScale() {
    #expect(BiasQuantization.leastWeightScale(for: 0, inputScale: 1) == 0)
  }
}
