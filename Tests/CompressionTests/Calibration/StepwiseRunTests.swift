import Execution
import Graphs
import NumberFormats
import Tensors
import Testing

@testable import Compression

@Suite struct StepwiseRunTests {
  /// Stretches compute what is deployed, except that what an earlier one left is read as numbers rather than as codes: a sum of
  /// both may be rounded to the next code.
  @Test func stretchesGiveWhatAWholeRunGives() throws {
    var network = SmallNetwork.mobile()
    let (float, samples) = (network.model(outputs: ["y", "sum"]), network.samples(3))
    let recipe = try Recipe.named("w8a8") { $0.biasCorrection = .none }
    let (model, layers, _) = try QuantizationRun(float, settings: recipe.nodeSettings)
      .quantized(given: try float.calibrated(on: samples, for: recipe))
    let names = layers.map(\.output)
    #expect(names.count == 4)
    var run = try StepwiseRun(model, samples: samples)
    let whole = try CompiledModel(model, keeping: Set(names))
    for name in names {
      try run.advance(through: name)
      for (sample, value) in zip(samples, run.values(of: name)) {
        var expected: Tensor?
        _ = try whole.run(sample, observing: [name]) { expected = $1 }
        if name == "y" {
          #expect(relativeError(value, expected) < 0.01)
        } else {
          #expect(expected.map { $0.isIdentical(to: value) } ?? false, "\(name)")
        }
      }
    }
    #expect(run.values(of: "sum").count == 3)
    #expect(run.values(of: names[0]).isEmpty)
  }
}
