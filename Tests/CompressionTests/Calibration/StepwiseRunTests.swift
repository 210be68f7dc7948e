import Execution
import Graphs
import NumberFormats
import Tensors
import Testing

@testable import Compression

@Suite struct StepwiseRunTests {
  @Test func stretchesGiveWhatAWholeRunGives() throws {
    var network = SmallNetwork.mobile()
    let (model, samples) = (network.model(outputs: ["y", "sum"]), network.samples(3))
    var run = try StepwiseRun(model, samples: samples)
    let interpreter = try Interpreter(model)
    for name in ["stem", "depthwise", "project", "y"] {
      try run.advance(through: name)
      for (sample, value) in zip(samples, run.values(of: name)) {
        var expected: Tensor?
        _ = try interpreter.run(sample) { if $0 == name { expected = $1 } }
        #expect(expected.map { $0.isIdentical(to: value) } ?? false, "\(name)")
      }
    }
    #expect(run.values(of: "sum").count == 3)
    #expect(run.values(of: "expand").isEmpty)
  }
}
