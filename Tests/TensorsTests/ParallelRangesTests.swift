import CKernels
import Synchronization
import Testing

@testable import Tensors

@Suite struct ParallelRangesTests {
  @Test(arguments: [0, 1, 7, 64, 100, 1000, 4097, 65_537], [1, 3, 4096])
  func everyElementIsSeenOnce(_ count: Int, _ grain: Int) {
    let seen = Guarded<UInt8>(count)
    for i in 0..<count { seen.pointer[i] = 0 }
    let pointer = seen.pointer
    let loop = ParallelRanges(count, grain: grain) { range in
      for i in range { pointer[i] += 1 }
    }
    for run in 1...3 {
      loop.run()
      #expect((0..<count).allSatisfy { pointer[$0] == UInt8(run) })
    }
  }

  /// Long loops are cut at whole cache lines.
  @Test func longLoopsAreCutAtCacheLines() {
    let starts = Mutex<[Int]>([])
    ParallelRanges(100_000) { range in starts.withLock { $0.append(range.lowerBound) } }.run()
    #expect(starts.withLock { $0 }.allSatisfy { $0 % 64 == 0 })
  }
}

/// How products are shared out.
@Suite struct SharedProductsTests {
  private static let calls = Atomic<Int>(0)

  /// Narrow and low products give each thread something to do, and no row or column to two of them.
  @Test(arguments: [(12, 96, 4096), (1, 224, 4096), (1, 1000, 2048), (49, 512, 512), (196, 64, 64)])
  func allThreadsGetAPart(_ m: Int, _ n: Int, _ k: Int) {
    var table = tk_current().pointee
    table.u8s8_gemm = { arguments, m0, m1, n0, n1 in
      let g = arguments.pointee
      let c = g.out.c.assumingMemoryBound(to: Int32.self)
      for row in m0..<m1 { for column in n0..<n1 { c[row * g.out.ldc + column] += 1 } }
      SharedProductsTests.calls.add(1, ordering: .relaxed)
    }
    let a = Guarded<UInt8>(m * k, margin: 63)
    let b = Guarded<Int8>(1)
    let c = Guarded<Int32>(m * n)
    for i in 0..<m * n { c.pointer[i] = 0 }
    let out = tk_epilogue(
      kind: TK_OUT_S32, c: c.pointer, ldc: n, bias: nil, weight_zero: nil, multiplier: nil,
      float_bias: nil, zero_point: 0, lo: 0, hi: 255, float_lo: 0, float_hi: 0)
    var product = tk_u8s8_gemm(
      m: m, n: n, taps: 1, cin: k, a: a.pointer, lda: k, rows: nil, row_offset: 0, pad_row: nil,
      run: 0, b: b.pointer, out: out)
    let (before, threads) = (Self.calls.load(ordering: .relaxed), Threads.count)
    tk_run_u8s8_gemm(&table, &product)
    // Other tests change the number of threads meanwhile.
    let parts = min(threads, Threads.count, (m + 11) / 12 * ((n + 31) / 32))
    #expect(Self.calls.load(ordering: .relaxed) - before >= parts)
    #expect((0..<m * n).allSatisfy { c.pointer[$0] == 1 })
  }
}
