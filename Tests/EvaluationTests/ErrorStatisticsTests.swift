import Evaluation
import Foundation
import Tensors
import Testing

@Suite struct ErrorStatisticsTests {
  private func statistics(_ values: [Float], _ expected: [Float]) throws -> ErrorStatistics {
    var statistics = ErrorStatistics()
    try statistics.add(Tensor(values), expected: Tensor(expected))
    return statistics
  }

  @Test func byHand() throws {
    // Differences 0, 1, −2, 0; Σx² = 9 + 16 + 0 + 0 = 25, Σe² = 5, Σxy = 9 + 12 = 21, Σy² = 9 + 9 + 4 = 22.
    let error = try statistics([3, 3, 2, 0], [3, 4, 0, 0])
    #expect(error.count == 4)
    #expect(error.sqnr == 10 * log10(5.0))
    #expect(error.noiseShare == 0.2)
    #expect(error.maxError == 2 && error.meanError == 0.75)
    #expect(error.cosine == 21 / (25.0 * 22).squareRoot())
  }

  @Test func piecesAddUp() throws {
    var pieces = try statistics([3, 3], [3, 4])
    try pieces.add(Tensor([2, 0] as [Float]), expected: Tensor([0, 0] as [Float]))
    #expect(try pieces == statistics([3, 3, 2, 0], [3, 4, 0, 0]))
  }

  @Test func exact() throws {
    let error = try statistics([1, -.infinity, .nan], [1, -.infinity, .nan])
    #expect(error.sqnr == .infinity && error.cosine == 1 && error.noiseShare == 0)
    #expect(error.nonFiniteCount == 0)
  }

  @Test func oneIsNotFinite() throws {
    let error = try statistics([.nan, 2, .infinity], [1, 2, -.infinity])
    #expect(error.nonFiniteCount == 2 && error.maxError == 0 && error.signalEnergy == 4)
  }

  @Test func nothing() {
    let error = ErrorStatistics()
    #expect(error.sqnr.isNaN && error.cosine == 1 && error.meanError == 0)
  }

  @Test func mismatch() {
    let error = #expect(throws: EvaluationError.self) { _ = try statistics([1], [1, 2]) }
    #expect(
      error?.message
        == "is float32[1], expected float32[2]; only floating-point numbers of one shape are compared"
    )
  }
}
