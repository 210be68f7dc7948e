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

  @Test(arguments: Table.all, FloatFill.allCases) func histogram(_ table: Table, _ fill: FloatFill)
  {
    for n in lengths {
      for (lo, hi, bins) in [(Float(-1), Float(1), 10), (-0.3, 150, 2048), (0, 1e-38, 7)] {
        let values = fill.values(n)
        let x = Guarded(values)
        let counts = Guarded([UInt64](repeating: 3, count: bins))
        table.kernels.histogram(x.pointer, n, lo, hi, counts.pointer, bins)
        var expected = [UInt64](repeating: 3, count: bins)
        for v in values where v >= lo && v <= hi {
          expected[Swift.min(Int((v - lo) / (hi - lo) * Float(bins)), bins - 1)] += 1
        }
        #expect(counts.array == expected, "\(n) values in \(lo)...\(hi)")
      }
    }
  }
}
