import CKernels
import Testing

/// The shape of a product and how its rows are given.
struct ProductShape: CustomTestStringConvertible {
  var m: Int
  var n: Int
  var taps = 1
  var inputs: Int
  var indirect = false
  /// Rows that lie one stride apart under each tap come in runs of this many; 0: no two need to.
  var run = 0
  var k: Int { taps * inputs }
  var testDescription: String {
    "\(m)x\(n)x\(taps)x\(inputs)\(indirect ? " indirect in runs of \(run)" : "")"
  }

  /// Which of a pool of 50 rows stand under the taps of each row; 0 is the padding, which runs do without.
  var picks: [Int] {
    var random = Random(3)
    guard run > 0 else { return (0..<m * taps).map { _ in Int(random.next() % 50) } }
    let starts = (0..<(m / run + 1) * taps).map { _ in 1 + Int(random.next() % UInt64(50 - run)) }
    return (0..<m * taps).map { starts[$0 / taps / run * taps + $0 % taps] + $0 / taps % run }
  }

  static let all: [ProductShape] =
    [0, 1, 2, 3, 4, 5, 7, 11, 12, 13, 25].flatMap { m in
      [1, 16, 17, 32, 33, 100].map { ProductShape(m: m, n: $0, inputs: 37) }
    }
    + [0, 1, 2, 3, 4, 5, 63, 64, 65, 511, 512, 513, 1100].map {
      ProductShape(m: 6, n: 70, inputs: $0)
    }
    + [(9, 3), (9, 4), (9, 16), (9, 17), (1, 64), (25, 1), (9, 130)].flatMap { taps, inputs in
      [(1, 0), (14, 0), (30, 0), (15, 3), (9, 4), (14, 7), (31, 14), (57, 28)].map { m, run in
        ProductShape(m: m, n: 45, taps: taps, inputs: inputs, indirect: true, run: run)
      }
    } + [
      ProductShape(m: 14, n: 70, taps: 3, inputs: 700, indirect: true, run: 7),
      ProductShape(m: 6, n: 300, inputs: 1024), ProductShape(m: 3, n: 2000, inputs: 300),
      ProductShape(m: 13, n: 4000, inputs: 128),
    ]
}

@Suite struct KernelsFloatGemmTests {
  /// Rows of A as the kernel sees them, from dense memory or through pointers into `pool`.
  private struct Operand {
    let memory: Guarded<Float>
    let padding: Guarded<Float>
    let pointers: Guarded<UnsafePointer<Float>>?
    let rows: [[Float]]
    let stride: Int
    let offset: Int

