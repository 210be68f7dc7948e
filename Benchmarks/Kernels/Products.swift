import CKernels

/// A matrix product as it occurs in a network: m rows (pixels), n outputs, k terms.
struct Product {
  var name: String
  var m: Int
  var n: Int
  var k: Int

  static let all = [
    Product(name: "square", m: 1024, n: 1024, k: 1024),
    Product(name: "ResNet-50 conv1", m: 12544, n: 64, k: 147),
    Product(name: "ResNet-50 2 1x1", m: 3136, n: 64, k: 64),
    Product(name: "ResNet-50 2 3x3", m: 3136, n: 64, k: 576),
    Product(name: "ResNet-50 2 1x1 out", m: 3136, n: 256, k: 64),
    Product(name: "ResNet-50 3 3x3", m: 784, n: 128, k: 1152),
    Product(name: "ResNet-50 3 1x1 out", m: 784, n: 512, k: 128),
    Product(name: "ResNet-50 4 3x3", m: 196, n: 256, k: 2304),
    Product(name: "ResNet-50 4 1x1 out", m: 196, n: 1024, k: 256),
    Product(name: "ResNet-50 5 3x3", m: 49, n: 512, k: 4608),
    Product(name: "ResNet-50 fc", m: 1, n: 1000, k: 2048),
    Product(name: "BERT feed forward", m: 128, n: 3072, k: 768),
    Product(name: "vector 4096", m: 1, n: 4096, k: 4096),
    Product(name: "four vectors 4096", m: 4, n: 4096, k: 4096),
  ]

  var operations: Double { 2 * Double(m) * Double(n) * Double(k) }
  var title: String { "\(name) \(m)x\(n)x\(k)" }

  func measureFloats(_ table: UnsafePointer<tk_kernels>, peak: Double) -> KernelRow {
    var random = Random()
    let a = memory(m * k) { _ in Float(random.next() % 2001 - 1000) / 1000 }
    let b = memory(n * k) { _ in Float(random.next() % 2001 - 1000) / 1000 }
    let packed = memory(tk_f32_packed_count(k, n)) { _ in Float(0) }
    table.pointee.f32_pack(b, k, n, n, false, packed)
    let c = memory(m * n) { _ in Float(0) }
    defer { for pointer in [a, b, packed, c] { pointer.deallocate() } }
    return measured(
      "float " + title, table, work: operations * 1e-9, unit: "GFLOP/s", peak: peak,
      tolerance: 2 * Float(k) * Float(k) * 0x1p-24, results: [.floats(c, m * n)]
    ) { table in
      var g = tk_f32_gemm(
        m: m, n: n, taps: 1, cin: k, a: a, lda: k, rows: nil, row_offset: 0, pad_row: nil, run: 0,
        b: packed, bias: nil, residual: nil, ldr: 0, lo: -.infinity, hi: .infinity, c: c, ldc: n)
      tk_run_f32_gemm(table, &g)
    }
  }

  func measureCodes(_ table: UnsafePointer<tk_kernels>, peak: Double) -> KernelRow {
    var random = Random()
    let a = memory(m * k + 64) { _ in UInt8(random.next() & 255) }
    let b = memory(n * k) { _ in Int8(random.next() % 256 - 128) }
    let packed = memory(tk_u8s8_packed_count(1, k, n)) { _ in Int8(0) }
    let bias = memory(n) { _ in Int32(random.next() % 20001 - 10000) }
    let factor = memory(n) { _ in Float(random.next() % 100 + 1) * 1e-4 / Float(k).squareRoot() }
    table.pointee.u8s8_pack(b, 1, k, n, n, false, packed, nil)
    let c = memory(m * n) { _ in UInt8(0) }
    defer {
      for pointer in [a, c] { pointer.deallocate() }
      for pointer in [b, packed] { pointer.deallocate() }
      bias.deallocate()
      factor.deallocate()
    }
    return measured(
      "u8 × s8 " + title, table, work: operations * 1e-9, unit: "GOP/s", peak: peak,
      results: [.bytes(c, m * n)]
    ) { table in
      let out = tk_epilogue(
        kind: TK_OUT_U8, c: c, ldc: n, bias: bias, weight_zero: nil, multiplier: factor,
        float_bias: nil, zero_point: 100, lo: 0, hi: 255, float_lo: 0, float_hi: 0)
      var g = tk_u8s8_gemm(
        m: m, n: n, taps: 1, cin: k, a: a, lda: k, rows: nil, row_offset: 0, pad_row: nil, run: 0,
        b: packed, out: out)
      tk_run_u8s8_gemm(table, &g)
    }
  }
}
