import CKernels
import Testing

@Suite struct KernelsStatisticsTests {
  @Test(arguments: Table.all, FloatFill.allCases) func ranges(_ table: Table, _ fill: FloatFill) {
    for n in lengths {
      for seed in 1...3 {
        let values = fill.values(n, seed: seed)
        let x = Guarded(values)
        let found = table.kernels.min_max(x.pointer, n)
        let finite = values.filter(\.isFinite)
        #expect(found.min == finite.min() ?? .infinity)
        #expect(found.max == finite.max() ?? -.infinity)
        #expect(found.non_finite == n - finite.count)
        #expect(found.first_non_finite == values.firstIndex { !$0.isFinite } ?? n)
      }
    }
  }

  @Test(arguments: Table.all, FloatFill.finite) func sums(_ table: Table, _ fill: FloatFill) {
    for n in lengths {
      let a = fill.values(n)
      let b = fill.values(n, seed: 2)
      let x = Guarded(a)
      let y = Guarded(b)
      let bound = 1e-15 * Double(n)
      let magnitude = a.reduce(0) { $0 + Double($1.magnitude) }
      let squares = a.reduce(0) { $0 + Double($1) * Double($1) }
      let sums = table.kernels.sums(x.pointer, n)
      #expect(abs(sums.sum - a.reduce(0) { $0 + Double($1) }) <= bound * magnitude)
      #expect(abs(sums.sum_of_squares - squares) <= bound * squares)
      let pairs = zip(a, b).map { (Double($0), Double($1)) }
      let error = pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      #expect(abs(table.kernels.squared_error(x.pointer, y.pointer, n) - error) <= bound * error)
      let dot = pairs.reduce(0) { $0 + $1.0 * $1.1 }
      let dotMagnitude = pairs.reduce(0) { $0 + abs($1.0 * $1.1) }
      #expect(abs(table.kernels.dot(x.pointer, y.pointer, n) - dot) <= bound * dotMagnitude)
    }
  }

  @Test(arguments: Table.all, FloatFill.allCases) func errors(_ table: Table, _ fill: FloatFill) {
    for n in lengths {
      let a = fill.values(n)
      // Some pairs are equal.
      let b = zip(a, fill.values(n, seed: 2)).enumerated().map { $0 % 3 == 0 ? $1.0 : $1.1 }
      let (x, y) = (Guarded(a), Guarded(b))
      let found = table.kernels.errors(x.pointer, y.pointer, n)
      let pairs = zip(a, b).map { (Double($0), Double($1)) }
      let finite = pairs.filter { $0.0.isFinite && $0.1.isFinite }
      func isSum(_ sum: Double, _ term: ((Double, Double)) -> Double) -> Bool {
        let terms = finite.map(term)
        let magnitude = terms.reduce(0) { $0 + abs($1) }
        return abs(sum - terms.reduce(0, +)) <= 1e-15 * Double(n) * magnitude
      }
      #expect(isSum(found.signal) { $0.1 * $0.1 })
      #expect(isSum(found.energy) { $0.0 * $0.0 })
      #expect(isSum(found.product) { $0.0 * $0.1 })
      #expect(isSum(found.noise) { ($0.0 - $0.1) * ($0.0 - $0.1) })
      #expect(isSum(found.distance) { abs($0.0 - $0.1) })
      #expect(found.greatest == finite.map { abs($0.0 - $0.1) }.max() ?? 0)
      let unlike = zip(a, b).filter { !($0.isFinite && $1.isFinite) && !$0.same(as: $1) }
      #expect(found.non_finite == unlike.count)
    }
  }

  @Test(arguments: Table.all, FloatFill.finite) func clampedSums(_ table: Table, _ fill: FloatFill)
  {
    let bounds: [(Float, Float)] = [(0, 6), (-0.25, 0.5), (-.infinity, .infinity)]
    for (lo, hi) in bounds {
      for n in lengths {
        let values = fill.values(n)
        let x = Guarded(values)
        let found = table.kernels.clamped_sum(x.pointer, n, 0.25, lo, hi)
        let (sum, magnitude, inside) = expected(values, shift: 0.25, lo, hi)
        #expect(abs(found.sum - sum) <= 1e-15 * Double(n) * magnitude)
        #expect(found.inside == inside)
      }
      for (pixels, channels) in [(0, 3), (1, 1), (5, 16), (7, 17), (3, 33), (65, 40)] {
        let values = fill.values(pixels * channels)
        let shifts = FloatFill.random.values(channels)
        let (x, shift) = (Guarded(values), Guarded(shifts))
        let sums = Guarded([tk_clamped_sum](repeating: .init(sum: 1, inside: 2), count: channels))
        table.kernels.clamped_channel_sums(
          x.pointer, pixels, channels, shift.pointer, lo, hi, sums.pointer)
        for channel in 0..<channels {
          let column = (0..<pixels).map { values[$0 * channels + channel] }
          let (sum, magnitude, inside) = expected(column, shift: shifts[channel], lo, hi)
          #expect(
            abs(sums.array[channel].sum - 1 - sum) <= 1e-15 * Double(pixels + 1) * (magnitude + 1))
          #expect(sums.array[channel].inside == inside + 2)
        }
      }
    }
  }

  private func expected(
    _ values: [Float], shift: Float, _ lo: Float, _ hi: Float
  ) -> (sum: Double, magnitude: Double, inside: Int) {
    let shifted = values.map { $0 + shift }
    let clamped = shifted.map { Double(Swift.min(Swift.max($0, lo), hi)) }
    return (
      clamped.reduce(0, +), clamped.reduce(0) { $0 + abs($1) },
      shifted.count { $0 > lo && $0 < hi }
    )
  }

  @Test(arguments: Table.all, FloatFill.finite)
  func magnitudesAreCounted(_ table: Table, _ fill: FloatFill) {
    for n in lengths {
      for bins in [1, 2, 4096] {
        let values = fill.values(n)
        let limit = Float(
          sign: .plus, exponent: Int((values.map(\.magnitude).max() ?? 0).nextUp.exponent) + 1,
          significand: 1)
        let scale = Float(Swift.min(Double(bins) / Double(limit), 0x1p112))
        let x = Guarded(values)
        let counts = Guarded([UInt64](repeating: 3, count: 2 * bins))
        let zeros = table.kernels.count_magnitudes(x.pointer, n, scale, counts.pointer, bins)
        var expected = [UInt64](repeating: 3, count: 2 * bins)
        for v in values where v != 0 {
          let distance = Int(v.magnitude * scale)
          expected[v > 0 ? bins + distance : bins - 1 - distance] += 1
        }
        #expect(counts.array == expected, "\(n) values in \(bins) bins")
        #expect(zeros == values.count { $0 == 0 })
      }
    }
  }
}
