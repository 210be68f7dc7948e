import Graphs
import Tensors
import Testing

@testable import Evaluation

@Suite struct ModelSummaryTests {
  private var model: Model {
    var model = Model(
      Graph(
        name: "net",
        nodes: [
          Node("Relu", inputs: ["x"], outputs: ["a"]),
          Node("Add", inputs: ["a", "w"], outputs: ["b"]),
          Node("Add", inputs: ["b", "z"], outputs: ["c"]),
          Node("Strange", inputs: ["c"], outputs: ["y"]),
        ],
        inputs: [.init("x", .init(.float32, ["N", 4]))],
        outputs: [.init("y", .init(.float32, nil))],
        constants: [
          "w": Tensor([Float(-1), 0, 1, 2]), "z": Tensor([Float.nan, 1, .infinity, 3]),
          "i": Tensor([Int8(-128), 127]),
        ]))
    model.producer = .init(name: "test", version: "1")
    return model
  }

  @Test func countsOperators() {
    let summary = ModelSummary(model)
    #expect(summary.operators.map(\.count) == [2, 1, 1])
    #expect(summary.operators.map { "\($0.operation)" } == ["Add", "Relu", "Strange"])
    #expect(summary.operators.map(\.isSupported) == [true, true, false])
    #expect(summary.parameterCount == 10)
  }

  @Test func looksAtConstantsInOrderOfUse() throws {
    let tensors = ModelSummary(model).tensors
    #expect(tensors.map(\.name) == ["w", "z", "i"])
    let spread = try #require(tensors[0].spread)
    #expect((spread.minimum, spread.maximum, spread.mean) == (-1, 2, 0.5))
    #expect(spread.deviation == 1.25.squareRoot())
    #expect(spread.histogram.counts.reduce(0, +) == 4)
    #expect(tensors[1].nonFiniteCount == 2)
    #expect(tensors[1].spread?.maximum == 3)
    #expect(tensors[2].spread?.minimum == -128)
  }

  @Test func textNamesWhatCanNotBeRun() {
    let text = ModelSummary(model).text()
    #expect(text.contains("input     x: float32[N, 4]"))
    #expect(text.contains("producer  test 1"))
    #expect(text.contains("2 not finite"))
    #expect(
      text.split(separator: "\n").contains {
        $0.hasPrefix("Strange") && $0.hasSuffix("not supported")
      })
  }

  @Test func emptyConstantsHaveNoSpread() {
    #expect(TensorSummary("e", Tensor([Float]())).spread == nil)
    #expect(TensorSummary("c", Tensor([Float(2), 2])).spread?.histogram.counts.reduce(0, +) == 2)
  }
}
