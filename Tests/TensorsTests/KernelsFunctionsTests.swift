import CKernels
import Foundation
import Testing

/// Every function of one float over all exponents, against double; what CKernels.h states is tested here.
@Suite struct KernelsFunctionsTests {
  private struct Function: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let operation: tk_unary
    /// The greatest error in units in the last place of the result.
    let bound: Double
    let exact: @Sendable (Double) -> Double

    init(
      _ name: String, _ operation: tk_unary, _ bound: Double,
      _ exact: @escaping @Sendable (Double) -> Double
    ) {
      (testDescription, self.operation, self.bound, self.exact) = (name, operation, bound, exact)
    }
  }

  private static let functions = [
    Function("relu", TK_RELU, 0) { $0 < 0 ? 0 : $0 },
    Function("sigmoid", TK_SIGMOID, 0.51) { 1 / (1 + exp(-$0)) },
    Function("tanh", TK_TANH, 0.51) { tanh($0) },
    Function("exp", TK_EXP, 0.51) { exp($0) },
    Function("erf", TK_ERF, 0.51) { erf($0) },
    Function("gelu", TK_GELU, 0.53) {
      $0 == -.infinity ? 0 : $0 / 2 * erfc(-$0 / 2.0.squareRoot())
    },
    Function("gelu by tanh", TK_GELU_TANH, 0.51) {
      let twice = 2 * (2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0)
      return $0 == -.infinity ? 0 : $0 / (1 + exp(-twice))
    },
    Function("silu", TK_SILU, 0.51) { $0 == -.infinity ? 0 : $0 / (1 + exp(-$0)) },
  ]

  /// Floats of all exponents and both signs, each 2039th; those next to powers of two, to where functions saturate or change
  /// their formula, to 0, to infinity and to NaN.
  private static let arguments: [Float] = {
    var bits = Array(stride(from: UInt32(0), to: .max - 2039, by: 2039))
    var marks: [Float] = (-149...127).map { Float(sign: .plus, exponent: $0, significand: 1) }
    marks += [0, .infinity, .leastNormalMagnitude, .greatestFiniteMagnitude, .nan]
    marks += [
      3.8325, 3.9192, 4.5, 5.5, 8.3178, 8.6643, 9.0109, 10.0542, 13.19, 14.3, 16.6355, 17.3287,
      87.3366,
      88.3763, 88.7228, 89, 92, 103.2789, 103.9721, 104, 200, 350, 700, 709.7827, 745.1332,
    ]
    for mark in marks {
      for distance in -40...40 {
        let near = UInt32(truncatingIfNeeded: Int(mark.bitPattern) + distance) & 0x7FFF_FFFF
        bits += [near, near | 0x8000_0000]
      }
    }
    return bits.map { Float(bitPattern: $0) }
  }()

  /// The distance of a float from the exact value, in steps between floats of the exact value's size.
  private static func error(_ found: Float, _ exact: Double) -> Double {
    if exact.isNaN || found.isNaN { return exact.isNaN && found.isNaN ? 0 : .infinity }
    let rounded = Float(exact)
    if found == rounded { return found.isInfinite ? 0 : steps(Double(found) - exact, exact) }
    if found.isInfinite || rounded.isInfinite { return .infinity }
    return steps(Double(found) - exact, exact)
  }

  private static func steps(_ distance: Double, _ exact: Double) -> Double {
    let exponent = max(exact == 0 ? -126 : Int(exact.exponent), -126)
    return abs(distance) / Double(sign: .plus, exponent: exponent - 23, significand: 1)
  }

  @Test(arguments: Self.functions.indices) func overAllExponents(_ which: Int) throws {
    let function = Self.functions[which]
    let x = Guarded(Self.arguments)
    let exact = Self.arguments.map { function.exact(Double($0)) }
    var first: [UInt32]?
    for table in Table.all {
      let y = Guarded<Float>(x.count)
      table.kernels.unary(function.operation, x.pointer, y.pointer, x.count)
      var (worst, place) = (0.0, Float(0))
      for index in exact.indices {
        let error = Self.error(y.pointer[index], exact[index])
        if error > worst { (worst, place) = (error, Self.arguments[index]) }
      }
      #expect(
        worst <= function.bound, "\(function.testDescription) \(table): \(worst) at \(place)")
      // Bit-equal, but for which NaN it is.
      let bits = y.array.map { $0.isNaN ? Float.nan.bitPattern : $0.bitPattern }
      #expect(bits == first ?? bits, "\(function.testDescription): \(table) and scalar")
      first = first ?? bits
    }
  }

  // MARK: - Rows

  /// Rows of every kind for softmax and normalization.
  private static let rows: [[Float]] = [1, 2, 3, 7, 16, 33, 100, 1000].flatMap { count in
    [Float(1e-3), 1, 30, 1e4].map { scale in
      FloatFill.random.values(count, seed: count).map { $0 * scale }
    } + [FloatFill.wide.values(count), FloatFill.denormal.values(count)]
  }

  @Test(arguments: Table.all) func softmax(_ table: Table) {
    var (worst, place) = (0.0, "")
    for row in Self.rows {
      let (x, y) = (Guarded(row), Guarded<Float>(row.count))
      table.kernels.softmax(x.pointer, y.pointer, 1, row.count)
      let greatest = Double(row.max() ?? 0)
      let terms = row.map { exp(Double($0) - greatest) }
      let sum = terms.reduce(0, +)
      for (index, term) in terms.enumerated() {
        let error = Self.error(y.pointer[index], term / sum)
        if error > worst { (worst, place) = (error, "\(index) of \(row.count)") }
      }
    }
    #expect(worst <= 1.5, "\(worst) at \(place)")
  }

  /// One rounding of what double arithmetic gives, whose error grows with what cancels in x − mean.
  @Test(arguments: Table.all) func norms(_ table: Table) {
    for row in Self.rows {
      let gamma = FloatFill.random.values(row.count, seed: 5)
      let beta = FloatFill.random.values(row.count, seed: 6)
      let (x, y) = (Guarded(row), Guarded<Float>(row.count))
      let numbers = row.map(Double.init)
      let count = Double(row.count)
      let greatest = numbers.map { abs($0) }.max() ?? 0
      for isCentered in [true, false] {
        if isCentered {
          table.kernels.layer_norm(x.pointer, gamma, beta, 1e-5, y.pointer, 1, row.count)
        } else {
          table.kernels.rms_norm(x.pointer, gamma, 1e-5, y.pointer, 1, row.count)
        }
        let mean = isCentered ? numbers.reduce(0, +) / count : 0
        let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        let factor = 1 / (variance + Double(Float(1e-5))).squareRoot()
        for index in row.indices {
          let scale = factor * Double(gamma[index])
          let exact = (numbers[index] - mean) * scale + (isCentered ? Double(beta[index]) : 0)
          let rounding = Self.steps(Double(y.pointer[index]) - exact, exact)
          let slack = Self.steps(0x1p-51 * count * greatest * scale, exact)
          #expect(rounding <= 0.501 + slack, "\(index) of \(row.count)")
        }
      }
    }
  }
}
