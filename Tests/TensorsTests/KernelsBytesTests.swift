import CKernels
import Testing

@Suite struct KernelsBytesTests {
  private static let quantizations: [(tk_quant, tk_quant, tk_quant)] = [
    (q(0.05, 128), q(0.02, 0), q(0.06, 100)), (q(1, 0), q(1, 0), q(2, 0)),
    (q(0.3, 255), q(1e-6, 7), q(0.001, 255)), (q(3e38, 0), q(3e38, 1), q(1e-38, 0)),
    (q(0.5, 0), q(0.5, 0), q(1, 3)),
  ]

  private static func q(_ scale: Float, _ zero: Int32) -> tk_quant {
    tk_quant(scale: scale, zero_point: zero)
  }

  /// The code of a sum, in ONNX Runtime's order of steps.
  private func sum(
    _ a: UInt8, _ qa: tk_quant, _ b: UInt8, _ qb: tk_quant, _ qy: tk_quant, _ offset: Int32 = 0
  ) -> UInt8 {
    let ra = qa.scale / qy.scale
    let rb = qb.scale / qy.scale
    let zeros = (rb * Float(qb.zero_point - offset))
      .addingProduct(ra, Float(qa.zero_point - offset))
    let constant = Float(qy.zero_point - offset) - zeros
    let value = constant.addingProduct(Float(Int32(b) - offset), rb)
      .addingProduct(Float(Int32(a) - offset), ra)
    return UInt8(referenceCode(value, 0, -offset...255 - offset) + offset)
  }

  /// The code of a product, in ONNX Runtime's order of steps.
  private func product(
    _ a: UInt8, _ qa: tk_quant, _ b: UInt8, _ qb: tk_quant, _ qy: tk_quant, _ offset: Int32 = 0
  ) -> UInt8 {
    let exact = Float(Int32(a) - qa.zero_point) * Float(Int32(b) - qb.zero_point)
    let value = exact * (qa.scale * qb.scale / qy.scale) + Float(qy.zero_point - offset)
    return UInt8(referenceCode(value, 0, -offset...255 - offset) + offset)
  }

