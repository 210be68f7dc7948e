import Foundation
import Graphs
import Tensors
import Testing

@Suite struct MathTests {
  static let functions: [(OperatorName, @Sendable (Double) -> Double)] = [
    ("Reciprocal", { 1 / $0 }), ("Sqrt", { $0.squareRoot() }), ("Exp", { exp($0) }),
    ("Log", { log($0) }), ("Floor", { floor($0) }), ("Ceil", { ceil($0) }),
    ("Round", { $0.rounded(.toNearestOrEven) }), ("Erf", { erf($0) }), ("Sin", { sin($0) }),
    ("Cos", { cos($0) }), ("Tan", { tan($0) }), ("Asin", { asin($0) }), ("Acos", { acos($0) }),
    ("Atan", { atan($0) }), ("Sinh", { sinh($0) }), ("Cosh", { cosh($0) }),
    ("Tanh", { tanh($0) }), ("Asinh", { asinh($0) }), ("Acosh", { acosh($0) }),
    ("Atanh", { atanh($0) }), ("Neg", { -$0 }), ("Abs", { abs($0) }),
    ("Sign", { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 }),
  ]

  /// In float32 against float64, over several chunks; in float64 the same to the last bit.
  @Test(arguments: functions.indices) func equalsTheDefinition(_ index: Int) throws {
    let (name, function) = MathTests.functions[index]
    let values = (0..<40_000).map { Double(Float($0 - 20_000) / 6000) } + [.nan, .infinity]
    let single = try runNode(name, [floats(values.map { Float($0) })])[0].floats
    let isClose = zip(single, values).allSatisfy { value, x in
      let expected = function(x)
      if expected.isNaN || value.isNaN { return expected.isNaN && value.isNaN }
      return Double(value) == expected
        || abs(Double(value) - expected) <= 1e-6 * max(abs(expected), 1)
    }
    #expect(isClose, "\(name)")
    let double = try runNode(name, [Tensor(values)])[0].elements(of: Double.self)
    let isExact = zip(double, values).allSatisfy { $0 == function($1) || $0.isNaN }
    #expect(isExact, "\(name)")
  }

  @Test func halvesGoToTheEvenNumber() throws {
    let x = floats([0.5, 1.5, 2.5, -0.5, -1.5, 2.4, -2.6])
    #expect(try runNode("Round", [x])[0].floats == [0, 2, 2, 0, -2, 2, -3])
  }

  @Test func integersHaveSigns() throws {
    let x = Tensor([Int8(-128), -1, 0, 5])
    #expect(try runNode("Neg", [x])[0].integers() == [-128, 1, 0, -5])
    #expect(try runNode("Abs", [x])[0].integers() == [-128, 1, 0, 5])
    #expect(try runNode("Sign", [x])[0].integers() == [-1, -1, 0, 1])
    #expect(try runNode("Sign", [Tensor([UInt32(0), 7])])[0].integers() == [0, 1])
    #expect(problem("Sqrt", [x]) == "node: is not computed for int8")
  }
}
