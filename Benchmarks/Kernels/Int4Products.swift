import CKernels

extension Product {
  /// Shapes of language models: one token, some, a prompt; and a small layer.
  static let ofInt4 = [
    Product(name: "vector 4096", m: 1, n: 4096, k: 4096),
    Product(name: "four vectors 4096", m: 4, n: 4096, k: 4096),
    Product(name: "prompt 4096", m: 128, n: 4096, k: 4096),
    Product(name: "BERT output", m: 512, n: 768, k: 768),
  ]

  /// Weights of 4 bits in groups of 32 with floats and with bytes, which are made of floats within the time. Of one row also the
  /// bytes of weights a second.
  func measureInt4(
    _ table: UnsafePointer<tk_kernels>, peaks: (float: Double, codes: Double)
  ) -> [KernelRow] {
    var random = Random()
    let group = 32
    let groups = n * (k / group)
    let a = memory(m * k) { _ in Float(random.next() % 2001 - 1000) / 1000 }
    let codes = memory(n * k) { _ in UInt8(random.next() & 15) }
    let scales = memory(groups) { _ in Float(random.next() % 100 + 1) * 1e-3 }
    let byteCount = tk_q4_packed_count(k, n, group, false)
    let packed = memory(byteCount) { _ in UInt8(0) }
    table.pointee.q4_pack(codes, scales, nil, k, n, k, group, true, packed)
    let rounded = memory(m * tk_q4_code_stride(k)) { _ in Int8(0) }
    let (steps, starts) = (
      memory(m * k / group) { _ in Float(0) }, memory(m * k / group) { _ in Int32(0) }
    )
    let c = memory(m * n) { _ in Float(0) }
    defer {
      for pointer in [a, scales, steps, c] { pointer.deallocate() }
      for pointer in [codes, packed] { pointer.deallocate() }
      rounded.deallocate()
      starts.deallocate()
    }
    return [(0, "q4 × float ", "GFLOP/s", peaks.float), (group, "q4 × q8 ", "GOP/s", peaks.codes)]
      .flatMap { block, kind, unit, peak in
        let row = measured(
          kind + title, table, work: operations * 1e-9, unit: unit, peak: peak,
          tolerance: block > 0 ? 0 : 4 * Float(k) * Float(k) * 0x1p-24, results: [.floats(c, m * n)]
        ) { table in
          var g = tk_q4_gemm(
            m: m, n: n, k: k, group: group, has_zeros: false, a: a, lda: k, b: packed, block: block,
            codes: rounded, code_scales: steps, code_starts: starts, bias: nil, lo: -.infinity,
            hi: .infinity, c: c, ldc: n)
          tk_run_q4_gemm(table, &g)
        }
        guard m == 1 else { return [row] }
        let bytes = row.rate / operations * Double(byteCount)
        return [row, KernelRow(name: kind + title + ", weights", rate: bytes, unit: "GB/s")]
      }
  }
}
