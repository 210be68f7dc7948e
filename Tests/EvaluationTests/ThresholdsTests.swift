import Evaluation
import Testing

@Suite struct ThresholdsTests {
  @Test func shares() throws {
    #expect(try Thresholds.share("1%") == 0.01 && Thresholds.share(" 30 % ") == 0.3)
    #expect(try Thresholds.share("0.05") == 0.05 && Thresholds.share("0%") == 0)
    for text in ["", "%", "x", "101%", "-1%", "nan", "2", "1", "1.0"] {
      let error = #expect(throws: EvaluationError.self) { _ = try Thresholds.share(text) }
      #expect(
        error?.message
          == "'\(text)' is not a share; give one as in 1% or 0.01, from 0% to 100%")
    }
  }

  private let limits = Thresholds(maxDrop: 0.01, minSpeedup: 2, maxSize: 0.3, minSQNR: 20)

  @Test func met() {
    let results = limits.check(drop: 0.81 - 0.80, speedup: 2, size: 0.3, sqnr: .infinity)
    #expect(
      results.map(\.description) == [
        "passed max-drop: 1.00 points, at most 1.00 points",
        "passed min-speedup: 2.00×, at least 2.00×",
        "passed max-size: 30.0 %, at most 30.0 %",
        "passed min-sqnr: exact, at least 20.00 dB",
      ])
  }

  @Test func latency() {
    let limits = Thresholds(maxLatency: 2)
    #expect(
      limits.check(latency: 1.98).map(\.description) == [
        "passed max-latency: 1.980 ms, at most 2.000 ms"
      ])
    #expect(
      limits.check(latency: 10.5).map(\.description) == [
        "FAILED max-latency: 10.500 ms, at most 2.000 ms"
      ])
    #expect(
      limits.check().map(\.description) == [
        "FAILED max-latency: not measured, at most 2.000 ms"
      ])
  }

  /// What misses a limit does not look like it, and limits are told as they were given.
  @Test(arguments: [
    (Thresholds(minSpeedup: 2.745), 2.744, "FAILED min-speedup: 2.744×, at least 2.745×"),
    (Thresholds(minSpeedup: 2.74), 2.7399, "FAILED min-speedup: 2.7399×, at least 2.7400×"),
    (Thresholds(minSpeedup: 2.74), 2.7401, "passed min-speedup: 2.74×, at least 2.74×"),
    (Thresholds(maxLatency: 0.04), 0.04195, "FAILED max-latency: 41.95 µs, at most 40.00 µs"),
    (Thresholds(maxLatency: 0.04), 1.5, "FAILED max-latency: 1500.00 µs, at most 40.00 µs"),
    (
      Thresholds(maxLatency: 2), 2.0000004, "FAILED max-latency: 2.0000004 ms, at most 2.0000000 ms"
    ),
    (Thresholds(maxLatency: 2), 0.04, "passed max-latency: 0.040 ms, at most 2.000 ms"),
  ])
  func digitsTellTheTruth(_ limits: Thresholds, _ value: Double, _ text: String) {
    let results = limits.check(speedup: value, latency: value)
    #expect(results.map(\.description) == [text])
  }

  @Test(arguments: [
    (-0.001, "−0.10 points"), (-0.00001, "0.00 points"), (0, "0.00 points"), (0.001, "0.10 points"),
  ])
  func aDropHasItsSign(_ drop: Double, _ text: String) {
    let results = Thresholds(maxDrop: 0.01).check(drop: drop, speedup: nil, size: nil, sqnr: nil)
    #expect(results[0].measured == text)
  }

  @Test func missed() {
    let results = limits.check(drop: 0.02, speedup: 1.9, size: 0.31, sqnr: 19.5)
    #expect(results.allSatisfy { !$0.isMet })
    #expect(results[0].description == "FAILED max-drop: 2.00 points, at most 1.00 points")
  }

  /// Top-1 of few samples is uncertain: the normal approximation, 3 / n where all are right.
  @Test(arguments: [
    (20, 0.9, " (20 samples tell ±13.1 points only)"),
    (20, 1, " (20 samples tell ±15.0 points only)"),
    (1, 0, " (1 sample tells ±100.0 points only)"), (10000, 0.9, ""), (2000, 0.94, ""),
    (3000, 1, ""),
  ])
  func aDropOnFewSamples(_ count: Int, _ accuracy: Double, _ note: String) {
    var report = Report(title: "net", float: .init("float"), quantized: .init("w8a8"))
    report.limits = Thresholds(maxDrop: 0.01)
    report.sampleCount = count
    report.float.metrics = [.top1: accuracy]
    report.quantized.metrics = [.top1: accuracy]
    #expect(
      report.thresholds.map(\.description)
        == ["passed max-drop: 0.00 points, at most 1.00 points" + note])
  }

  @Test func notMeasured() {
    #expect(
      limits.check(drop: nil, speedup: nil, size: nil, sqnr: .nan).map(\.description) == [
        "FAILED max-drop: not known without labelled data, at most 1.00 points",
        "FAILED min-speedup: not measured, at least 2.00×",
        "FAILED max-size: not known without a file, at most 30.0 %",
        "FAILED min-sqnr: not known without data, at least 20.00 dB",
      ])
    #expect(Thresholds().check(drop: nil, speedup: nil, size: nil, sqnr: nil).isEmpty)
  }
}
