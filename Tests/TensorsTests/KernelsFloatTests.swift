import CKernels
import Foundation
import Testing

@Suite struct KernelsFloatTests {
  @Test(arguments: Table.all, FloatFill.allCases)
  func computesElementWise(_ table: Table, _ fill: FloatFill) {
    let operations: [(tk_binary, (Float, Float) -> Float)] = [
      (TK_ADD, { $0 + $1 }), (TK_SUB, { $0 - $1 }), (TK_MUL, { $0 * $1 }), (TK_DIV, { $0 / $1 }),
      (TK_MAX, { $0.isNaN || $1.isNaN ? .nan : Swift.max($0, $1) }),
      (TK_MIN, { $0.isNaN || $1.isNaN ? .nan : Swift.min($0, $1) }),
    ]
    for n in lengths {
      let a = Guarded(fill.values(n + 1))
      let b = Guarded(fill.values(n + 1, seed: 2))
      let y = Guarded<Float>(n)
      for (operation, reference) in operations {
        for (aStep, bStep) in [(1, 1), (1, 0), (0, 1), (0, 0)] {
          table.kernels.binary(operation, a.pointer, aStep, b.pointer, bStep, y.pointer, n)
          for i in 0..<n {
            let expected = reference(a.pointer[i * aStep], b.pointer[i * bStep])
            if !y.pointer[i].same(as: expected) { Issue.record("\(operation) at \(i) of \(n)") }
          }
        }
      }
      table.kernels.clamp(a.pointer, y.pointer, n, -0.25, 100)
      for i in 0..<n {
        let v = a.pointer[i]
        #expect(y.pointer[i].same(as: v.isNaN ? v : Swift.min(Swift.max(v, -0.25), 100)))
      }
    }
  }

  private static let functions: [(tk_unary, @Sendable (Double) -> Double)] = [
    (TK_RELU, { $0 < 0 ? 0 : $0 }),
    (TK_SIGMOID, { 1 / (1 + exp(-$0)) }),
    (TK_TANH, { tanh($0) }),
    (TK_EXP, { exp($0) }),
    (TK_ERF, { erf($0) }),
    (TK_GELU, { $0 == -.infinity ? 0 : $0 / 2 * erfc(-$0 / 2.0.squareRoot()) }),
    (
      TK_GELU_TANH,
      {
        let u = (2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0)
        return $0 == -.infinity ? 0 : $0 / (1 + exp(-2 * u))
      }
    ),
    (TK_SILU, { $0 == -.infinity ? 0 : $0 / (1 + exp(-$0)) }),
  ]

  /// How many floats lie between two values of one sign; NaN only equals NaN.
  private func ulps(_ a: Float, _ b: Float) -> Int {
    if a.isNaN || b.isNaN { return a.isNaN && b.isNaN ? 0 : .max }
    if a == b { return 0 }
    func order(_ x: Float) -> Int {
      let bits = Int(x.bitPattern & 0x7FFF_FFFF)
      return x.sign == .minus ? -bits : bits
    }
    return abs(order(a) - order(b))
  }

  @Test(arguments: Table.all, 0..<8) func functionsAreAccurate(_ table: Table, _ which: Int) {
    let (operation, reference) = Self.functions[which]
    var values = FloatFill.special.values(300) + FloatFill.denormal.values(100)
    values += FloatFill.wide.values(2000)
    values += (0..<40000).map { (Float($0) - 20000) / 1000 }
    values += (0..<4000).map { (Float($0) - 2000) / 18 }
    let x = Guarded(values)
    let y = Guarded<Float>(values.count)
    table.kernels.unary(operation, x.pointer, y.pointer, values.count)
    var worst = (0, Float(0))
    for (i, v) in values.enumerated() {
      let error = ulps(y.pointer[i], Float(reference(Double(v))))
      if error > worst.0 { worst = (error, v) }
    }
    #expect(worst.0 <= 2, "\(worst.0) ulp at \(worst.1)")
  }

