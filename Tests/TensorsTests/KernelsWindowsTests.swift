import CKernels
import Foundation
import Testing

/// Means over pixels' taps, and responses normalized by neighbouring channels.
@Suite struct KernelsWindowsTests {
  /// What codes are computed with: scale, zero point, bounds and what is xored.
  static let codings: [(scale: Float, zero: Float, lo: Float, hi: Float, flip: UInt8)] = [
    (0.02, 3, 0, 255, 0), (0.5, -7, -128, 127, 0x80), (1e-3, 128, 100, 140, 0),
    (1e-30, 0, 0, 255, 0), (1, 0, 0, 255, 0),
  ]

  @Test(arguments: Table.all) func means(_ table: Table) {
    for (pixels, taps) in [(1, 1), (3, 4), (7, 9), (30, 25)] {
      for channels in [1, 3, 15, 16, 17, 63, 64, 65, 80, 130] {
        let x = Window(pixels: pixels, taps: taps, channels: channels) {
          FloatFill.random.values($0, seed: $1)
        }
        let divisors = Guarded((0..<pixels).map { Float($0 % taps + 1) })
        let sums = (0..<pixels * channels).map { i in
          (0..<taps).reduce(Float(0)) { $0 + x.value(i / channels, $1, i % channels) }
        }
        let expected = sums.indices.map { sums[$0] / divisors.pointer[$0 / channels] }
        let y = Guarded<Float>(pixels * channels)
        var numbers = tk_average_pool(
          pixels: pixels, taps: taps, channels: channels, rows: x.pointers.pointer,
          row_offset: x.offset, pad_row: x.padding.pointer, divisors: divisors.pointer,
          means: y.pointer, codes: nil, scale: 1, zero: 0, lo: 0, hi: 0, flip: 0)
        tk_run_average_pool(table.pointer, &numbers)
        for i in sums.indices { #expect(y.pointer[i].same(as: expected[i])) }
        for c in Self.codings {
          let q = Guarded<UInt8>(pixels * channels)
          var codes = numbers
          codes.means = nil
          codes.codes = q.pointer
          (codes.scale, codes.zero, codes.lo, codes.hi) = (c.scale, c.zero, c.lo, c.hi)
          codes.flip = c.flip
          tk_run_average_pool(table.pointer, &codes)
          for i in sums.indices {
            let code = min(max(expected[i] / c.scale + c.zero, c.lo), c.hi)
            let byte = UInt8(truncatingIfNeeded: Int(code.rounded(.toNearestOrEven))) ^ c.flip
            #expect(q.pointer[i] == byte)
          }
        }
      }
    }
  }

  @Test(arguments: Table.all) func meansOfNaNAreTheLeastCode(_ table: Table) {
    let x = Window(pixels: 2, taps: 2, channels: 20) { count, _ in
      [Float](repeating: .nan, count: count)
    }
    let q = Guarded<UInt8>(40)
    let divisors = Guarded<Float>([2, 2])
    var pool = tk_average_pool(
      pixels: 2, taps: 2, channels: 20, rows: x.pointers.pointer, row_offset: x.offset,
      pad_row: x.padding.pointer, divisors: divisors.pointer, means: nil, codes: q.pointer,
      scale: 1, zero: 5, lo: 5, hi: 250, flip: 0)
    tk_run_average_pool(table.pointer, &pool)
    for i in 0..<40 { #expect(q.pointer[i] == 5) }
  }

  @Test(arguments: Table.all) func responses(_ table: Table) {
    for (rows, channels) in [(1, 1), (3, 7), (5, 16), (4, 17), (3, 64), (2, 200)] {
      for (size, beta) in [(1, 0.75), (2, 0.75), (5, 0.75), (5, 0.5), (9, 1.25), (64, 0.75)] {
        let x = Guarded(FloatFill.random.values(rows * channels, seed: size))
        let y = Guarded<Float>(rows * channels)
        var norm = tk_response_norm(
          rows: rows, channels: channels, size: size, factor: 0.3, beta: Float(beta), bias: 1.5,
          x: x.pointer, y: y.pointer)
        tk_run_response_norm(table.pointer, &norm)
        for r in 0..<rows {
          for c in 0..<channels {
            let first = c - (size - 1) / 2
            let window = max(first, 0)..<min(first + size, channels)
            let sum = window.reduce(0.0) { $0 + pow(Double(x.pointer[r * channels + $1]), 2) }
            let value = Double(x.pointer[r * channels + c])
            let expected = value / pow(1.5 + Double(Float(0.3)) * sum, beta)
            let error = abs(Double(y.pointer[r * channels + c]) - expected)
            #expect(error <= 8 * Double(Float(expected.magnitude).ulp))
          }
        }
      }
    }
  }
}

/// Channels dealt out.
@Suite struct KernelsShuffleTests {
  @Test(arguments: Table.all, [1, 2, 3, 4, 5, 8, 17])
  func channelsAreDealtOut(_ table: Table, _ rows: Int) {
    for (pixels, columns) in [(1, 1), (3, 7), (2, 16), (5, 33), (1, 130)] {
      let count = pixels * rows * columns
      let bytes = Guarded(ByteFill.random.values(count, seed: columns))
      let words = Guarded((0..<count).map { UInt32($0 * 7919) })
      let y = Guarded<UInt8>(count)
      let z = Guarded<UInt32>(count)
      table.kernels.shuffle_8(bytes.pointer, pixels, rows, columns, y.pointer)
      table.kernels.shuffle_32(words.pointer, pixels, rows, columns, z.pointer)
      for i in 0..<count {
        let (p, c, r) = (i / (rows * columns), i / rows % columns, i % rows)
        let from = (p * rows + r) * columns + c
        #expect(y.pointer[i] == bytes.pointer[from])
        #expect(z.pointer[i] == words.pointer[from])
      }
    }
  }
}
