import Tensors
import Testing

/// That each Swift wrapper reaches its kernel with its arguments in order; the kernels themselves
/// are tested table by table elsewhere.
@Suite struct KernelsWrappersTests {
  @Test func multipliesFloats() {
    let a = Guarded<Float>([1, 2, 3, 4, 5, 6])
    let b: [Float] = [1, 0, 2, 0, 1, 3]
    let bias = Guarded<Float>([10, -20])
    let residual = Guarded<Float>([0.5, 0, 0, 0])
    let weights = PackedFloatMatrix(b, rows: 3, columns: 2, stride: 3, transposed: true)
    var c = [Float](repeating: -1, count: 6)
    Kernels.multiply(
      .dense(a.pointer, stride: 3), rows: 2, weights,
      epilogue: Kernels.FloatEpilogue(
        bias: bias.pointer, residual: residual.pointer, residualStride: 2, clamp: -1...100),
      into: &c, stride: 3)
    // Columns of B are [1, 0, 2] and [0, 1, 3].
    #expect(c == [17.5, -1, -1, 26, 3, -1])
    weights.repack(b, stride: 2, transposed: false)
    Kernels.multiply(.dense(a.pointer, stride: 3), rows: 1, weights, into: &c, stride: 2)
    #expect(Array(c[..<2]) == [8, 9])
    #expect(weights.byteCount == 3 * 32 * 4)
  }

  /// Work is told as it is asked for.
  @Test func peaks() {
    for peak in [Kernels.floatPeak, Kernels.bytePeak] {
      #expect(peak(0) == 0 && peak(1) > 0)
      #expect(peak(30) == 30 * peak(1))
    }
    for count in [0, 1, 15, 16, 17, 1000] {
      let words = (0..<UInt64(count)).map { ($0 &+ 1) &* 0x9E37_79B9_7F4A_7C15 }
      #expect(Kernels.sum(words, count: count) == words.reduce(0, &+))
    }
  }

  @Test func multipliesIndirectFloats() {
    let pixels: [Float] = [1, 2, 3, 4, 5, 6]
    let padding: [Float] = [0, 0]
    let b: [Float] = [1, 1, 10, 100]
    let weights = PackedFloatMatrix(b, rows: 4, columns: 1, stride: 4, transposed: true)
    var c = [Float](repeating: 0, count: 2)
    pixels.withUnsafeBufferPointer { x in
      padding.withUnsafeBufferPointer { zero in
        let first = x.baseAddress!
        let rows = Guarded([zero.baseAddress!, first, first, first + 2])
        Kernels.multiply(
          .indirect(rows.pointer, offset: 2, padding: zero.baseAddress!), rows: 2, taps: 2, weights,
          into: &c, stride: 1)
      }
    }
    #expect(c == [430, 657])
  }

  @Test func multipliesCodes() {
    let a = Guarded<UInt8>([255, 0, 7, 1, 2, 3], margin: Kernels.rowMargin)
    let b: [Int8] = [-128, 1, 2, 127, 0, -1]
    let weights = PackedInt8Matrix(b, inputs: 3, columns: 2, stride: 3, transposed: true)
    #expect(weights.columnSums == [-125, 126])
    #expect(weights.byteCount == 32 * 4)
    let sums = Guarded<Int32>(4)
    Kernels.multiply(
      .dense(a.pointer, stride: 3), rows: 2, weights, output: .int32(sums.pointer, stride: 2))
    #expect(sums.array == [-32626, 32378, -120, 124])
    let bias = Guarded<Int32>([0, 76])
    let multiplier = Guarded<Float>([0.5, 0.25])
    let shift = Guarded<Float>([1, 2])
    let codes = Guarded<UInt8>(4)
    let reals = Guarded<Float>(4)
    Kernels.multiply(
      .dense(a.pointer, stride: 3), rows: 2, weights,
      correction: Kernels.SumCorrection(bias: bias.pointer),
      output: .uint8(
        codes.pointer, stride: 2, multiplier: multiplier.pointer, zeroPoint: 100, clamp: 1...200))
    #expect(codes.array == [1, 200, 40, 150])
    Kernels.multiply(
      .dense(a.pointer, stride: 3), rows: 2, weights,
      output: .float(
        reals.pointer, stride: 2, multiplier: multiplier.pointer, bias: shift.pointer,
        clamp: -59...9000))
    #expect(reals.array == [-59, 8096.5, -59, 33])
  }

