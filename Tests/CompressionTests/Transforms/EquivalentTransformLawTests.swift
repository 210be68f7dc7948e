import Execution
import Graphs
import NumberFormats
import Tensors
import Testing

@testable import Compression

/// The law of every transform: the float output does not change, up to rounding.
@Suite struct EquivalentTransformLawTests {
  @Test(arguments: RecipeTransforms.all.map(\.name), 0..<6)
  func floatOutputStays(name: String, seed: Int) throws {
    var network = SmallNetwork.mobile(seed: UInt64(seed), spread: 1, clip: seed % 2 == 0)
    let (model, samples) = (network.model(outputs: ["y", "sum"]), network.samples(4))
    let unseen = network.samples(4)
    var transformed = model
    try RecipeTransforms.transform(name).apply(to: &transformed, on: samples)
    for sample in samples + unseen {
      let (before, after) = (
        try Interpreter(model).run(sample), try Interpreter(transformed).run(sample)
      )
      for output in ["y", "sum"] {
        #expect(relativeError(after[output], before[output]) < 1e-5, "\(name) \(output)")
      }
    }
  }
}
