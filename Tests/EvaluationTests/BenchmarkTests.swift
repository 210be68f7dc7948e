import Evaluation
import Tensors
import Testing

@Suite struct BenchmarkTests {
  @Test func quantiles() {
    let latency = Latency(
      times: (1...21).map(Double.init).reversed(), warmUpCount: 3, threadCount: 2)
    #expect(latency.median == 11 && latency.percentile95 == 20 && latency.minimum == 1)
    #expect(latency.runCount == 21 && latency.warmUpCount == 3 && latency.threadCount == 2)
    #expect(latency.percentile10 == 3 && latency.percentile90 == 19 && latency.mean == 11)
    #expect(abs(latency.percentile99 - 20.8) < 1e-12)
    let two = Latency(times: [1, 3], warmUpCount: 0, threadCount: 1)
    #expect(two.median == 2 && abs(two.percentile95 - 2.9) < 1e-12)
  }

  @Test func measuresAsOftenAsAsked() throws {
    var settings = Latency.Settings()
    (settings.warmUp, settings.duration) = (0, 0)
    settings.leastRunCount = 4
    let latency = try measureLatency(
      of: ShiftNetwork(), on: ["x": .zeros([1, 6], .float32)], settings: settings)
    #expect(latency.runCount == 4 && latency.warmUpCount == 1)
    #expect(latency.threadCount == Threads.count)
    #expect(latency.minimum <= latency.median && latency.median <= latency.percentile95)
  }

  @Test func spreadIsTheDistanceOfTheQuartiles() {
    let latency = Latency(times: [1, 2, 3, 4, 5], warmUpCount: 0, threadCount: 1)
    #expect(latency.spread == 2.0 / 3)
    #expect(Latency(times: [4], warmUpCount: 0, threadCount: 1).spread == 0)
  }

  /// A slow machine for half of the time: medians lie, ratios of neighbours do not.
  @Test func speedupIsThatOfNeighbours() throws {
    let times = [(4.0, 1.0), (4, 1), (40, 10), (40, 10), (40, 10)].map {
      (first: $0.0, second: $0.1)
    }
    let uneven = LatencyComparison(
      times: times + [(4, 1), (40, 1)], warmUpCount: 1, threadCount: 1)
    #expect(uneven.speedup == 4 && uneven.first.median == 40 && uneven.second.median == 1)
    #expect(
      uneven.warning?.hasPrefix("latencies vary by 900 % (distance of the quartiles), so that ")
        == true)
    let quiet = LatencyComparison(
      times: [(first: 4, second: 1), (first: 4.1, second: 1.1)], warmUpCount: 1, threadCount: 1)
    #expect(quiet.warning == nil)
  }

  @Test(arguments: [
    ([2.0, 2.1, 2.2], "2.10× faster than float (2.05–2.15×)"),
    ([2, 2, 2], "2.00× faster than float (2.00×)"),
    ([0.98, 0.97, 0.96], "1.03× slower than float (1.03–1.04×)"),
    ([0.5, 0.5, 0.5], "2.00× slower than float (2.00×)"),
    ([0.21, 0.2, 0.25], "4.76× slower than float (4.35–4.88×)"),
    ([1.001, 1.002, 1.004], "1.002× faster than float (1.002–1.003×)"),
    ([0.98, 1, 1.04], "as fast as float (0.99–1.02×)"), ([1, 1, 1], "as fast as float (1.00×)"),
  ])
  func verdicts(_ ratios: [Double], _ text: String) {
    let comparison = LatencyComparison(
      times: ratios.map { (first: $0, second: 1) }, warmUpCount: 0, threadCount: 1)
    #expect(comparison.verdict(beside: "float") == text)
    #expect(comparison.speedupRange.contains(comparison.speedup))
    #expect((comparison.slownessWarning != nil) == text.contains("slower"))
  }

  @Test func slownessIsTold() {
    let comparison = LatencyComparison(
      times: [(first: 1, second: 9), (first: 1, second: 9)], warmUpCount: 0, threadCount: 1)
    #expect(
      comparison.slownessWarning
        == "the quantized network is 9.00× slower than the float one (9.00×): quantizing does not pay on this machine"
    )
  }

  @Test func asManyRunsAsAsked() throws {
    var settings = Latency.Settings()
    #expect(settings.runCount == nil)
    (settings.warmUp, settings.runCount) = (0, 7)
    #expect(settings.runCount == 7)
    let latency = try measureLatency(
      of: ShiftNetwork(), on: ["x": .zeros([1, 6], .float32)], settings: settings)
    #expect(latency.runCount == 7)
  }

  @Test func takesTurns() throws {
    var settings = Latency.Settings()
    (settings.warmUp, settings.duration, settings.leastRunCount) = (0, 0, 3)
    let comparison = try compareLatency(
      of: ShiftNetwork(), with: ShiftNetwork(), on: ["x": .zeros([1, 6], .float32)],
      settings: settings)
    #expect(comparison.first.runCount == 3 && comparison.second.runCount == 3)
    #expect(comparison.first.warmUpCount == 1 && comparison.speedup > 0)
  }

  @Test func peakMemory() throws {
    // 64 MB are touched and given back before the end; other tests may add to it.
    let peak = measurePeakMemory {
      let tensor = Tensor.zeros([1 << 26], .uint8)
      #expect(tensor.count == 1 << 26)
    }
    if let peak { #expect(peak >= 1 << 25) }
  }

  @Test func latencyAsALine() {
    let latency = Latency(times: [2, 4, 3], warmUpCount: 5, threadCount: 1)
    #expect(
      latency.description
        == "median 3.000 ms, 95 % 3.900 ms, least 2.000 ms; 3 runs after 5, 1 thread")
    let short = Latency(times: [0.0415], warmUpCount: 1, threadCount: 2)
    #expect(
      short.description
        == "median 41.50 µs, 95 % 41.50 µs, least 41.50 µs; 1 run after 1, 2 threads")
  }
}
