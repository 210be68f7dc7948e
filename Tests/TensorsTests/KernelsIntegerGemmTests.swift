import CKernels
import Testing

/// What a product or a depthwise convolution does with its sums, with expected values by the book.
struct Epilogues {
  let bias: Guarded<Int32>
  let weightZero: Guarded<Int32>
  let multiplier: Guarded<Float>
  let floatBias: Guarded<Float>
  let zeroPoint: Int32 = 117
  let codes: ClosedRange<Int32> = 3...250
  let clamp: ClosedRange<Float> = -1000...2000

  init(_ n: Int) {
    var random = Random(n)
    bias = Guarded((0..<n).map { _ in Int32(random.next() % 20001) - 10000 })
    weightZero = Guarded((0..<n).map { _ in Int32(random.next() % 256) - 128 })
    // Powers of two give ties; an infinite and a NaN factor must not end in undefined behaviour.
    multiplier = Guarded(
      (0..<n).map { i in
        i == 7 ? .nan : i == 9 ? .infinity : i % 3 == 0 ? 1 / 64.0 : abs(random.uniform()) / 100
      })
    floatBias = Guarded((0..<n).map { _ in random.uniform() })
  }

  func arguments(
    _ kind: tk_output, _ c: UnsafeMutableRawPointer, stride: Int, zeros: Bool
  ) -> tk_epilogue {
    tk_epilogue(
      kind: kind, c: c, ldc: stride, bias: zeros ? nil : UnsafePointer(bias.pointer),
      weight_zero: zeros ? UnsafePointer(weightZero.pointer) : nil,
      multiplier: kind == TK_OUT_S32 ? nil : UnsafePointer(multiplier.pointer),
      float_bias: zeros ? nil : UnsafePointer(floatBias.pointer), zero_point: zeroPoint,
      lo: codes.lowerBound, hi: codes.upperBound, float_lo: clamp.lowerBound,
      float_hi: clamp.upperBound)
  }

  /// The value for column j, exactly.
  func expected(_ kind: tk_output, _ acc: Int, rowSum: Int, _ j: Int, zeros: Bool) -> Double {
    let correction = zeros ? -Int(weightZero.pointer[j]) * rowSum : Int(bias.pointer[j])
    let sum = Int32(truncatingIfNeeded: acc + correction)
    if kind == TK_OUT_S32 { return Double(sum) }
    let real = Float(sum) * multiplier.pointer[j]
    if kind == TK_OUT_U8 { return Double(referenceCode(real, zeroPoint, codes)) }
    let biased = zeros ? real : real + floatBias.pointer[j]
    return Double(biased.isNaN ? biased : min(max(biased, clamp.lowerBound), clamp.upperBound))
  }
}

/// Result memory of any of the three kinds.
struct SumMemory {
  let kind: tk_output
  let bytes: Guarded<UInt8>
  private var size: Int { kind == TK_OUT_U8 ? 1 : 4 }

  init(_ kind: tk_output, _ count: Int) {
    self.kind = kind
    bytes = Guarded([UInt8](repeating: 0x5A, count: count * (kind == TK_OUT_U8 ? 1 : 4)))
  }

  subscript(_ i: Int) -> Double {
    let raw = UnsafeRawPointer(bytes.pointer) + i * size
    if kind == TK_OUT_U8 { return Double(raw.load(as: UInt8.self)) }
    if kind == TK_OUT_S32 { return Double(raw.load(as: Int32.self)) }
    return Double(raw.load(as: Float.self))
  }
}

@Suite struct KernelsIntegerGemmTests {
  private struct Operand {
    let memory: Guarded<UInt8>
    let padding: Guarded<UInt8>
    let pointers: Guarded<UnsafePointer<UInt8>>?
    let rows: [[UInt8]]
    let stride: Int
    let offset: Int

    init(_ shape: ProductShape, _ fill: ByteFill) {
      stride = shape.inputs + (shape.m % 2 == 0 ? 0 : 3)
      let count = shape.indirect ? 50 : shape.m
      let margin = Int(TK_ROW_MARGIN)
      memory = Guarded(
        fill.values(max(count * stride - (stride - shape.inputs), 0)), margin: margin)
      padding = Guarded(fill.values(shape.inputs, seed: 9), margin: margin)
      let pool = memory.array
      let stride = stride
      guard shape.indirect else {
        pointers = nil
        offset = 0
        rows = (0..<shape.m).map { Array(pool[$0 * stride..<$0 * stride + shape.inputs]) }
        return
      }
      offset = stride
      let picks = shape.picks
      let base = UnsafePointer(memory.pointer)
      let pad = padding
      pointers = Guarded(
        picks.map { $0 == 0 ? UnsafePointer(pad.pointer) : base + ($0 - 1) * stride })
      rows = (0..<shape.m).map { r in
        picks[r * shape.taps..<(r + 1) * shape.taps].flatMap {
          $0 == 0 ? pad.array : Array(pool[$0 * stride..<$0 * stride + shape.inputs])
        }
      }
    }
  }

