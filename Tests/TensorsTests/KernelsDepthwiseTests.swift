import CKernels
import Testing

/// A list of pixels by taps, through pointers into a pool of 40 rows; pick 0 is the padding.
struct Window<Element: BitwiseCopyable> {
  let memory: Guarded<Element>
  let padding: Guarded<Element>
  let pointers: Guarded<UnsafePointer<Element>>
  let picks: [Int]
  let taps: Int
  let channels: Int

  /// Pixels that have nothing in common, or that share columns as `geometry` says.
  init(
    pixels: Int, taps: Int, channels: Int, geometry: Geometry? = nil, margin: Int = 0,
    _ fill: (Int, Int) -> [Element]
  ) {
    self.taps = taps
    self.channels = channels
    memory = Guarded(fill(40 * channels, 1), margin: margin)
    padding = Guarded(fill(channels, 2), margin: margin)
    var random = Random(pixels + taps)
    picks = (0..<pixels * taps).map { index in
      guard let geometry, geometry.run > 1 else { return Int(random.next() % 40) }
      return geometry.pick(pixel: index / taps, tap: index % taps)
    }
    let base = UnsafePointer(memory.pointer)
    let pad = UnsafePointer(padding.pointer)
    pointers = Guarded(picks.map { $0 == 0 ? pad : base + ($0 - 1) * channels })
  }

  /// Added to every pointer but the padding's.
  var offset: Int { channels }

  func value(_ pixel: Int, _ tap: Int, _ channel: Int) -> Element {
    let pick = picks[pixel * taps + tap]
    return pick == 0 ? padding.pointer[channel] : memory.pointer[pick * channels + channel]
  }
}

/// A kernel of `height` by `width` taps, and how far pixels of a run of `run` are apart.
struct Geometry {
  let height, width, run, step: Int

  /// The row under a tap: neighbours see the same ones `step` columns further left.
  func pick(pixel: Int, tap: Int) -> Int {
    let column = pixel % run * step + tap % width
    return (pixel / run * 11 + tap / width * 7 + column * 3) % 40
  }
}

private let geometries =
  [(1, 1), (9, 1), (2, 2), (3, 3), (5, 5), (7, 1), (3, 2), (4, 3)].map {
    Geometry(height: $0, width: $1, run: 1, step: 1)
  }
  + [(3, 1), (3, 2), (5, 1), (5, 2), (7, 1), (4, 3)].flatMap { side, step in
    [2, 4, 5, 7, 8, 13, 19].map { Geometry(height: side, width: side, run: $0, step: step) }
  }
private let windows = [(1, 1), (1, 9), (5, 4), (13, 9), (2, 25), (3, 7)]
private let channelCounts = [1, 3, 8, 15, 16, 17, 32, 33, 63, 64, 65, 100, 128, 130, 200]

@Suite struct KernelsDepthwiseTests {
  @Test(arguments: Table.all, ByteFill.allCases)
  func convolvesExactly(_ table: Table, _ fill: ByteFill) {
    for geometry in geometries {
      let (pixels, taps) = (13, geometry.height * geometry.width)
      for channels in channelCounts {
        let window = Window(
          pixels: pixels, taps: taps, channels: channels, geometry: geometry,
          margin: Int(TK_ROW_MARGIN)
        ) { fill.values($0, seed: $1) }
        let signed: ByteFill = fill == .allOnes ? .top : fill
        let weights = Guarded(signed.signed(taps * channels, seed: 3))
        let packed = Packed<Int8>(
          tk_depthwise_packed_count(
            geometry.height, geometry.width, channels))
        let sums = Guarded<Int32>(channels)
        table.kernels.u8s8_depthwise_pack(
          weights.pointer, geometry.height, geometry.width, channels, packed.pointer, sums.pointer)
        let epilogues = Epilogues(channels)
        for c in 0..<channels {
          let sum = (0..<taps).reduce(0) { $0 + Int32(weights.pointer[$1 * channels + c]) }
          #expect(sums.pointer[c] == sum)
        }
        for kind in [TK_OUT_S32, TK_OUT_U8, TK_OUT_F32] {
          for zeros in [false, true] {
            let c = SumMemory(kind, pixels * (channels + 2) - 2)
            var d = tk_u8s8_depthwise(
              pixels: pixels, height: geometry.height, width: geometry.width, channels: channels,
              run: geometry.run, step: geometry.step, rows: window.pointers.pointer,
              row_offset: window.offset, pad_row: window.padding.pointer, weights: packed.pointer,
              out: epilogues.arguments(kind, c.bytes.pointer, stride: channels + 2, zeros: zeros))
            tk_run_u8s8_depthwise(table.pointer, &d)
            for p in 0..<pixels {
              for j in 0..<channels {
                var (acc, rowSum) = (0, 0)
                for t in 0..<taps {
                  acc += Int(window.value(p, t, j)) * Int(weights.pointer[t * channels + j])
                  rowSum += Int(window.value(p, t, j))
                }
                let expected = epilogues.expected(kind, acc, rowSum: rowSum, j, zeros: zeros)
                let got = c[p * (channels + 2) + j]
                if got != expected, !(got.isNaN && expected.isNaN) {
                  Issue.record("[\(p), \(j)] of \(geometry), \(channels): \(got), not \(expected)")
                  return
                }
              }
            }
          }
        }
      }
    }
  }