  /// The same value at any place of an array of any length, also in place.
  @Test(arguments: Table.all, 0..<8) func functionsTakeAnyLength(_ table: Table, _ which: Int) {
    let (operation, _) = Self.functions[which]
    let values = FloatFill.random.values(1000).map { $0 * 4 }
    let whole = Guarded(values)
    table.kernels.unary(operation, whole.pointer, whole.pointer, 1000)
    for n in lengths {
      let x = Guarded(Array(values.suffix(n)))
      let y = Guarded<Float>(n)
      table.kernels.unary(operation, x.pointer, y.pointer, n)
      #expect(y.array == Array(whole.array.suffix(n)))
    }
  }

  private func close(_ got: Float, _ expected: Double, _ slack: Double) -> Bool {
    if expected.isNaN { return got.isNaN }
    return abs(Double(got) - expected) <= slack + abs(expected) * 4e-7 + 2e-45
  }

  @Test(arguments: Table.all, lengths) func softmax(_ table: Table, _ n: Int) {
    for scale in [Float(1), 20, 1e4] {
      let values = FloatFill.random.values(3 * n).map { $0 * scale }
      let x = Guarded(values)
      let y = Guarded<Float>(3 * n)
      table.kernels.softmax(x.pointer, y.pointer, 3, n)
      for r in 0..<3 where n > 0 {
        let row = values[r * n..<(r + 1) * n].map(Double.init)
        let e = row.map { exp($0 - row.max()!) }
        let sum = e.reduce(0, +)
        for i in 0..<n { #expect(close(y.pointer[r * n + i], e[i] / sum, 0)) }
      }
    }
  }

  @Test(arguments: Table.all) func softmaxOfWhatIsNotFinite(_ table: Table) {
    for n in [1, 5, 40] {
      for (value, everywhere) in [
        (Float.nan, false), (.infinity, false), (-Float.infinity, true),
      ] {
        let row = (0..<n).map { everywhere || $0 == n - 1 ? value : 0 }
        let x = Guarded(row)
        let y = Guarded<Float>(n)
        table.kernels.softmax(x.pointer, y.pointer, 1, n)
        #expect(y.array.allSatisfy { $0.isNaN }, "\(value) of \(n)")
      }
    }
    let x = Guarded<Float>([0, -.infinity, 0])
    let y = Guarded<Float>(3)
    table.kernels.softmax(x.pointer, y.pointer, 1, 3)
    #expect(y.array == [0.5, 0, 0.5])
  }

  @Test(arguments: Table.all, lengths) func normalizes(_ table: Table, _ n: Int) {
    for (offset, epsilon) in [(Float(0), Float(1e-5)), (100, 1e-12), (0, 1)] {
      let values = FloatFill.random.values(2 * n).map { $0 + offset }
      let x = Guarded(values)
      let y = Guarded<Float>(2 * n)
      let gamma = Guarded(FloatFill.random.values(n, seed: 2))
      let beta = Guarded(FloatFill.random.values(n, seed: 3))
      for scaled in [false, true] {
        let g = scaled ? gamma.pointer : nil
        let b = scaled ? beta.pointer : nil
        for centered in [false, true] {
          if centered {
            table.kernels.layer_norm(x.pointer, g, b, epsilon, y.pointer, 2, n)
          } else {
            table.kernels.rms_norm(x.pointer, g, epsilon, y.pointer, 2, n)
          }
          for r in 0..<2 where n > 0 {
            let row = values[r * n..<(r + 1) * n].map(Double.init)
            let mean = centered ? row.reduce(0, +) / Double(n) : 0
            let square = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n)
            for i in 0..<n {
              var expected = (row[i] - mean) / (square + Double(epsilon)).squareRoot()
              let slack = scaled && centered ? abs(expected) * 4e-7 : 0
              expected = expected * Double(g?[i] ?? 1) + (centered ? Double(b?[i] ?? 0) : 0)
              #expect(close(y.pointer[r * n + i], expected, slack), "\(offset) \(epsilon) \(i)")
            }
          }
        }
      }
    }
  }
}
