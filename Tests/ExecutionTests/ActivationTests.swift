import Foundation
import Graphs
import Tensors
import Testing

@Suite struct ActivationTests {
  typealias Case = (
    name: OperatorName, attributes: [String: AttributeValue],
    function: @Sendable (Double) -> Double
  )

  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  static let cases: [Case] = [
    ("Relu", [:], { max($0, 0) }),
    ("LeakyRelu", ["alpha": .float(0.1)], { $0 < 0 ? Double(Float(0.1)) * $0 : $0 }),
    ("Elu", ["alpha": .float(2)], { $0 < 0 ? 2 * (exp($0) - 1) : $0 }),
    (
      "Selu", [:],
      { Double(Float(1.0507010)) * ($0 > 0 ? $0 : Double(Float(1.6732632)) * (exp($0) - 1)) }
    ),
    ("Celu", ["alpha": .float(2)], { max($0, 0) + min(0, 2 * (exp($0 / 2) - 1)) }),
    ("ThresholdedRelu", ["alpha": .float(1.5)], { $0 > 1.5 ? $0 : 0 }),
    ("Sigmoid", [:], { sigmoid($0) }),
    (
      "HardSigmoid", ["alpha": .float(0.5), "beta": .float(0.25)],
      { max(0, min(1, 0.5 * $0 + 0.25)) }
    ),
    ("HardSwish", [:], { $0 * max(0, min(1, $0 / 6 + 0.5)) }),
    ("Mish", [:], { $0 * tanh(log(1 + exp($0))) }),
    ("Softplus", [:], { log(1 + exp($0)) }),
    ("Softsign", [:], { $0 / (1 + abs($0)) }),
    ("Gelu", [:], { $0 / 2 * (1 + erf($0 / 2.squareRoot())) }),
    (
      "Gelu", ["approximate": .string("tanh")],
      { $0 / 2 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) }
    ),
    ("Swish", [:], { $0 * sigmoid($0) }),
    ("Swish", ["alpha": .float(0.5)], { $0 * sigmoid(0.5 * $0) }),
    (
      "Shrink", ["lambd": .float(1), "bias": .float(0.5)],
      { $0 < -1 ? $0 + 0.5 : $0 > 1 ? $0 - 0.5 : 0 }
    ),
    (.microsoft("Gelu"), [:], { $0 / 2 * (1 + erf($0 / 2.squareRoot())) }),
    (.microsoft("QuickGelu"), ["alpha": .float(1.5)], { $0 * sigmoid(1.5 * $0) }),
  ]

  @Test(arguments: cases.indices) func equalsTheDefinition(_ index: Int) throws {
    let (name, attributes, function) = ActivationTests.cases[index]
    let values = (0..<20_001).map { Double($0 - 10_000) / 1024 }
    let single = try runNode(name, [floats(values.map { Float($0) })], attributes, opset: 24)[0]
    let isClose = zip(single.floats, values).allSatisfy {
      abs(Double($0) - function($1)) <= 2e-6 * max(abs(function($1)), 1)
    }
    #expect(isClose, "\(name)")
    let double = try runNode(name, [Tensor(values)], attributes, opset: 24)[0]
    let isExact = zip(double.elements(of: Double.self), values).allSatisfy {
      abs($0 - function($1)) <= 1e-7 * max(abs(function($1)), 1)
    }
    #expect(isExact, "\(name)")
  }

  @Test func extremesDoNotOverflow() throws {
    let x = floats([-1000, 1000, -.infinity, .infinity])
    #expect(try runNode("Sigmoid", [x])[0].floats == [0, 1, 0, 1])
    #expect(try runNode("Softplus", [x])[0].floats == [0, 1000, 0, .infinity])
    #expect(try runNode("Relu", [floats([.nan])])[0].floats[0].isNaN)
  }

  @Test func clipping() throws {
    let x = floats([-2, 0.5, 7, .nan])
    func clipped(_ low: Float?, _ high: Float?) throws -> [Float] {
      let bounds = [low, high].map { $0.map { Tensor(scalar: $0) } }
      return try runNode("Clip", [x] + bounds)[0].floats
    }
    #expect(try clipped(0, 6)[0..<3] == [0, 0.5, 6])
    #expect(try clipped(nil, 6)[0..<3] == [-2, 0.5, 6])
    #expect(try clipped(0, nil)[0..<3] == [0, 0.5, 7])
    #expect(try clipped(nil, nil)[0..<3] == [-2, 0.5, 7])
    // The upper bound wins.
    #expect(try clipped(3, 1)[0..<3] == [1, 1, 1])
    #expect(try clipped(0, 6)[3].isNaN)
    let bytes = try runNode(
      "Clip", [Tensor([Int8(-5), 5]), Tensor(scalar: Int8(-1)), Tensor(scalar: Int8(3))])[0]
    #expect(bytes.integers() == [-1, 3])
    #expect(problem("Clip", [x, floats([1, 2])]).contains("a bound is float32[2]; must be one"))
    #expect(problem("Clip", [x, Tensor(scalar: Int8(1))]).contains("a bound is int8[]"))
  }

  @Test func slopesPerChannel() throws {
    let x = floats([-1, 1, -2, 2], [1, 2, 2])
    let slopes = floats([0.5, 0.25], [2, 1])
    #expect(try runNode("PRelu", [x, slopes])[0].floats == [-0.5, 1, -0.5, 2])
    #expect(
      problem("PRelu", [floats([1]), floats([1, 2])]).contains("can't be broadcast to"))
  }

  @Test func biasedGelu() throws {
    let x = floats([0, 1, 2, 3], [2, 2])
    let bias = floats([1, -1])
    let sum = floats([1, 0, 3, 2], [2, 2])
    let expected = try runNode("Gelu", [sum])[0]
    #expect(try runNode(.microsoft("BiasGelu"), [x, bias])[0].isClose(to: expected))
    let approximate = try runNode("Gelu", [sum], ["approximate": .string("tanh")])[0]
    #expect(try runNode(.microsoft("FastGelu"), [x, bias])[0].isClose(to: approximate))
    #expect(problem(.microsoft("BiasGelu"), [x, floats([1])]).contains("must be a vector as long"))
  }

  @Test func integersOfAnyWidth() throws {
    #expect(try runNode("Relu", [Tensor([Int8(-3), 3])])[0].integers() == [0, 3])
    #expect(
      try runNode("Shrink", [Tensor([Int32(-5), 0, 5])], ["lambd": .float(1), "bias": .float(2)])[0]
        .integers() == [-3, 0, 3])
  }
}
