import Execution
import Graphs
import NumberFormats
import Tensors
import Testing

@testable import Compression

@Suite struct BiasCorrectionTests {
  /// The mean of each output column over all samples.
  func means(_ model: Model, _ samples: [[String: Tensor]]) throws -> [Double] {
    let interpreter = try Interpreter(model)
    var sums = [Double](repeating: 0, count: 5)
    for sample in samples {
      let values = try interpreter.run(sample)["y"]!.elements(of: Float.self)
      for (column, value) in values.enumerated() { sums[column] += Double(value) }
    }
    return sums.map { $0 / Double(samples.count) }
  }

  @Test(arguments: [true, false]) func meansOfOutputsBecomeThoseOfFloat(clip: Bool) throws {
    var network = SmallNetwork.mobile(seed: 3, spread: 1.5, clip: clip)
    // The same sample again and again: the means are certain, and the shift is whole.
    let (model, sample) = (network.model(outputs: ["y"]), network.samples(1)[0])
    let samples = Array(repeating: sample, count: 4)
    func error(_ correction: Recipe.BiasCorrection) throws -> Double {
      let recipe = try Recipe.named("w8a8-per-tensor") { $0.biasCorrection = correction }
      let result = try model.quantized(
        by: recipe, given: try model.calibrated(on: samples, for: recipe), on: samples)
      let differences = zip(try means(result, samples), try means(model, samples)).map {
        abs($0 - $1)
      }
      return differences.max() ?? 0
    }
    let (without, with) = (try error(.none), try error(.empirical))
    #expect(without > 1e-3)
    // What is left is the rounding of the bias itself.
    #expect(with < without * 0.02)
  }

  @Test func biasesBehindMatrixProductsToo() throws {
    var network = SmallNetwork()
    let weight = network.constant("w", network.tensor([6, 5]))
    network.add("MatMul", "p", ["x", weight])
    network.add("Add", "y", ["p", network.constant("b", network.tensor([5]))])
    let model = network.model(x: ValueType(.float32, [1, 6]), outputs: ["y"])
    let samples = Array(repeating: network.samples(1, [1, 6])[0], count: 3)
    let recipe = try Recipe.named("w8a8") { $0.weights.type = .signed(bits: 3) }
    let result = try model.quantized(
      by: recipe, given: try model.calibrated(on: samples, for: recipe), on: samples)
    // The bias is float, so that nothing is left but rounding of floats.
    for (a, b) in zip(try means(result, samples), try means(model, samples)) {
      #expect(abs(a - b) < 1e-5)
    }
  }

  @Test(
    arguments: [
      // 1 − s² / (n · m²), by hand: s² is 2 of 1 and 3, their mean 2.
      ([1, 3], 1 - 2.0 / (2 * 4)), ([2, 2, 2], 1), ([0.5], 1), ([-1, 1.1], 0), ([0, 0], 1),
    ] as [([Double], Double)])
  func shiftsAreHeldToWhatSamplesAgreeOn(differences: [Double], trust: Double) {
    #expect(abs(BiasCorrection.trust(in: differences) - trust) < 1e-12)
  }

  @Test func samplesThatWereNotSeenGainToo() throws {
    var network = SmallNetwork.mobile(seed: 5, spread: 1.5, clip: true)
    let (model, samples) = (network.model(outputs: ["y"]), network.samples(60))
    func error(_ correction: Recipe.BiasCorrection) throws -> Double {
      let recipe = try Recipe.named("w8a8-per-tensor") { $0.biasCorrection = correction }
      let seen = Array(samples.prefix(12))
      let result = try model.quantized(
        by: recipe, given: try model.calibrated(on: seen, for: recipe), on: seen)
      let (found, expected) = (try Interpreter(result), try Interpreter(model))
      var sum = 0.0
      for sample in samples.dropFirst(12) {
        sum += Double(relativeError(try found.run(sample)["y"], try expected.run(sample)["y"]))
      }
      return sum
    }
    #expect(try error(.empirical) < error(.none))
  }
}
