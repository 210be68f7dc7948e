import Graphs
import NumberFormats
import Tensors
import Testing

@testable import Compression

@Suite struct CalibrationRunTests {
  @Test func rangesThatAreSharedAreGatheredTogether() throws {
    var network = SmallNetwork.mobile()
    let model = network.model(outputs: ["y"])
    let recipe = try Recipe.named("w8a8")
    let statistics = try model.calibrated(on: network.samples(3), for: recipe)
    #expect(
      statistics.values.keys.sorted() == [
        "depthwise_a", "expand_a", "pool", "project", "stem_a", "sum", "x",
      ])
    #expect(statistics["x"]?.batchCount == 3)
    #expect(statistics["x"]?.count == 3 * 3 * 8 * 8)
    #expect(statistics["stem_a"]?.range?.valueRange.max ?? 2 <= 1.5)
  }

  /// Keeping a node in float breaks up what shared a range: only that is gathered anew, and as if from the start.
  @Test func statisticsAreCompleted() throws {
    var network = SmallNetwork.mobile()
    let model = network.model(outputs: ["y"])
    var recipe = try Recipe.named("w8a8")
    let samples = network.samples(3)
    let first = try model.calibrated(on: samples, for: recipe)
    #expect(
      try model.calibrated(on: [[String: Tensor]](), for: recipe, completing: first) == first)
    for node in model.graph.nodes where !node.name.isEmpty {
      recipe.keepFloat = [.name(node.name)]
      let anew = try model.calibrated(on: samples, for: recipe)
      #expect(try model.calibrated(on: samples, for: recipe, completing: first) == anew)
    }
  }

  /// A shared range covers all its sources, also where ranges of samples are averaged.
  @Test func averagedRangesOfSharedValuesAreTheirUnion() throws {
    var statistics = CalibrationStatistics(["r": [.movingAverage]])
    try statistics.observe("r", Tensor([Float(-1), 2]))
    try statistics.observe("r", Tensor([Float(-3), 100]), continuesBatch: true)
    try statistics.observe("r", Tensor([Float(-5), 0]))
    try statistics.observe("r", Tensor([Float(-1), 50]), continuesBatch: true)
    // Two samples: −3 … 100 and −5 … 50; the later counts 1 / 0.99 as much.
    let range = try #require(statistics["r"]?.movingAverage?.valueRange)
    #expect(abs(range.min - Float((-3 * 0.99 - 5) / 1.99)) < 1e-4)
    #expect(abs(range.max - Float((100 * 0.99 + 50) / 1.99)) < 1e-3)
    #expect(statistics["r"]?.batchCount == 2)
  }

  @Test func noSamplesAreRefused() throws {
    let model = SmallNetwork.mobile().model(outputs: ["y"])
    let error = #expect(throws: QuantizationError.self) {
      try model.calibrated(on: [[String: Tensor]](), for: .named("w8a8"))
    }
    #expect(
      error?.message == "there are no calibration samples; give at least one, better 16 or more")
  }

  @Test func samplesThatDontFitAreNumbered() throws {
    let model = SmallNetwork.mobile().model(outputs: ["y"])
    let samples = [["z": Tensor(scalar: Float(0))]]
    let error = #expect(throws: ExecutionErrorProbe.self) {
      do {
        _ = try model.calibrated(on: samples, for: .named("w8a8"))
      } catch let error as any LocatedError {
        throw ExecutionErrorProbe(text: error.description)
      }
    }
    #expect(error?.text.hasPrefix("sample 0: unknown input 'z'") ?? false)
  }

  private struct ExecutionErrorProbe: Error {
    let text: String
  }

  @Test func methodsWithoutStatisticsRunNothing() throws {
    let model = SmallNetwork.mobile().model(outputs: ["y"])
    let statistics = try model.calibrated(on: [[String: Tensor]](), for: .named("w8"))
    #expect(statistics.values.isEmpty)
  }
}