  private func pack(_ table: Table, _ b: [Int8], _ shape: ProductShape, transposed: Bool)
    -> Packed<Int8>
  {
    let (k, n) = (shape.k, shape.n)
    let packed = Packed<Int8>(tk_u8s8_packed_count(shape.taps, shape.inputs, n))
    let sums = Guarded<Int32>(n)
    var source = b
    if transposed { source = (0..<n).flatMap { j in (0..<k).map { b[$0 * n + j] } } }
    let guarded = Guarded(source)
    table.kernels.u8s8_pack(
      guarded.pointer, shape.taps, shape.inputs, n, transposed ? k : n, transposed, packed.pointer,
      sums.pointer)
    #expect(sums.array == (0..<n).map { j in (0..<k).reduce(0) { $0 + Int32(b[$1 * n + j]) } })
    return packed
  }

  @Test(arguments: Table.all, ProductShape.all)
  func multipliesExactly(_ table: Table, _ shape: ProductShape) {
    let epilogues = Epilogues(shape.n)
    for (round, fill) in ByteFill.allCases.enumerated() {
      let a = Operand(shape, fill)
      let signed: ByteFill = fill == .allOnes ? .top : fill
      let b = signed.signed(shape.k * shape.n, seed: 5)
      let packed = pack(table, b, shape, transposed: round % 2 == 0)
      let sums = exactSums(a.rows, b, shape)
      for kind in [TK_OUT_S32, TK_OUT_U8, TK_OUT_F32] {
        for zeros in [false, true] {
          let ldc = shape.n + round
          let c = SumMemory(kind, max(shape.m * ldc - round, 0))
          var g = tk_u8s8_gemm(
            m: shape.m, n: shape.n, taps: shape.taps, cin: shape.inputs,
            a: shape.indirect ? nil : UnsafePointer(a.memory.pointer), lda: a.stride,
            rows: a.pointers.map { UnsafePointer($0.pointer) }, row_offset: a.offset,
            pad_row: UnsafePointer(a.padding.pointer), run: shape.run, b: packed.pointer,
            out: epilogues.arguments(kind, c.bytes.pointer, stride: ldc, zeros: zeros))
          tk_run_u8s8_gemm(table.pointer, &g)
          for i in 0..<shape.m {
            let rowSum = a.rows[i].reduce(0) { $0 + Int($1) }
            for j in 0..<shape.n {
              let expected = epilogues.expected(
                kind, sums[i * shape.n + j], rowSum: rowSum, j, zeros: zeros)
              let got = c[i * ldc + j]
              if got != expected, !(got.isNaN && expected.isNaN) {
                Issue.record("[\(i), \(j)]: \(got), not \(expected), \(fill) \(kind) \(zeros)")
                return
              }
            }
            for j in shape.n..<ldc where i + 1 < shape.m && kind == TK_OUT_U8 {
              #expect(c[i * ldc + j] == 0x5A)
            }
          }
        }
      }
    }
  }

  private func exactSums(_ a: [[UInt8]], _ b: [Int8], _ shape: ProductShape) -> [Int] {
    var sums = [Int](repeating: 0, count: shape.m * shape.n)
    for i in 0..<shape.m {
      for k in 0..<shape.k {
        let x = Int(a[i][k])
        for j in 0..<shape.n { sums[i * shape.n + j] &+= x &* Int(b[k * shape.n + j]) }
      }
    }
    return sums
  }

  @Test(arguments: Table.all) func anyNumberOfThreadsGivesTheSame(_ table: Table) {
    let shape = ProductShape(m: 61, n: 200, inputs: 400)
    let a = Operand(shape, .random)
    let packed = pack(table, ByteFill.random.signed(shape.k * shape.n), shape, transposed: false)
    let epilogues = Epilogues(shape.n)
    let results = [1, 2, 3, 8].map { threads in
      let c = SumMemory(TK_OUT_S32, shape.m * shape.n)
      var g = tk_u8s8_gemm(
        m: shape.m, n: shape.n, taps: 1, cin: shape.inputs, a: a.memory.pointer, lda: a.stride,
        rows: nil, row_offset: 0, pad_row: nil, run: 0, b: packed.pointer,
        out: epilogues.arguments(TK_OUT_S32, c.bytes.pointer, stride: shape.n, zeros: false))
      withThreads(threads) { tk_run_u8s8_gemm(table.pointer, &g) }
      return c.bytes.array
    }
    for result in results { #expect(result == results[0]) }
  }
}
