import Foundation
import Graphs
import Tensors
import Testing

@Suite struct RecurrentTests {
  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  /// Weights of a layer, seeded: w `[directions, gates · hidden, input]`, r, b.
  struct Weights {
    var w, r, b: Tensor

    init(gates: Int, hidden: Int, input: Int, directions: Int = 1) {
      w = randomFloats([directions, gates * hidden, input], seed: 11)
      r = randomFloats([directions, gates * hidden, hidden], seed: 12)
      b = randomFloats([directions, 2 * gates * hidden], seed: 13)
    }

    /// The input of a gate's row: `w · x + r · h + wb + rb`, without the recurrent part where asked.
    func sum(_ row: Int, _ x: [Double], _ h: [Double]) -> (input: Double, recurrent: Double) {
      let rows = w.shape[1]
      let own = x.indices.reduce(Double(b.floats[row])) {
        $0 + Double(w.floats[row * x.count + $1]) * x[$1]
      }
      let other = h.indices.reduce(Double(b.floats[rows + row])) {
        $0 + Double(r.floats[row * h.count + $1]) * h[$1]
      }
      return (own, other)
    }
  }

  /// Steps of a sequence of `[time, 1, input]`.
  private static func steps(_ x: Tensor) -> [[Double]] {
    let size = x.shape[2]
    return (0..<x.shape[0]).map { step in
      x.floats[(step * size)..<((step + 1) * size)].map { Double($0) }
    }
  }

  @Test func rnnEqualsItsEquations() throws {
    let weights = Weights(gates: 1, hidden: 3, input: 2)
    let x = randomFloats([4, 1, 2], seed: 1)
    let results = try runNode("RNN", [x, weights.w, weights.r, weights.b], outputs: 2)
    var h = [0.0, 0, 0]
    var all: [Float] = []
    for step in RecurrentTests.steps(x) {
      h = (0..<3).map { row in
        let sum = weights.sum(row, step, h)
        return tanh(sum.input + sum.recurrent)
      }
      all += h.map { Float($0) }
    }
    #expect(results[0].isClose(to: floats(all, [4, 1, 1, 3])))
    #expect(results[1].isClose(to: floats(h.map { Float($0) }, [1, 1, 3])))
  }

  @Test(arguments: [false, true]) func gruEqualsItsEquations(_ resetsAfter: Bool) throws {
    let weights = Weights(gates: 3, hidden: 2, input: 3)
    let x = randomFloats([3, 1, 3], seed: 2)
    let result = try runNode(
      "GRU", [x, weights.w, weights.r, weights.b],
      ["linear_before_reset": .int(resetsAfter ? 1 : 0)])[0]
    var h = [0.0, 0]
    var all: [Float] = []
    for step in RecurrentTests.steps(x) {
      func gate(_ row: Int) -> Double {
        let sum = weights.sum(row, step, h)
        return RecurrentTests.sigmoid(sum.input + sum.recurrent)
      }
      let (update, reset) = ([gate(0), gate(1)], [gate(2), gate(3)])
      let masked = zip(reset, h).map { $0 * $1 }
      let new = (0..<2).map { i in
        let before = weights.sum(4 + i, step, masked)
        let after = weights.sum(4 + i, step, h)
        return tanh(
          resetsAfter ? after.input + reset[i] * after.recurrent : before.input + before.recurrent)
      }
      h = (0..<2).map { (1 - update[$0]) * new[$0] + update[$0] * h[$0] }
      all += h.map { Float($0) }
    }
    #expect(result.isClose(to: floats(all, [3, 1, 1, 2])))
  }

  @Test(arguments: [false, true]) func lstmEqualsItsEquations(_ couplesGates: Bool) throws {
    let weights = Weights(gates: 4, hidden: 2, input: 3)
    let x = randomFloats([3, 1, 3], seed: 3)
    let peepholes = randomFloats([1, 6], seed: 4)
    let (h0, c0) = (randomFloats([1, 1, 2], seed: 5), randomFloats([1, 1, 2], seed: 6))
    let results = try runNode(
      "LSTM", [x, weights.w, weights.r, weights.b, nil, h0, c0, peepholes],
      ["input_forget": .int(couplesGates ? 1 : 0)], outputs: 3)
    var (h, c) = (h0.floats.map { Double($0) }, c0.floats.map { Double($0) })
    for step in RecurrentTests.steps(x) {
      let sums = (0..<8).map { row -> Double in
        let sum = weights.sum(row, step, h)
        return sum.input + sum.recurrent
      }
      let peep = peepholes.floats.map { Double($0) }
      for i in 0..<2 {
        let enter = RecurrentTests.sigmoid(sums[i] + peep[i] * c[i])
        let keep =
          couplesGates ? 1 - enter : RecurrentTests.sigmoid(sums[4 + i] + peep[4 + i] * c[i])
        let new = keep * c[i] + enter * tanh(sums[6 + i])
        h[i] = RecurrentTests.sigmoid(sums[2 + i] + peep[2 + i] * new) * tanh(new)
        c[i] = new
      }
    }
    #expect(results[1].isClose(to: floats(h.map { Float($0) }, [1, 1, 2])))
    #expect(results[2].isClose(to: floats(c.map { Float($0) }, [1, 1, 2])))
  }

  static let layers: [(OperatorName, Int)] = [("RNN", 1), ("GRU", 3), ("LSTM", 4)]

