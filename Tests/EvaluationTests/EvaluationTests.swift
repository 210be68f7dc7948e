import Datasets
import Evaluation
import Execution
import Graphs
import Tensors
import Testing

/// A network whose output is its input, shifted by a number.
struct ShiftNetwork: Executable {
  var shift: Float = 0
  var graph = Graph(
    inputs: [.init("x", ValueType(.float32, ["N", 6]))],
    outputs: [.init("y", ValueType(.float32, ["N", 6]))])

  func run(_ inputs: [String: Tensor]) throws -> [String: Tensor] {
    var output = inputs["x"]!
    output.withMutableElements(of: Float.self) { elements in
      // Only the first class of each sample is shifted.
      for index in stride(from: 0, to: elements.count, by: 6) { elements[index] += shift }
    }
    return ["y": output]
  }
}

@Suite struct EvaluationTests {
  /// Three samples of six scores; the highest are of classes 1, 0 and 5.
  private let scores: [Float] = [
    1, 9, 2, 3, 4, 5,
    7, 6, 5, 4, 3, 2,
    0, 0, 0, 0, 0, 1,
  ]

  private func data(labels: [Int64]?) throws -> Dataset {
    var arrays = ["x": Tensor(scores, shape: [3, 6])]
    arrays["labels"] = labels.map { Tensor($0) }
    return try Dataset(arrays, for: ShiftNetwork().graph)
  }

  @Test(arguments: [1, 2, 8]) func accuracy(_ batchSize: Int) throws {
    // Ranks: 0 (of 1), 5 (of 5), 1 (of 0: equal to four others, the first of them, behind class 5).
    let result = try evaluate(
      ShiftNetwork(), on: data(labels: [1, 5, 0]), metrics: [.top1, .top5], batchSize: batchSize)
    #expect(result.sampleCount == 3)
    #expect(result.values == [.top1: 1.0 / 3, .top5: 2.0 / 3])
  }

  @Test func againstReference() throws {
    var done: [Int] = []
    let result = try evaluate(
      ShiftNetwork(shift: 2), on: data(labels: [1, 0, 5]),
      metrics: [.top1, .agreement, .maxError, .meanError, .sqnr, .cosine],
      reference: ShiftNetwork(), batchSize: 2
    ) { count, _ in done.append(count) }
    #expect(done == [2, 3])
    #expect(result.referenceValues == [.top1: 1])
    // The third sample's first class is now ahead.
    #expect(result.values[.top1] == 2.0 / 3 && result.values[.agreement] == 2.0 / 3)
    #expect(result.values[.maxError] == 2 && result.values[.meanError] == 6.0 / 18)
  }

  /// Errors that would be infinite are not passed over.
  @Test func numbersThatAreNotFiniteAreTold() throws {
    struct Constant: Executable {
      let value: [Float]
      let graph = Graph(
        inputs: [.init("x", ValueType(.float32, ["N", 6]))],
        outputs: [.init("y", ValueType(nil, nil))])
      func run(_ inputs: [String: Tensor]) throws -> [String: Tensor] {
        ["y": Tensor(value, shape: [1, 4])]
      }
    }
    let finite = Constant(value: [1, 2, 3, .infinity])
    let other = Constant(value: [1, .nan, 3, .infinity])
    let metrics: [Metric] = [.sqnr, .cosine, .meanError, .maxError, .agreement]
    let data = try data(labels: nil).prefix(1)
    let result = try evaluate(other, on: data, metrics: metrics, reference: finite)
    #expect(result.nonFiniteCount == 1)
    #expect(
      result.warning
        == "1 of 4 values of output 'y' (25.0 %) are NaN or infinite in one network only: "
        + "no error can be told of them")
    for metric in metrics.dropLast() { #expect(result.values[metric]!.isNaN) }
    let same = try evaluate(finite, on: data, metrics: metrics, reference: finite)
    #expect(same.warning == nil && same.values[.sqnr] == .infinity)
  }

  @Test func agreementOfPositions() throws {
    struct Pixels: Executable {
      let value: Tensor
      let graph = Graph(
        inputs: [.init("x", ValueType(.float32, ["N", 6]))],
        outputs: [.init("y", ValueType(nil, nil))])
      func run(_ inputs: [String: Tensor]) throws -> [String: Tensor] { ["y": value] }
    }
    // One sample, two classes, three positions.
    let own = Pixels(value: Tensor([1, 1, 1, 0, 2, 0] as [Float], shape: [1, 2, 1, 3]))
    let other = Pixels(value: Tensor([1, 1, 1, 0, 0, 0] as [Float], shape: [1, 2, 1, 3]))
    let result = try evaluate(
      own, on: data(labels: nil).prefix(1), metrics: [.agreement], reference: other)
    #expect(result.values[.agreement] == 2.0 / 3)
  }

  private func message(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test func refusals() throws {
    let network = ShiftNetwork()
    #expect(
      message { _ = try evaluate(network, on: data(labels: nil), metrics: [.top1]) }
        == "top-1 needs labels, the data has none; sort pictures into a folder a class, or add "
        + "labels to the .npz")
    #expect(
      message { _ = try evaluate(network, on: data(labels: nil), metrics: [.sqnr]) }
        == "SQNR needs another network to compare with; give both")
    #expect(
      message { _ = try evaluate(network, on: data(labels: [0, 1, 6]), metrics: [.top1]) }
        == "output y: has 6 classes, a label is 6; number the classes from 0 as the network does")
    #expect(
      message {
        _ = try evaluate(network, on: data(labels: nil), metrics: [], output: "z")
      } == "there is no output 'z'; the network has 'y'")
    #expect(
      message { _ = try evaluate(network, on: data(labels: nil).prefix(0), metrics: []) }
        == "there are no samples to evaluate on; give more data")
  }
}
