import CKernels
import Testing

@Suite struct KernelsConvertTests {
  @Test(arguments: Table.all) func everyFloat16Widens(_ table: Table) {
    let patterns = (0...UInt16.max).map { $0 }
    let x = Guarded(patterns)
    let y = Guarded<Float>(x.count)
    table.kernels.f16_to_f32(x.pointer, y.pointer, x.count)
    for p in patterns {
      let expected = Float(Float16(bitPattern: p))
      #expect(
        y.pointer[Int(p)].bitPattern == expected.bitPattern || expected.isNaN, "pattern \(p)")
      if expected.isNaN {
        let quiet = UInt32(p & 0x8000) << 16 | 0x7FC0_0000 | UInt32(p & 0x3FF) << 13
        #expect(y.pointer[Int(p)].bitPattern == quiet, "pattern \(p)")
      }
    }
  }

  @Test(arguments: Table.all) func everyBFloat16WidensAndComesBack(_ table: Table) {
    let patterns = (0...UInt16.max).map { $0 }
    let x = Guarded(patterns)
    let y = Guarded<Float>(x.count)
    let back = Guarded<UInt16>(x.count)
    table.kernels.bf16_to_f32(x.pointer, y.pointer, x.count)
    table.kernels.f32_to_bf16(y.pointer, back.pointer, x.count)
    for p in patterns {
      let isNaN = p & 0x7FFF > 0x7F80
      let quiet = isNaN ? p | 0x40 : p
      #expect(y.pointer[Int(p)].bitPattern == UInt32(quiet) << 16, "pattern \(p)")
      #expect(back.pointer[Int(p)] == quiet, "pattern \(p)")
    }
  }

  /// Every float16 value, the midpoint to the next, and their neighbours.
  @Test(arguments: Table.all) func narrowingRoundsToNearestEven(_ table: Table) {
    var values = FloatFill.special.values(200) + FloatFill.wide.values(2000)
    for p in UInt16(0)..<0x7C00 {
      let a = Float(Float16(bitPattern: p))
      let b = p == 0x7BFF ? 65536 : Float(Float16(bitPattern: p + 1))
      let middle = (a + b) / 2
      values += [a, -a, middle, -middle, middle.nextUp, -middle.nextUp, middle.nextDown]
    }
    let x = Guarded(values)
    let y = Guarded<UInt16>(values.count)
    let z = Guarded<UInt16>(values.count)
    table.kernels.f32_to_f16(x.pointer, y.pointer, x.count)
    table.kernels.f32_to_bf16(x.pointer, z.pointer, x.count)
    for (i, v) in values.enumerated() {
      if v.isNaN {
        let bits = UInt16(v.bitPattern >> 16 & 0x8000)
        #expect(y.pointer[i] == bits | 0x7E00 | UInt16(v.bitPattern >> 13 & 0x3FF), "\(v)")
        #expect(z.pointer[i] == UInt16(v.bitPattern >> 16) | 0x40, "\(v)")
      } else {
        #expect(y.pointer[i] == Float16(v).bitPattern, "\(v)")
        #expect(z.pointer[i] == nearestBFloat16(v), "\(v)")
      }
    }
  }

  private func nearestBFloat16(_ v: Float) -> UInt16 {
    let low = UInt64(v.bitPattern & 0x7FFF_FFFF)
    var (q, r) = (low >> 16, low & 0xFFFF)
    if r > 0x8000 || (r == 0x8000 && q % 2 == 1) { q += 1 }
    return UInt16(v.bitPattern >> 16 & 0x8000) | UInt16(q)
  }

  @Test(arguments: Table.all, lengths) func anyLengthConverts(_ table: Table, _ n: Int) {
    let values = FloatFill.wide.values(n)
    let x = Guarded(values)
    let half = Guarded<UInt16>(n)
    let wide = Guarded<Float>(n)
    table.kernels.f32_to_f16(x.pointer, half.pointer, n)
    #expect(half.array == values.map { Float16($0).bitPattern })
    table.kernels.f16_to_f32(half.pointer, wide.pointer, n)
    #expect(wide.array == values.map { Float(Float16($0)) })
    table.kernels.f32_to_bf16(x.pointer, half.pointer, n)
    #expect(half.array == values.map(nearestBFloat16))
    table.kernels.bf16_to_f32(half.pointer, wide.pointer, n)
    #expect(wide.array == half.array.map { Float(bitPattern: UInt32($0) << 16) })
  }
}

@Suite struct KernelsQuantizeTests {
  private func check<Code: FixedWidthInteger & BitwiseCopyable>(
    _ values: [Float], _ codes: ClosedRange<Int32>, _ type: Code.Type,
    _ kernel: (
      UnsafePointer<Float>, UnsafeMutablePointer<Code>, Int, Float, Int32, Int32, Int32
    ) -> Void
  ) {
    let x = Guarded(values)
    let y = Guarded<Code>(values.count)
    let zeros = Set([codes.lowerBound, codes.upperBound, codes.contains(0) ? 0 : 128])
    for scale: Float in [1, 0.1, 0.333, 1e-38, 3e38] {
      for zero in zeros {
        kernel(x.pointer, y.pointer, x.count, scale, zero, codes.lowerBound, codes.upperBound)
        let expected = values.map { Code(referenceCode($0 / scale, zero, codes)) }
        #expect(y.array == expected, "scale \(scale), zero \(zero)")
      }
    }
  }