  @Test func convolvesDepthwise() {
    let channels = 3
    let pixels: [UInt8] = [1, 2, 3, 4, 5, 6] + [UInt8](repeating: 9, count: Kernels.rowMargin)
    let kernel: [Int8] = [1, 2, 3, 10, 20, 30]
    let weights = PackedDepthwise(kernel, height: 1, width: 2, channels: channels)
    #expect(weights.channelSums == [11, 22, 33])
    let sums = Guarded<Int32>(3)
    pixels.withUnsafeBufferPointer { x in
      let rows = [x.baseAddress!, x.baseAddress! + 3]
      Kernels.depthwise(rows, pixels: 1, weights, output: .int32(sums.pointer, stride: 3))
    }
    #expect(sums.array == [41, 104, 189])
    let reals: [Float] = [1, 2, 3, 4, 5, 6]
    let factors: [Float] = [1, 2, 3, 10, 20, 30]
    let bias: [Float] = [0.5, 0, 0]
    var y = [Float](repeating: 0, count: 3)
    reals.withUnsafeBufferPointer { x in
      let rows = [x.baseAddress!, x.baseAddress! + 3]
      Kernels.depthwise(
        rows, pixels: 1, weights: factors, taps: 2, channels: 3, bias: bias, clamp: 0...150,
        into: &y, stride: 3)
    }
    #expect(y == [41.5, 104, 150])
  }

  @Test func pools() {
    let codes: [UInt8] = [1, 200, 3, 4]
    let reals: [Float] = [1, 200, 3, 4]
    var y = [UInt8](repeating: 0, count: 2)
    var z = [Float](repeating: 0, count: 2)
    codes.withUnsafeBufferPointer { x in
      let rows = [x.baseAddress!, x.baseAddress! + 2]
      Kernels.maxPool(rows, pixels: 1, taps: 2, channels: 2, into: &y, stride: 2)
    }
    reals.withUnsafeBufferPointer { x in
      let rows = [x.baseAddress!, x.baseAddress! + 2]
      Kernels.maxPool(rows, pixels: 1, taps: 2, channels: 2, into: &z, stride: 2)
    }
    #expect(y == [3, 200])
    #expect(z == [3, 200])
    var sums = [Int32](repeating: 0, count: 2)
    var floatSums = z
    Kernels.sumPixels(codes, pixels: 2, channels: 2, stride: 2, into: &sums)
    #expect(sums == [4, 204])
    Kernels.sumRows(codes, rows: 2, count: 2, stride: 2, into: &sums)
    #expect(sums == [201, 7])
    Kernels.sumPixels(reals, pixels: 2, channels: 2, stride: 2, into: &floatSums)
    #expect(floatSums == [4, 204])
  }

  @Test func quantizesAndConverts() {
    let x: [Float] = [-1, 0.5, 0.75, .nan]
    var u8 = [UInt8](repeating: 0, count: 4)
    var s8 = [Int8](repeating: 0, count: 4)
    var u16 = [UInt16](repeating: 0, count: 4)
    var s16 = [Int16](repeating: 0, count: 4)
    var s32 = [Int32](repeating: 0, count: 4)
    var y = [Float](repeating: 0, count: 4)
    Kernels.quantize(x, &u8, count: 4, scale: 0.5, zeroPoint: 3, codes: 0...15)
    #expect(u8 == [1, 4, 5, 0])
    Kernels.dequantize(u8, &y, count: 4, scale: 0.5, zeroPoint: 3)
    #expect(y == [-1, 0.5, 1, -1.5])
    Kernels.quantize(x, &s8, count: 4, scale: 0.5, zeroPoint: 0, codes: -8...7)
    Kernels.dequantize(s8, &y, count: 4, scale: 0.5, zeroPoint: 0)
    #expect(y == [-1, 0.5, 1, -4])
    Kernels.quantize(x, &u16, count: 4, scale: 0.5, zeroPoint: 3, codes: 0...65535)
    Kernels.dequantize(u16, &y, count: 4, scale: 0.5, zeroPoint: 3)
    #expect(y == [-1, 0.5, 1, -1.5])
    Kernels.quantize(x, &s16, count: 4, scale: 0.5, zeroPoint: 0, codes: -9...7)
    Kernels.dequantize(s16, &y, count: 4, scale: 0.5, zeroPoint: 0)
    #expect(y == [-1, 0.5, 1, -4.5])
    Kernels.quantize(x, &s32, count: 4, scale: 0.5, zeroPoint: 0, codes: -6...7)
    Kernels.dequantize(s32, &y, count: 4, scale: 0.5, zeroPoint: 0)
    #expect(y == [-1, 0.5, 1, -3])
    Kernels.floatToFloat16(y, &u16, count: 4)
    Kernels.float16ToFloat(u16, &y, count: 4)
    #expect(y == [-1, 0.5, 1, -3])
    Kernels.floatToBFloat16(y, &u16, count: 4)
    Kernels.bfloat16ToFloat(u16, &y, count: 4)
    #expect(y == [-1, 0.5, 1, -3])
  }

