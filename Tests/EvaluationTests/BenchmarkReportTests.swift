import Execution
import Foundation
import Graphs
import ModelFiles
import Tensors
import Testing
import _TestSupport

@testable import Evaluation

/// Where and when nothing was measured.
let sampleCircumstances = Circumstances(
  version: "9.8.7", date: "2026-11-21T21:23:32Z", processor: "Zen & 5", processorCount: 2,
  system: "Linux x86_64", instructionSet: "avx512", load: 0.456)

/// A benchmark of round figures in which nothing is missing; its names are full of what has to be escaped.
func sampleBenchmark() -> Benchmark {
  let steps = StepTiming.judged(
    [
      sampleStep("<conv>", "int8 convolution", 40_000_000, bytes: 400_000, weights: 100_000, 250),
      sampleStep("norm", "LRN", bytes: 1_000_000, isReference: true, sources: [0], 700),
      sampleStep("y", "dequantize", bytes: 100_000, sources: [1], 50),
    ], by: sampleLimits, isQuantized: true)
  func run(_ threads: Int, _ ratios: [Double]) -> Benchmark.Run {
    let comparison = LatencyComparison(
      times: ratios.map { (first: $0, second: 1) }, warmUpCount: 3, threadCount: threads)
    return Benchmark.Run(
      limits: sampleLimits.with(threadCount: threads), latency: comparison.second,
      comparison: comparison, steps: steps, others: threads == 1 ? 0.1 : 0.3)
  }
  func network(_ file: String, isQuantized: Bool) -> Benchmark.Network {
    Benchmark.Network(
      file: file, byteCount: 1_000_000, isQuantized: isQuantized, loadTime: 12, planTime: 3,
      loadCount: 5,
      memory: PlanMemory(arenaByteCount: 1_500_000, weightByteCount: 5_000_000),
      peakMemory: 20_000_000)
  }
  var benchmark = Benchmark(
    network: network("models/net&8.onnx", isQuantized: true),
    reference: network("net.onnx", isQuantized: false), source: "random, seed 0",
    inputs: [.init("x", ValueType(.float32, [1, 3]))], circumstances: sampleCircumstances,
    runs: [run(1, [0.5, 2, 3.5]), run(2, [0.98, 0.98, 0.98])])
  benchmark.limits = Thresholds(minSpeedup: 1.5, maxLatency: 1.25)
  return benchmark
}

extension MachineLimits {
  func with(threadCount: Int, peakGain: Double? = nil) -> MachineLimits {
    MachineLimits(
      instructionSet: instructionSet, threadCount: threadCount, floatRate: floatRate,
      peakGain: peakGain ?? self.peakGain, byteRate: byteRate, memoryRate: memoryRate,
      workingByteCount: workingByteCount,
      workingRate: workingRate, regionTime: regionTime)
  }
}

@Suite struct BenchmarkReportTests {
  @Test func text() {
    let lines = sampleBenchmark().text(stepCount: 2).split(
      separator: "\n", omittingEmptySubsequences: false
    ).map(String.init)
    for line in [
      "net&8.onnx beside net.onnx",
      "tessera 9.8.7, 2026-11-21T21:23:32Z; Zen & 5, 2 processors, avx512, Linux x86_64, load 0.46",
      "inputs: random, seed 0; x float32[1, 3]",
      "                      net&8.onnx  net.onnx", "load, median            12.00 ms  12.00 ms",
      "loads                          5         5", "values between steps      1.5 MB    1.5 MB",
      "1 thread", "2 threads",
      "median            1.000 ms  2.000 ms", "runs (warm-up)       3 (3)     3 (3)",
      "net&8.onnx is 2.00× faster than net.onnx (1.25–2.75× in the middle half of 3 pairs of runs)",
      "warning: latencies vary by 75 % (distance of the quartiles), so that the machine is busy or "
        + "changes its clock rate; measure again when it is quiet before relying on them",
      "warning: 3 runs only: medians and percentiles of fewer than 10 say little; measure longer",
      "warning: other programs used 30 % of all processors meanwhile, so that times are too long and limits may be too low; "
        + "measure again when the machine is quiet",
      "net&8.onnx is 1.02× slower than net.onnx (1.02× in the middle half of 3 pairs of runs): "
        + "quantizing does not pay on this machine, as busy as it is",
      "machine: avx512, 2 threads: float 100 GFLOP/s, u8 × s8 400 GOP/s; reading 20.0 GB/s from memory, "
        + "10.0 GB/s over this network's 6.5 MB",
      "3 steps of net&8.onnx, timed alone: 1.000 ms in all, 100 % of the median run, which took turns with the other "
        + "network; the machine's limits would allow 310.0 µs, 31 % of it",
      "LRN                   1  700.0 µs  70.0 %",
      "norm           700.0 µs  70.0 %           0    1.0 MB   1.4 GB/s      14 %",
      "<conv>         250.0 µs  25.0 %     80.00 M  500.0 kB  320 GOP/s      80 %", "… and 1 more",
      "why",
      "  norm (LRN): computed by the reference function of LRN, since the plan has no step for it: "
        + "made apart, then copied; 14 % of the rate of memory",
      "  <conv> (int8 convolution): limited by computation, 80 % of the peak", "thresholds",
      "  passed min-speedup: 2.00×, at least 1.50× (1 thread)",
      "  passed max-latency: 1.000 ms, at most 1.250 ms (1 thread)",
      "  FAILED min-speedup: 0.98×, at least 1.50× (2 threads)",
    ] {
      #expect(lines.contains(line), "\(line)")
    }
    #expect(!sampleBenchmark().isMet)
  }

