import Evaluation
import Graphs
import Tensors
import Testing

@Suite struct NonFiniteConstantsTests {
  private func graph(_ constants: [String: [Float]]) -> Graph {
    Graph(
      nodes: [
        Node("Gemm", inputs: ["x", "w", "b"], outputs: ["a"]),
        Node("Add", inputs: ["a", "mask"], outputs: ["y"]),
      ], inputs: [.init("x", .init(.float32, [1, 1]))],
      outputs: [.init("y", .init(.float32, nil))], constants: constants.mapValues { Tensor($0) })
  }

  @Test func infinitiesCountInWeightsOnly() {
    #expect(graph(["w": [1, -2], "b": [0], "mask": [-.infinity, 0]]).nonFiniteConstants == nil)
    #expect(
      graph(["w": [-.infinity, 2], "b": [.nan], "mask": [.nan, .infinity]]).nonFiniteConstants
        == "b (1 NaN), mask (1 NaN, 1 infinite), w (1 infinite)")
  }

  @Test func longListsAreCut() {
    let constants = Dictionary(uniqueKeysWithValues: (0..<7).map { ("c\($0)", [Float.nan]) })
    #expect(
      graph(constants).nonFiniteConstants
        == "c0 (1 NaN), c1 (1 NaN), c2 (1 NaN), c3 (1 NaN), c4 (1 NaN) and 2 more")
  }
}