  /// A bidirectional layer is a forward and a reverse one, and a reverse one runs over the reversed sequence.
  @Test(arguments: layers.indices) func directions(_ index: Int) throws {
    let (name, gates) = RecurrentTests.layers[index]
    let both = Weights(gates: gates, hidden: 3, input: 2, directions: 2)
    let x = randomFloats([4, 2, 2], seed: 7)
    let together = try runNode(
      name, [x, both.w, both.r, both.b], ["direction": .string("bidirectional")], outputs: 2)
    let reversed = floats((0..<4).reversed().flatMap { x.rows($0..<($0 + 1)).floats }, [4, 2, 2])
    for direction in 0..<2 {
      let part = [both.w, both.r, both.b].map { $0.rows(direction..<(direction + 1)) }
      let alone = try runNode(
        name, [x] + part, ["direction": .string(direction == 0 ? "forward" : "reverse")],
        outputs: 2)
      #expect(together[1].rows(direction..<(direction + 1)).isIdentical(to: alone[1]))
      guard direction == 1 else { continue }
      let forward = try runNode(name, [reversed] + part, outputs: 2)
      #expect(forward[1].isIdentical(to: alone[1]))
      for step in 0..<4 {
        #expect(
          forward[0].rows(step..<(step + 1)).isIdentical(to: alone[0].rows((3 - step)..<(4 - step)))
        )
      }
    }
  }

  /// A shorter sequence ends early: zeros follow, the last state is that of its end.
  @Test(arguments: layers.indices) func lengths(_ index: Int) throws {
    let (name, gates) = RecurrentTests.layers[index]
    let weights = Weights(gates: gates, hidden: 3, input: 2)
    let inputs = [weights.w, weights.r, weights.b]
    let x = randomFloats([4, 2, 2], seed: 8)
    for direction in ["forward", "reverse"] {
      let attributes = ["direction": AttributeValue.string(direction)]
      let results = try runNode(
        name, [x] + inputs + [Tensor([Int32(4), 2])], attributes, outputs: 2)
      let second = floats((0..<2).flatMap { x.floats[($0 * 4 + 2)..<($0 * 4 + 4)] }, [2, 1, 2])
      let alone = try runNode(name, [second] + inputs, attributes, outputs: 2)
      #expect(Array(results[1].floats[3..<6]) == alone[1].floats)
      #expect(Array(results[0].floats[3..<6]) == Array(alone[0].floats[0..<3]))
      #expect(Array(results[0].floats[15..<18]) == [0, 0, 0])
    }
  }

  /// The batch as the outermost axis only changes where things lie.
  @Test(arguments: layers.indices) func batchMajor(_ index: Int) throws {
    let (name, gates) = RecurrentTests.layers[index]
    let weights = Weights(gates: gates, hidden: 3, input: 2, directions: 2)
    let inputs = [weights.w, weights.r, weights.b]
    let direction = ["direction": AttributeValue.string("bidirectional")]
    let x = randomFloats([4, 2, 2], seed: 9)
    let initial = randomFloats([2, 2, 3], seed: 10)
    let plain = try runNode(name, [x] + inputs + [nil, initial], direction, outputs: 2)
    func turned(_ x: Tensor, _ order: [Int]) throws -> Tensor {
      try runNode("Transpose", [x], ["perm": .ints(order)])[0]
    }
    let given = [try turned(x, [1, 0, 2])] + inputs + [nil, try turned(initial, [1, 0, 2])]
    let batches = try runNode(
      name, given, direction.merging(["layout": .int(1)]) { $1 }, outputs: 2)
    #expect(batches[0].isIdentical(to: try turned(plain[0], [2, 0, 1, 3])))
    #expect(batches[1].isIdentical(to: try turned(plain[1], [1, 0, 2])))
  }

  @Test func activationsAndClipping() throws {
    let one = floats([1], [1, 1, 1])
    let none = floats([0], [1, 1, 1])
    func last(_ x: Float, _ attributes: [String: AttributeValue]) throws -> Float {
      try runNode("RNN", [floats([x], [1, 1, 1]), one, none], attributes)[0].floats[0]
    }
    func named(_ name: String, _ alpha: Float? = nil, _ beta: Float? = nil)
      -> [String: AttributeValue]
    {
      var attributes = ["activations": AttributeValue.strings([name])]
      attributes["activation_alpha"] = alpha.map { .floats([$0]) }
      attributes["activation_beta"] = beta.map { .floats([$0]) }
      return attributes
    }
    #expect(try last(-2, named("Relu")) == 0)
    #expect(try last(2, named("Affine", 3, 1)) == 7)
    #expect(try last(-2, named("LeakyRelu", 0.5)) == -1)
    #expect(try last(1, named("ThresholdedRelu", 2)) == 0)
    #expect(try last(0.5, named("ScaledTanh", 2, 3)) == 2 * tanh(Float(1.5)))
    #expect(try last(1, named("HardSigmoid", 0.25, 0.5)) == 0.75)
    #expect(try last(-1, named("Elu", 2)) == 2 * expm1(Float(-1)))
    #expect(try last(-3, named("Softsign")) == -0.75)
    #expect(try last(0, named("Softplus")) == log(Float(2)))
    #expect(try last(9, ["clip": .float(1), "activations": .strings(["Affine"])]) == 1)
  }

  @Test func refusesWhatDoesNotGoTogether() {
    let weights = Weights(gates: 1, hidden: 3, input: 2)
    let x = randomFloats([4, 2, 2], seed: 1)
    #expect(
      problem("RNN", [x, weights.w, weights.r, weights.b, Tensor([Int32(5), 1])])
        == "node: the lengths are [5, 1]; must be 2 numbers of 0 to 4")
    #expect(
      problem("RNN", [x, weights.w, weights.r, floats([1], [1, 1])])
        == "node: the bias is float32[1, 1]; must be of shape [1, 6]")
    #expect(
      problem("RNN", [randomFloats([4, 2, 5], seed: 1), weights.w, weights.r])
        .contains("5 inputs against 2"))
    #expect(
      problem("LSTM", [x, weights.w, weights.r]).contains("must have 1 directions of 4 × 3 rows"))
  }
}
