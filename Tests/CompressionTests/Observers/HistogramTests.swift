import Tensors
import Testing

@testable import Compression

@Suite struct HistogramTests {
  static func random(_ count: Int, seed: UInt64 = 3) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { index in
      index % 7 == 0 ? 0 : Float(generator.normal() * exp2Table[index % exp2Table.count])
    }
  }
  private static let exp2Table: [Double] = [1e-30, 1e-3, 0.1, 1, 3, 1000, 1e20]

  static func histogram(_ values: [Float], bins: Int = 4096) -> Histogram {
    var histogram = Histogram(binsPerSide: bins)
    add(values[...], to: &histogram)
    return histogram
  }

  static func add(_ values: ArraySlice<Float>, to histogram: inout Histogram) {
    let maxAbs = values.map { abs($0) }.max() ?? 0
    values.withUnsafeBufferPointer { histogram.add($0, maxAbs: maxAbs) }
  }

  @Test func countsEveryNumberInItsBin() {
    let values: [Float] = [0, 0.1, 0.25, 0.26, -0.1, -0.25, -0.26, 0.99, -0.99, -0.0]
    let histogram = Self.histogram(values, bins: 4)
    #expect(histogram.binWidth == 0.25)
    #expect(histogram.zeroCount == 2)
    #expect(histogram.counts == [1, 0, 2, 1, 1, 2, 0, 1])
    #expect((0...8).map(histogram.edge) == [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1])
    #expect(histogram.occupied == 0..<8)
    #expect(histogram.count == values.count)
  }

  @Test func aNumberAtAPowerOfTwoHasABin() {
    let histogram = Self.histogram([1, -1], bins: 4)
    #expect(histogram.counts == [0, 1, 0, 0, 0, 0, 1, 0])
    #expect(histogram.binWidth == 0.5)
  }

  @Test(arguments: [1, 2, 3, 10, 1000])
  func doesNotDependOnBatchesOrOrder(_ batches: Int) throws {
    let values = Self.random(20_000)
    let whole = Self.histogram(values)
    #expect(whole.count == values.count)
    let size = (values.count + batches - 1) / batches
    let slices = stride(from: 0, to: values.count, by: size).map {
      values[$0..<min($0 + size, values.count)]
    }
    var forwards = Histogram()
    for slice in slices { Self.add(slice, to: &forwards) }
    var backwards = Histogram()
    for slice in slices.reversed() { Self.add(slice, to: &backwards) }
    var merged = Histogram()
    for slice in slices { merged.merge(Self.histogram(Array(slice))) }
    #expect(forwards == whole)
    #expect(backwards == whole)
    #expect(merged == whole)
  }

  @Test func largeBatchesAreCountedInParts() {
    let values = Self.random(3_000_000)
    var parts = Histogram()
    for start in stride(from: 0, to: values.count, by: 500_000) {
      Self.add(values[start..<(start + 500_000)], to: &parts)
    }
    #expect(Self.histogram(values) == parts)
  }

  @Test func nothingAndZeros() {
    #expect(Histogram().occupied.isEmpty)
    let zeros = Self.histogram([0, 0, -0.0])
    #expect(zeros.zeroCount == 3 && zeros.occupied.isEmpty && zeros.binWidth == 0)
    var merged = Self.histogram([5])
    merged.merge(zeros)
    #expect(merged.zeroCount == 3 && merged.count == 4)
  }

  @Test func extremesFindABin() {
    let greatest = Float.greatestFiniteMagnitude
    let histogram = Self.histogram([greatest, -greatest, .leastNonzeroMagnitude])
    #expect(histogram.count == 3)
    #expect(histogram.counts.first == 1 && histogram.counts.last == 1)
    let tiny = Self.histogram([.leastNonzeroMagnitude, -.leastNormalMagnitude])
    #expect(tiny.count == 2 && tiny.zeroCount == 0)
  }
}