  /// A network alone, without steps and limits, and one without a plan.
  @Test func lessIsSaidOfLess() {
    let full = sampleBenchmark()
    let latency = Latency(times: [1], warmUpCount: 0, threadCount: 2)
    let run = Benchmark.Run(
      limits: sampleLimits, latency: latency, comparison: nil, steps: [], others: nil)
    let network = Benchmark.Network(
      file: "a.onnx", byteCount: nil, isQuantized: false, loadTime: 1, planTime: 1, loadCount: 1,
      memory: nil, peakMemory: nil)
    let alone = Benchmark(
      network: network, reference: nil, source: "in.npz", inputs: full.inputs,
      circumstances: sampleCircumstances, runs: [run])
    #expect(alone.verdict(on: run) == nil && alone.isMet && alone.thresholds.isEmpty)
    #expect(alone.text().hasPrefix("a.onnx\ntessera 9.8.7, "))
    #expect(
      alone.text().hasSuffix(
        "\n\nno plan: shapes follow from data, so that the network runs node by node\n"))
    #expect(!alone.html.contains("Where the time goes") && !alone.json.contains("steps"))
    // What is not measured is not reached.
    var asked = alone
    asked.limits.minSpeedup = 1
    #expect(
      asked.thresholds.map(\.description) == ["FAILED min-speedup: not measured, at least 1.00×"])
  }

  /// What gains nothing is said not to.
  @Test func verdicts() {
    let full = sampleBenchmark()
    func verdict(_ ratios: [Double], _ benchmark: Benchmark) -> String? {
      let comparison = LatencyComparison(
        times: ratios.map { (first: $0, second: 1) }, warmUpCount: 0, threadCount: 1)
      return benchmark.verdict(
        on: .init(
          limits: sampleLimits, latency: comparison.second, comparison: comparison, steps: [],
          others: nil))
    }
    #expect(
      verdict([0.98, 1, 1.04], full)
        == "net&8.onnx is as fast as net.onnx (0.99–1.02× in the middle half of 3 pairs of runs): "
        + "quantizing gains no time on this machine")
    let alike = Benchmark(
      network: full.network, reference: full.network, source: "", inputs: [],
      circumstances: sampleCircumstances, runs: [])
    #expect(
      verdict([0.5], alike)
        == "net&8.onnx is 2.00× slower than net&8.onnx (2.00× in the middle half of 1 pair of runs)"
    )
  }

  /// What may spoil the figures, by the figures that tell it.
  @Test(
    arguments: [
      (1, 1.0, 0.1, 10, 2, []), (2, 1.5, nil, 10, 2, []),
      (
        1, 1, nil, 9, 1,
        ["9 runs only: medians and percentiles of fewer than 10 say little; measure longer"]
      ),
      (
        1, 1, 0.11, 10, 2,
        [
          "other programs used 11 % of all processors meanwhile, so that times are too long and limits may be too low; "
            + "measure again when the machine is quiet"
        ]
      ),
      (
        2, 1.49, nil, 10, 2,
        [
          "2 threads reached only 1.49 times the float peak of one: other programs use the processors, or the threads "
            + "share cores; the machine's limits, and shares of them, hold for that only"
        ]
      ),
      (
        4, 1.9, nil, 10, 2,
        ["4 threads on 2 processors wait for each other; measure with 2 at most"]
      ),
      (2, 1, nil, 10, 1, ["2 threads on 1 processor wait for each other; measure with 1 at most"]),
    ] as [(Int, Double, Double?, Int, Int, [String])])
  func warnings(
    _ threads: Int, _ gain: Double, _ others: Double?, _ runs: Int, _ processors: Int,
    _ expected: [String]
  ) {
    let run = Benchmark.Run(
      limits: sampleLimits.with(threadCount: threads, peakGain: gain),
      latency: Latency(
        times: [Double](repeating: 1, count: runs), warmUpCount: 0, threadCount: threads),
      comparison: nil, steps: [], others: others)
    #expect(run.warnings(processorCount: processors) == expected)
  }

  /// Guests are in what users take already; waiting is no work.
  @Test func busyTicksOfASystem() {
    #expect(
      OtherPrograms.busyTicks("cpu  10 20 30 1000 500 4 5 6 7 8\ncpu0 1 2 3 4\nintr 9\n") == 75)
    for text in ["", "cpu0 1 2 3 4\n", "cpu  0 0 0 0 0 0 0 0 0 0\n", "cpu  1 2\n"] {
      #expect(OtherPrograms.busyTicks(text) == nil, "\(text)")
    }
  }

  @Test func circumstances() {
    let now = Circumstances.current
    #expect(now.version == tesseraVersion && now.processorCount > 0)
    #expect(now.date.count == 20 && now.date.hasSuffix("Z"))
    #expect(Circumstances.listedCount("0-3,6") == 5 && Circumstances.listedCount("7") == 1)
    for text in ["", "x", "1-", "3-1", "1,,2", "1-2-3"] {
      #expect(Circumstances.listedCount(text[...]) == nil, "\(text)")
    }
    let bare = Circumstances(
      version: "1", date: "then", processor: nil, processorCount: 1, system: "macOS arm64",
      instructionSet: "neon", load: nil)
    #expect(bare.description == "tessera 1, then; 1 processor, neon, macOS arm64")
  }

  @Test func page() {
    let html = sampleBenchmark().html
    #expect(html.contains("<p>tessera 9.8.7, 2026-11-21T21:23:32Z; Zen &amp; 5, 2 processors"))
    #expect(html.contains(">codes 400 GOP/s</text>") && html.contains(">floats 100 GOP/s</text>"))
    #expect(html.contains("memory 10 GB/s</text>"))
    #expect(html.hasPrefix("<!DOCTYPE html>\n") && html.hasSuffix("</html>\n"))
    #expect(html.contains("<h1>net&amp;8.onnx beside net.onnx</h1>"))
    #expect(html.contains("&lt;conv&gt;") && !html.contains("<conv>"))
    #expect(html.contains("✗ 1 of 4 thresholds missed"))
    #expect(html.contains("aria-label=\"Roofline of all steps\""))
    // A bar a step: 700 us are the longest; of 250 us the limit allows 200.
    #expect(html.contains("<i class=\"faint\" style=\"width:35.71%\"></i>"))
    #expect(html.contains("<i class=\"after thin\" style=\"width:28.57%\"></i>"))
    #expect(html.contains("<i class=\"severe thin\""))
    for text in ["NaN", "nan", "inf%", "&lt;p&gt;"] { #expect(!html.contains(text), "\(text)") }
  }

  @Test func measuresARealNetwork() throws {
    let model = try Model(
      contentsOf: TestSupport.fixture("onnx/qdq_conv_pc_uint8.onnx"))
    let inputs = try BenchmarkInputs().tensors(for: model.graph)
    let network = try LoadedNetwork("net.onnx", byteCount: 7, on: inputs) { model }
    #expect(network.figures.isQuantized && network.figures.memory != nil)
    var settings = Benchmark.Settings()
    settings.threadCounts = [2, 1]
    settings.latency.warmUp = 0
    settings.latency.runCount = 2
    (settings.profiles, settings.profileRunCount) = (true, 1)
    let threads = Threads.count
    var told: [String] = []
    let benchmark = try Benchmark(
      of: network, beside: network, on: inputs, source: "random", settings: settings
    ) { told.append($0) }
    #expect(Threads.count == threads)
    #expect(
      told.prefix(3) == [
        "2 threads: measuring the machine", "2 threads: measuring latency",
        "2 threads: timing each step",
      ])
    #expect(benchmark.runs.map(\.limits.threadCount) == [2, 1])
    for run in benchmark.runs {
      #expect(run.latency.runCount == 2 && run.comparison?.second == run.latency)
      #expect(abs(run.steps.reduce(0) { $0 + $1.share } - 1) < 1e-9)
      #expect(run.steps.contains { $0.step.kind == "int8 convolution" && $0.operations > 0 })
    }
    #expect(
      benchmark.runs[0].limits.workingByteCount
        == network.figures.memory.map { $0.arenaByteCount + $0.weightByteCount })
  }
}