  @Test(arguments: Table.all, FloatFill.finite)
  func convolvesFloats(_ table: Table, _ fill: FloatFill) {
    for (pixels, taps) in windows {
      for channels in channelCounts {
        let window = Window(pixels: pixels, taps: taps, channels: channels) {
          fill.values($0, seed: $1)
        }
        let weights = Guarded(fill.values(taps * channels, seed: 4))
        let bias = Guarded(fill.values(channels, seed: 5))
        let stride = channels + pixels % 2
        let c = Guarded([Float](repeating: -7, count: pixels * stride))
        var d = tk_f32_depthwise(
          pixels: pixels, taps: taps, channels: channels, rows: window.pointers.pointer,
          row_offset: window.offset, pad_row: window.padding.pointer, weights: weights.pointer,
          bias: bias.pointer, lo: -.infinity, hi: 100, c: c.pointer, ldc: stride)
        tk_run_f32_depthwise(table.pointer, &d)
        for p in 0..<pixels {
          for j in 0..<channels {
            var (sum, magnitude) = (Double(bias.pointer[j]), Double(bias.pointer[j].magnitude))
            for t in 0..<taps {
              let term = Double(window.value(p, t, j)) * Double(weights.pointer[t * channels + j])
              sum += term
              magnitude += abs(term)
            }
            let bound = Double(taps + 2) * (0x1p-24 * magnitude + 0x1p-149)
            #expect(abs(Double(c.pointer[p * stride + j]) - min(sum, 100)) <= bound)
          }
          if stride > channels { #expect(c.pointer[p * stride + channels] == -7) }
        }
      }
    }
  }

  @Test(arguments: Table.all) func pools(_ table: Table) {
    for (pixels, taps) in windows {
      for channels in channelCounts {
        let bytes = Window(pixels: pixels, taps: taps, channels: channels) {
          ByteFill.random.values($0, seed: $1)
        }
        let floats = Window(pixels: pixels, taps: taps, channels: channels) {
          FloatFill.special.values($0, seed: $1)
        }
        let stride = channels + pixels % 2
        let y = Guarded([UInt8](repeating: 7, count: pixels * stride))
        let z = Guarded([Float](repeating: -7, count: pixels * stride))
        bytes.pointers.pointer.withMemoryRebound(
          to: UnsafeRawPointer.self, capacity: pixels * taps
        ) { rows in
          var pool = tk_max_pool(
            pixels: pixels, taps: taps, channels: channels, rows: rows, row_offset: bytes.offset,
            pad_row: bytes.padding.pointer, c: y.pointer, ldc: stride)
          tk_run_max_pool_u8(table.pointer, &pool)
        }
        floats.pointers.pointer.withMemoryRebound(
          to: UnsafeRawPointer.self, capacity: pixels * taps
        ) { rows in
          var pool = tk_max_pool(
            pixels: pixels, taps: taps, channels: channels, rows: rows, row_offset: floats.offset,
            pad_row: floats.padding.pointer, c: z.pointer, ldc: stride)
          tk_run_max_pool_f32(table.pointer, &pool)
        }
        for p in 0..<pixels {
          for c in 0..<channels {
            let codes = (0..<taps).map { bytes.value(p, $0, c) }
            let reals = (0..<taps).map { floats.value(p, $0, c) }
            #expect(y.pointer[p * stride + c] == codes.max()!)
            let nan = reals.contains { $0.isNaN }
            #expect(z.pointer[p * stride + c].same(as: nan ? .nan : reals.max()!))
          }
          if stride > channels {
            #expect(y.pointer[p * stride + channels] == 7)
            #expect(z.pointer[p * stride + channels] == -7)
          }
        }
      }
    }
  }
}