  @Test func statistics() {
    let x: [Float] = [1, .infinity, -3, .nan]
    let range = Kernels.range(x, count: 4)
    #expect(range.min == -3 && range.max == 1)
    #expect(range.nonFiniteCount == 2 && range.firstNonFinite == 1)
    #expect(Kernels.range(x, count: 1).firstNonFinite == nil)
    let sums = Kernels.sums([1, 2, 4], count: 3)
    #expect(sums.sum == 7 && sums.sumOfSquares == 21)
    #expect(Kernels.squaredError([1, 2], [3, 5], count: 2) == 13)
    #expect(Kernels.dot([1, 2], [3, 5], count: 2) == 13)
    var bins = [UInt64](repeating: 0, count: 4)
    #expect(Kernels.countMagnitudes([1, -3, 0], count: 3, scale: 0.5, bins: 2, into: &bins) == 1)
    #expect(bins == [1, 0, 1, 0])
    let errors = Kernels.errors(of: [1, 2, .nan], expected: [3, 1, 0], count: 3)
    #expect(errors.signal == 10 && errors.energy == 5 && errors.product == 5)
    #expect(errors.noise == 5 && errors.distance == 3 && errors.greatest == 2)
    #expect(errors.nonFiniteCount == 1)
    let sum = Kernels.clampedSum([-1, 1, 9], count: 3, shift: 1, in: 0...6)
    #expect(sum.sum == 8 && sum.inside == 1)
    let channels = Kernels.clampedSums([1, 2, 3, 4], pixels: 2, shift: [0, 1], in: 0...4)
    #expect(channels.map(\.sum) == [4, 7] && channels.map(\.inside) == [2, 1])
  }

  @Test func codesAndLayout() {
    let a: [UInt8] = [10, 20]
    let b: [UInt8] = [3, 4]
    var y = [UInt8](repeating: 0, count: 2)
    Kernels.add(a, (1, 0), b, (2, 0), &y, (1, 5), count: 2)
    #expect(y == [21, 33])
    Kernels.multiply(a, (1, 0), b, (2, 2), &y, (4, 5), count: 2)
    #expect(y == [10, 25])
    Kernels.map(a, through: (0...255).map { 255 - $0 }, &y, count: 2)
    #expect(y == [245, 235])
    Kernels.clamp(a, &y, count: 2, to: 12...15)
    #expect(y == [12, 15])
    Kernels.flipSign(a, &y, count: 2)
    #expect(y == [138, 148])
    let matrix: [Int16] = [1, 2, 3, 4, 5, 6]
    var transposed = [Int16](repeating: 0, count: 6)
    Kernels.transpose(
      matrix, rows: 2, columns: 3, stride: 3, into: &transposed, stride: 2, elementSize: 2)
    #expect(transposed == [1, 4, 2, 5, 3, 6])
  }

  @Test func floats() {
    let a: [Float] = [1, -2]
    let b: [Float] = [3, 5]
    var y = [Float](repeating: 0, count: 2)
    let expected: [(Kernels.Binary, [Float], [Float], [Float])] = [
      (.add, [4, 3], [5, 2], [7, 9]), (.subtract, [-2, -7], [-3, -6], [1, -1]),
      (.multiply, [3, -10], [4, -8], [12, 20]),
      (.divide, [1 / 3, -0.4], [0.25, -0.5], [4 / 3, 0.8]),
      (.max, [3, 5], [4, 4], [4, 5]), (.min, [1, -2], [1, -2], [3, 4]),
    ]
    for (operation, arrays, scalarSecond, scalarFirst) in expected {
      Kernels.apply(operation, a, b, &y, count: 2)
      #expect(y == arrays)
      Kernels.apply(operation, a, 4, &y, count: 2)
      #expect(y == scalarSecond)
      Kernels.apply(operation, 4, b, &y, count: 2)
      #expect(y == scalarFirst)
    }
    let values: [(Kernels.Unary, Float)] = [
      (.relu, 1), (.sigmoid, 0.7310586), (.tanh, 0.7615942), (.exp, 2.7182818), (.erf, 0.8427008),
      (.gelu, 0.8413447), (.geluTanh, 0.841192), (.silu, 0.7310586),
    ]
    #expect(values.count == Kernels.Unary.allCases.count)
    for (function, value) in values {
      Kernels.apply(function, a, &y, count: 1)
      #expect(abs(y[0] - value) <= 2 * value.ulp)
    }
    Kernels.clamp(a, &y, count: 2, to: -1...0.5)
    #expect(y == [0.5, -1])
    Kernels.softmax([2, 2], &y, rows: 1, count: 2)
    #expect(y == [0.5, 0.5])
    Kernels.layerNorm([1, 3], gamma: b, beta: a, epsilon: 0, &y, rows: 1, count: 2)
    #expect(y == [-2, 3])
    Kernels.rmsNorm([1, 7], gamma: b, epsilon: 0, &y, rows: 1, count: 2)
    #expect(y == [0.6, 7])
    #expect(["scalar", "avx2", "avxvnni", "avx512", "neon"].contains(Kernels.instructionSet))
  }
}