  @Test(arguments: Table.all, FloatFill.allCases)
  func quantizes(_ table: Table, _ fill: FloatFill) {
    let k = table.kernels
    for n in lengths {
      let values = fill.values(n)
      check(values, 0...255, UInt8.self, k.quantize_u8)
      check(values, -128...127, Int8.self, k.quantize_s8)
      check(values, -8...7, Int8.self, k.quantize_s8)
      check(values, 0...65535, UInt16.self, k.quantize_u16)
      check(values, -32768...32767, Int16.self, k.quantize_s16)
      check(values, Int32.min...Int32.max, Int32.self, k.quantize_s32)
    }
  }

  /// Where x / scale and x × (1 / scale) round to different codes.
  @Test(arguments: Table.all) func dividesTruly(_ table: Table) {
    let scale: Float = 0.013
    let values = (0..<512).flatMap { k -> [Float] in
      let tie = (Float(k) - 256 + 0.5) * scale
      return [tie.nextDown, tie, tie.nextUp]
    }
    let x = Guarded(values)
    let y = Guarded<Int16>(values.count)
    table.kernels.quantize_s16(x.pointer, y.pointer, x.count, scale, 0, -32768, 32767)
    #expect(y.array == values.map { Int16(referenceCode($0 / scale, 0, -32768...32767)) })
  }

  /// Rounding to codes leaves what quantizing and dequantizing does: every code with its ties and their neighbours, NaN,
  /// infinities and zeros of both signs among them.
  @Test(
    arguments: Table.all,
    [(0, 65535), (-32768, 32767), (0, 255), (-128, 127), (-8, 7), (0, 3)] as [(Int32, Int32)])
  func roundsToCodes(_ table: Table, _ bounds: (Int32, Int32)) {
    let k = table.kernels
    let (low, high) = bounds
    for scale in [Float(0.013), 1, 0x1p-130, 3e33] {
      var values = FloatFill.special.values(300) + FloatFill.wide.values(300) + [-0.0, 0]
      for code in stride(from: Float(low) - 300, through: Float(high) + 300, by: 1) {
        let tie = (code + 0.5) * scale
        values += [tie.nextDown, tie, tie.nextUp, code * scale]
      }
      for zero in [low, high, (low + high) / 2] {
        let x = Guarded(values)
        let y = Guarded<Float>(values.count)
        let codes = Guarded<Int32>(values.count)
        let expected = Guarded<Float>(values.count)
        k.quantize_s32(x.pointer, codes.pointer, values.count, scale, zero, low, high)
        k.dequantize_s32(codes.pointer, expected.pointer, values.count, scale, zero)
        k.round_to_codes(x.pointer, y.pointer, values.count, scale, zero, low, high)
        let bits = expected.array.map(\.bitPattern)
        #expect(y.array.map(\.bitPattern) == bits)
        k.round_to_codes(x.pointer, x.pointer, values.count, scale, zero, low, high)
        #expect(x.array.map(\.bitPattern) == bits, "in place")
      }
    }
    for n in lengths {
      let x = Guarded(FloatFill.special.values(n))
      let y = Guarded<Float>(n)
      k.round_to_codes(x.pointer, y.pointer, n, 0.37, 0, 0, 65535)
      let codes = x.array.map { Float(referenceCode($0 / 0.37, 0, 0...65535)) }
      #expect(y.array.map(\.bitPattern) == codes.map { ($0 * 0.37).bitPattern })
    }
  }

  private func check<Code: FixedWidthInteger & BitwiseCopyable>(
    _ codes: [Code],
    _ kernel: (UnsafePointer<Code>, UnsafeMutablePointer<Float>, Int, Float, Int32) -> Void
  ) {
    let x = Guarded(codes)
    let y = Guarded<Float>(codes.count)
    for zero in [Int32(0), 128, -5] {
      kernel(x.pointer, y.pointer, codes.count, 0.37, zero)
      #expect(y.array == codes.map { Float(Int32($0) &- zero) * 0.37 })
    }
  }

  @Test(arguments: Table.all, lengths) func dequantizes(_ table: Table, _ n: Int) {
    let k = table.kernels
    var random = Random(n)
    let codes = (0..<n).map { _ in Int32(truncatingIfNeeded: random.next()) }
    check(codes.map { UInt8(truncatingIfNeeded: $0) }, k.dequantize_u8)
    check(codes.map { Int8(truncatingIfNeeded: $0) }, k.dequantize_s8)
    check(codes.map { UInt16(truncatingIfNeeded: $0) }, k.dequantize_u16)
    check(codes.map { Int16(truncatingIfNeeded: $0) }, k.dequantize_s16)
    check(codes, k.dequantize_s32)
  }
}