    init(_ shape: ProductShape, _ fill: FloatFill) {
      stride = shape.inputs + (shape.m % 2 == 0 ? 0 : 3)
      let count = shape.indirect ? 50 : shape.m
      memory = Guarded(fill.values(max(count * stride - (stride - shape.inputs), 0)))
      padding = Guarded(fill.values(shape.inputs, seed: 9))
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

  private func pack(_ table: Table, _ b: [Float], _ k: Int, _ n: Int, transposed: Bool)
    -> Packed<Float>
  {
    let packed = Packed<Float>(tk_f32_packed_count(k, n))
    var source = b
    if transposed { source = (0..<n).flatMap { j in (0..<k).map { b[$0 * n + j] } } }
    let guarded = Guarded(source)
    table.kernels.f32_pack(guarded.pointer, k, n, transposed ? k : n, transposed, packed.pointer)
    return packed
  }

  @Test(arguments: Table.all, ProductShape.all)
  func multiplies(_ table: Table, _ shape: ProductShape) {
    for (round, fill) in FloatFill.finite.enumerated() {
      let a = Operand(shape, fill)
      let b = fill.values(shape.k * shape.n, seed: 5)
      let packed = pack(table, b, shape.k, shape.n, transposed: round % 2 == 0)
      let bias = Guarded(fill.values(shape.n, seed: 6))
      let residual = Guarded(fill.values(shape.m * shape.n, seed: 7))
      let ldc = shape.n + round
      let c = Guarded([Float](repeating: -7, count: max(shape.m * ldc - round, 0)))
      let clamp: ClosedRange<Float> = round == 0 ? -0.5...2 : -.infinity ... .infinity
      var g = tk_f32_gemm(
        m: shape.m, n: shape.n, taps: shape.taps, cin: shape.inputs,
        a: shape.indirect ? nil : UnsafePointer(a.memory.pointer), lda: a.stride,
        rows: a.pointers.map { UnsafePointer($0.pointer) }, row_offset: a.offset,
        pad_row: UnsafePointer(a.padding.pointer), run: shape.run, b: packed.pointer,
        bias: round == 1 ? nil : UnsafePointer(bias.pointer),
        residual: round == 2 ? UnsafePointer(residual.pointer) : nil, ldr: shape.n,
        lo: clamp.lowerBound, hi: clamp.upperBound, c: c.pointer, ldc: ldc)
      tk_run_f32_gemm(table.pointer, &g)
      for i in 0..<shape.m {
        for j in 0..<shape.n {
          var sum = 0.0
          var magnitude = 0.0
          for k in 0..<shape.k {
            let term = Double(a.rows[i][k]) * Double(b[k * shape.n + j])
            sum += term
            magnitude += abs(term)
          }
          for term in [
            round == 1 ? 0 : bias.pointer[j], round == 2 ? residual.pointer[i * shape.n + j] : 0,
          ] {
            sum += Double(term)
            magnitude += Double(term.magnitude)
          }
          let got = Double(c.pointer[i * ldc + j])
          sum = min(max(sum, Double(clamp.lowerBound)), Double(clamp.upperBound))
          let bound = Double(shape.k + 3) * (0x1p-24 * magnitude + 0x1p-149)
          if abs(got - sum) > bound {
            Issue.record("[\(i), \(j)]: \(got), not \(sum) ± \(bound), \(fill)")
            return
          }
        }
        if i + 1 < shape.m, round > 0 { #expect(c.pointer[i * ldc + shape.n] == -7) }
      }
    }
  }

  /// One row alone, all rows at once, any number of threads: the same bits.
  @Test(arguments: Table.all) func rowsDoNotDependOnEachOther(_ table: Table) {
    let (m, n, k) = (37, 300, 700)
    let a = Guarded(FloatFill.random.values(m * k))
    let b = FloatFill.random.values(k * n, seed: 2)
    let packed = pack(table, b, k, n, transposed: false)
    func product(_ rows: Range<Int>, threads: Int) -> [Float] {
      let c = Guarded<Float>(rows.count * n)
      var g = tk_f32_gemm(
        m: rows.count, n: n, taps: 1, cin: k, a: a.pointer + rows.lowerBound * k, lda: k, rows: nil,
        row_offset: 0, pad_row: nil, run: 0, b: packed.pointer, bias: nil, residual: nil, ldr: 0,
        lo: -.infinity, hi: .infinity, c: c.pointer, ldc: n)
      withThreads(threads) { tk_run_f32_gemm(table.pointer, &g) }
      return c.array
    }
    let whole = product(0..<m, threads: 1)
    for threads in [2, 3, 8] { #expect(product(0..<m, threads: threads) == whole) }
    #expect((0..<m).flatMap { product($0..<$0 + 1, threads: 1) } == whole)
    #expect(product(0..<5, threads: 1) == Array(whole[..<(5 * n)]))
  }

  @Test(arguments: Table.all) func aNaNStaysWhereItIs(_ table: Table) {
    let (m, n, k) = (5, 40, 9)
    var values = FloatFill.random.values(m * k)
    values[2 * k + 4] = .nan
    let a = Guarded(values)
    let c = Guarded<Float>(m * n)
    let packed = pack(table, FloatFill.random.values(k * n), k, n, transposed: false)
    var g = tk_f32_gemm(
      m: m, n: n, taps: 1, cin: k, a: a.pointer, lda: k, rows: nil, row_offset: 0, pad_row: nil,
      run: 0,
      b: packed.pointer, bias: nil, residual: nil, ldr: 0, lo: 0, hi: 6, c: c.pointer, ldc: n)
    tk_run_f32_gemm(table.pointer, &g)
    for i in 0..<m * n { #expect(c.pointer[i].isNaN == (i / n == 2)) }
  }
}
