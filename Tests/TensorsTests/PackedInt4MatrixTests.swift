import Tensors
import Testing

@Suite struct PackedInt4MatrixTests {
  /// Three inputs, forty outputs: output j has the codes j, j + 1, j + 2 (modulo 16) and the scale 1 + j.
  private func matrix(zeroPoints: [Float]?, in memory: WeightMemory? = nil) -> PackedInt4Matrix {
    PackedInt4Matrix(
      rows: 3, columns: 40, groupSize: 32, scales: (0..<40).map { Float(1 + $0) },
      zeroPoints: zeroPoints, in: memory
    ) { column, codes in
      for row in 0..<3 { codes[row] = UInt8((column + row) % 16) }
    }
  }

  private func expected(_ a: [Float], zeroPoint: (Int) -> Float, bias: [Float]) -> [Float] {
    (0..<40).map { j in
      let sum = (0..<3).reduce(Float(0)) { $0 + a[$1] * (Float((j + $1) % 16) - zeroPoint(j)) }
      return min(sum * Float(1 + j) + bias[j], 2000)
    }
  }

  @Test func multipliesFloats() {
    let a: [Float] = [1, -2, 4, 0.5, 0, 8]
    let bias = (0..<40).map { Float($0) / 2 }
    let memory = WeightMemory()
    for zeroPoints in [nil, (0..<40).map { Float($0 % 7) + 0.5 }] {
      let weights = matrix(zeroPoints: zeroPoints, in: memory)
      #expect(weights.hasZeroPoints == (zeroPoints != nil))
      // Two panels of a group: scales, zero points, one word of codes for each column.
      #expect(weights.byteCount == 2 * 32 * 4 * (zeroPoints == nil ? 2 : 3))
      var y = [Float](repeating: 0, count: 2 * 41)
      Kernels.multiply(
        a, stride: 3, rows: 2, weights, bias: bias, clamp: (-Float.infinity)...2000, into: &y,
        stride: 41)
      for row in 0..<2 {
        let numbers = Array(a[(row * 3)..<(row * 3 + 3)])
        let wanted = expected(numbers, zeroPoint: { zeroPoints?[$0] ?? 8 }, bias: bias)
        #expect(Array(y[(row * 41)..<(row * 41 + 40)]) == wanted)
      }
      #expect(y[40] == 0)
    }
  }

  @Test func multipliesRoundedRows() {
    // The scale is 1 and then 2: 63.6 becomes 64, 100 becomes 50.
    let a: [Float] = [127, 63.6, -1, 254, 100, 0]
    let weights = matrix(zeroPoints: nil)
    let byteCount = Kernels.RoundedRows.byteCount(rows: 2, length: 3, blockSize: 32)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
    defer { memory.deallocate() }
    var y = [Float](repeating: 0, count: 80)
    Kernels.multiply(
      a, stride: 3, rows: 2, weights,
      rounded: .init(memory, rows: 2, length: 3, blockSize: 32), into: &y, stride: 40)
    let none = [Float](repeating: 0, count: 40)
    let first = expected([127, 64, -1], zeroPoint: { _ in 8 }, bias: none)
    let second = expected([254, 100, 0], zeroPoint: { _ in 8 }, bias: none)
    #expect(zip(y, first + second).allSatisfy { min($0, 2000) == $1 })
  }
}
