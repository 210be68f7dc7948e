import CKernels

/// Kernels that go once over an array: elements per nanosecond, in the first-level cache.
func measureArrays(_ table: UnsafePointer<tk_kernels>) -> [KernelRow] {
  let n = 4096
  var random = Random()
  let x = memory(n) { _ in Float(random.next() % 2001 - 1000) / 100 }
  let y = memory(n) { _ in Float(0) }
  let codes = memory(n + 64) { _ in UInt8(random.next() & 255) }
  let result = memory(n + 64) { _ in UInt8(0) }
  let words = memory(n) { _ in UInt16(0x3C00) }
  let q = tk_quant(scale: 0.05, zero_point: 128)
  let entries: [(String, (tk_kernels) -> Void)] = [
    ("quantize u8", { k in k.quantize_u8(x, result, n, 0.05, 128, 0, 255) }),
    ("dequantize u8", { k in k.dequantize_u8(codes, y, n, 0.05, 128) }),
    ("float16 to float", { k in k.f16_to_f32(words, y, n) }),
    ("float to bfloat16", { k in k.f32_to_bf16(x, words, n) }),
    ("add u8", { k in k.add_u8(codes, q, codes, q, result, q, 0, n) }),
    ("multiply u8", { k in k.mul_u8(codes, q, codes, q, result, q, 0, n) }),
    ("lookup u8", { k in k.lookup_u8(codes, codes, result, n) }),
    ("min and max", { k in _ = k.min_max(x, n) }),
    ("sum and squares", { k in _ = k.sums(x, n) }),
    ("add", { k in k.binary(TK_ADD, x, 1, x, 1, y, n) }),
    ("sigmoid", { k in k.unary(TK_SIGMOID, x, y, n) }),
    ("tanh", { k in k.unary(TK_TANH, x, y, n) }),
    ("gelu", { k in k.unary(TK_GELU, x, y, n) }),
    ("softmax", { k in k.softmax(x, y, 4, n / 4) }),
    ("layer norm", { k in k.layer_norm(x, nil, nil, 1e-5, y, 4, n / 4) }),
    ("transpose 64x64 bytes", { k in k.transpose_8(codes, 64, 64, 64, result, 64) }),
    ("transpose 64x64 floats", { k in k.transpose_32(x, 64, 64, 64, y, 64) }),
  ]
  return entries.map { name, body in
    measured(
      name, table, work: 20 * Double(n) * 1e-9, unit: "per ns", tolerance: 1e-5,
      results: [.floats(y, n), .bytes(result, n)]
    ) { table in
      for _ in 0..<20 { body(table.pointee) }
    }
  }
}

/// Depthwise convolution, 3x3 and 5x5, of 28x28 pixels and 192 channels.
func measureDepthwise(_ table: UnsafePointer<tk_kernels>) -> [KernelRow] {
  let (pixels, channels) = (784, 192)
  var random = Random()
  return [3, 5].flatMap { side in
    let taps = side * side
    let x = memory(pixels * channels + 64) { _ in UInt8(random.next() & 255) }
    let floats = memory(pixels * channels) { _ in Float(random.next() % 100) }
    let weights = memory(taps * channels) { _ in Int8(random.next() % 256 - 128) }
    let factors = memory(taps * channels) { _ in Float(random.next() % 100) }
    let packed = memory(tk_depthwise_packed_count(side, side, channels)) { _ in Int8(0) }
    let factor = memory(channels) { _ in Float(1e-3) }
    table.pointee.u8s8_depthwise_pack(weights, side, side, channels, packed, nil)
    let picks = (0..<pixels * taps).map {
      min($0 / taps + $0 % taps / side * 28 + $0 % side, pixels - 1) * channels
    }
    let rows = memory(picks.count) { UnsafePointer(x + picks[$0]) }
    let floatRows = memory(picks.count) { UnsafePointer(floats + picks[$0]) }
    let y = memory(pixels * channels) { _ in UInt8(0) }
    let z = memory(pixels * channels) { _ in Float(0) }
    let out = tk_epilogue(
      kind: TK_OUT_U8, c: y, ldc: channels, bias: nil, weight_zero: nil, multiplier: factor,
      float_bias: nil, zero_point: 100, lo: 0, hi: 255, float_lo: 0, float_hi: 0)
    var codes = tk_u8s8_depthwise(
      pixels: pixels, height: side, width: side, channels: channels, run: 28, step: 1, rows: rows,
      row_offset: 0, pad_row: nil, weights: packed, out: out)
    var reals = tk_f32_depthwise(
      pixels: pixels, taps: taps, channels: channels, rows: floatRows, row_offset: 0,
      pad_row: nil, weights: factors, bias: nil, lo: -.infinity, hi: .infinity, c: z,
      ldc: channels)
    let work = 2 * Double(pixels * taps * channels) * 1e-9
    return [
      measured(
        "depthwise \(taps) taps u8 × s8", table, work: work, unit: "GOP/s",
        results: [.bytes(y, pixels * channels)]
      ) { $0.pointee.u8s8_depthwise(&codes, 0, pixels) },
      measured(
        "depthwise \(taps) taps float", table, work: work, unit: "GFLOP/s", tolerance: 1,
        results: [.floats(z, pixels * channels)]
      ) { $0.pointee.f32_depthwise(&reals, 0, pixels) },
    ]
  }
}