  @Test(arguments: Table.all, lengths) func addsAndMultiplies(_ table: Table, _ n: Int) {
    for fill in ByteFill.allCases {
      let a = Guarded(fill.values(n))
      let b = Guarded(fill.values(n, seed: 2))
      let y = Guarded<UInt8>(n)
      for (qa, qb, qy) in Self.quantizations {
        for offset: Int32 in [0, 128] {
          table.kernels.add_u8(a.pointer, qa, b.pointer, qb, y.pointer, qy, offset, n)
          #expect(
            y.array == (0..<n).map { sum(a.pointer[$0], qa, b.pointer[$0], qb, qy, offset) })
          table.kernels.mul_u8(a.pointer, qa, b.pointer, qb, y.pointer, qy, offset, n)
          #expect(
            y.array == (0..<n).map { product(a.pointer[$0], qa, b.pointer[$0], qb, qy, offset) })
        }
      }
    }
  }

  /// The sum is 40.4999963, which other orders of rounding make 40.5; ONNX Runtime 1.31 gives 40.
  @Test(arguments: Table.all) func addsNextToATieAsOnnxRuntime(_ table: Table) {
    let a = Guarded<UInt8>([115])
    let b = Guarded<UInt8>([114])
    let y = Guarded<UInt8>(1)
    table.kernels.add_u8(
      a.pointer, Self.q(80.2134780883789, 135), b.pointer, Self.q(34.634159088134766, 0),
      y.pointer, Self.q(57.87715530395508, 0), 0, 1)
    #expect(y.array == [40])
  }

  /// All 65536 pairs of codes.
  @Test(arguments: Table.all) func everyPairAddsAndMultiplies(_ table: Table) {
    let a = Guarded((0..<65536).map { UInt8($0 >> 8) })
    let b = Guarded((0..<65536).map { UInt8($0 & 255) })
    let y = Guarded<UInt8>(65536)
    let (qa, qb, qy) = Self.quantizations[0]
    for multiplies in [false, true] {
      let kernel = multiplies ? table.kernels.mul_u8 : table.kernels.add_u8
      for offset: Int32 in [0, 128] {
        kernel(a.pointer, qa, b.pointer, qb, y.pointer, qy, offset, 65536)
        for i in 0..<65536 {
          let code = (multiplies ? product : sum)(
            a.pointer[i], qa, b.pointer[i], qb, qy, offset)
          if y.pointer[i] != code { Issue.record("pair \(i)") }
        }
      }
    }
  }

  @Test(arguments: Table.all, lengths) func mapsClampsAndFlips(_ table: Table, _ n: Int) {
    let values = ByteFill.random.values(n)
    let lookup = Guarded(ByteFill.random.values(256, seed: 8))
    let x = Guarded(values)
    let y = Guarded<UInt8>(n)
    table.kernels.lookup_u8(x.pointer, lookup.pointer, y.pointer, n)
    #expect(y.array == values.map { lookup.pointer[Int($0)] })
    table.kernels.clamp_u8(x.pointer, y.pointer, n, 17, 201)
    #expect(y.array == values.map { min(max($0, 17), 201) })
    table.kernels.flip_sign(x.pointer, y.pointer, n)
    #expect(y.array == values.map { $0 ^ 0x80 })
    table.kernels.flip_sign(x.pointer, x.pointer, n)
    #expect(x.array == y.array)
  }

  @Test(arguments: Table.all, ByteFill.allCases) func sums(_ table: Table, _ fill: ByteFill) {
    for (pixels, channels, ld) in [
      (1, 1, 1), (7, 3, 5), (49, 64, 64), (49, 65, 70), (300, 17, 17), (3, 1000, 1000), (0, 5, 5),
    ] {
      let x = Guarded(fill.values(max(pixels * ld - (ld - channels), 0)))
      let byChannel = Guarded<Int32>(channels)
      let byPixel = Guarded<Int32>(pixels)
      table.kernels.sum_pixels_u8(x.pointer, pixels, channels, ld, byChannel.pointer)
      table.kernels.sum_rows_u8(x.pointer, pixels, channels, ld, byPixel.pointer)
      let value = { (p: Int, c: Int) in Int32(x.pointer[p * ld + c]) }
      #expect(
        byChannel.array == (0..<channels).map { c in (0..<pixels).reduce(0) { $0 + value($1, c) } })
      #expect(
        byPixel.array == (0..<pixels).map { p in (0..<channels).reduce(0) { $0 + value(p, $1) } })
    }
  }

  @Test(arguments: Table.all) func sumsFloatsInOrder(_ table: Table) {
    for (pixels, channels, ld) in [(1, 1, 1), (7, 3, 5), (49, 65, 70), (300, 33, 33), (0, 4, 4)] {
      let x = Guarded(FloatFill.wide.values(max(pixels * ld - (ld - channels), 0)))
      let y = Guarded<Float>(channels)
      table.kernels.sum_pixels_f32(x.pointer, pixels, channels, ld, y.pointer)
      let expected = (0..<channels).map { c in
        (0..<pixels).reduce(Float(0)) { $0 + x.pointer[$1 * ld + c] }
      }
      #expect(y.array == expected)
    }
  }
}

@Suite struct KernelsLayoutTests {
  private func check<Element: FixedWidthInteger & BitwiseCopyable>(
    _ rows: Int, _ columns: Int, _ type: Element.Type,
    _ kernel: (UnsafeRawPointer, Int, Int, Int, UnsafeMutableRawPointer, Int) -> Void
  ) {
    var random = Random(rows + columns)
    let (ldx, ldy) = (columns + rows % 3, rows + columns % 2)
    let x = Guarded(
      (0..<max(rows * ldx - rows % 3, 0)).map { _ in Element(truncatingIfNeeded: random.next()) })
    let y = Guarded([Element](repeating: 77, count: max(columns * ldy - columns % 2, 0)))
    kernel(x.pointer, rows, columns, ldx, y.pointer, ldy)
    for c in 0..<columns {
      for r in 0..<rows where y.pointer[c * ldy + r] != x.pointer[r * ldx + c] {
        Issue.record("[\(c), \(r)] of \(columns) x \(rows), \(type)")
        return
      }
      if columns % 2 == 1, c + 1 < columns, rows > 0 { #expect(y.pointer[c * ldy + rows] == 77) }
    }
  }

  @Test(arguments: Table.all) func transposes(_ table: Table) {
    let sizes = [0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 49, 63, 64, 65, 100]
    for rows in sizes {
      for columns in sizes {
        check(rows, columns, UInt8.self, table.kernels.transpose_8)
        check(rows, columns, UInt16.self, table.kernels.transpose_16)
        check(rows, columns, UInt32.self, table.kernels.transpose_32)
        check(rows, columns, UInt64.self, table.kernels.transpose_64)
      }
    }
  }
}
