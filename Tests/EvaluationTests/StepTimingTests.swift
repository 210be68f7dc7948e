import Execution
import Tensors
import Testing

@testable import Evaluation

/// What a machine of round figures can do.
let sampleLimits = MachineLimits(
  instructionSet: "avx512", threadCount: 2, floatRate: 100e9, peakGain: 2, byteRate: 400e9,
  memoryRate: 20e9, workingByteCount: 6_500_000, workingRate: 10e9, regionTime: 3e-6)

/// A step of the given figures, in microseconds.
func sampleStep(
  _ label: String, _ kind: String, _ multiplications: Int = 0, bytes: Int, weights: Int = 0,
  isReference: Bool = false, sources: [Int] = [], _ time: Int
) -> StepProfile {
  StepProfile(
    label: label, kind: kind, multiplications: multiplications, valueByteCount: bytes,
    weightByteCount: weights, isReference: isReference, sources: sources,
    duration: .microseconds(time))
}

/// The roofline's arithmetic, by examples computed by hand.
@Suite struct StepTimingTests {
  private func judged(_ step: StepProfile, isQuantized: Bool = true) -> StepTiming {
    StepTiming.judged([step], by: sampleLimits, isQuantized: isQuantized)[0]
  }

  private func isClose(_ value: Double, _ expected: Double) -> Bool {
    abs(value - expected) <= 1e-9 * abs(expected)
  }

  /// 80 M operations at 400 GOP/s are 200 us; 500 kB at 10 GB/s are 50 us.
  @Test func computation() {
    let timing = judged(
      sampleStep("c", "int8 convolution", 40_000_000, bytes: 400_000, weights: 100_000, 250))
    #expect(timing.operations == 80_000_000 && timing.byteCount == 500_000)
    #expect(timing.limit == .computation && isClose(timing.limitTime, 200e-6))
    #expect(isClose(timing.reachedShare, 0.8) && timing.share == 1)
    #expect(isClose(timing.operationRate, 320e9) && isClose(timing.byteRate, 2e9))
    #expect(timing.reason == "limited by computation, 80 % of the peak")
    #expect(timing.reachedRate == "320 GOP/s")
  }

  /// The same in float, at 100 GFLOP/s: 800 us.
  @Test func computationInFloat() {
    let timing = judged(sampleStep("c", "float convolution", 40_000_000, bytes: 500_000, 1000))
    #expect(timing.limit == .computation && isClose(timing.limitTime, 800e-6))
    #expect(
      timing.reason == "float in a network of codes; limited by computation, 80 % of the peak")
  }

  /// 2 M operations take 5 us, 1 MB takes 100 us.
  @Test func memory() {
    let timing = judged(
      sampleStep("p", "int8 product", 1_000_000, bytes: 1000, weights: 999_000, 125))
    #expect(timing.limit == .memory && isClose(timing.limitTime, 100e-6))
    #expect(timing.reason == "limited by memory, 80 % of 10 GB/s")
    #expect(timing.reachedRate == "8.0 GB/s")
  }

  @Test func nearerCaches() {
    let timing = judged(sampleStep("a", "int8 add", bytes: 1_000_000, 50))
    #expect(isClose(timing.reachedShare, 2))
    #expect(timing.reason == "limited by memory, 200 % of 10 GB/s: from nearer caches")
  }

  @Test(arguments: [
    (
      sampleStep("d", "int8 depthwise convolution", 2_000_000, bytes: 10_000, 100), true,
      "10 % of the peak: depthwise, sums of a few products"
    ),
    (
      sampleStep("n", "LRN", bytes: 1000, isReference: true, 900), true,
      "computed by the reference function of LRN, since the plan has no step for it: made apart, "
        + "then copied; 0 % of the rate of memory"
    ),
    (
      sampleStep("t", "codes Transpose", bytes: 1000, isReference: true, 900), true,
      "codes are moved by the reference function of Transpose, since the plan has no step for it: "
        + "made apart, then copied; 0 % of the rate of memory"
    ),
    (
      sampleStep("s", "int8 add", bytes: 1000, 12), true,
      "small: 12.00 µs, of which starting threads takes up to 3.000 µs"
    ),
    (
      sampleStep("s", "int8 add", bytes: 38_000, 19), true,
      "small: 19.00 µs, 20 % of the rate of memory"
    ),
    (sampleStep("c", "int8 convolution", 2_000_000, bytes: 1000, 100), true, "10 % of the peak"),
    (
      sampleStep("p", "Softmax", bytes: 100_000, 100), true,
      "10 % of the rate of memory: its functions of numbers are not counted as operations"
    ),
    (
      sampleStep("z", "int8 add", bytes: 0, 0), true,
      "small: 0.000 µs, of which starting threads takes up to 3.000 µs"
    ),
  ])
  func reasons(_ step: StepProfile, _ isQuantized: Bool, _ reason: String) {
    #expect(judged(step, isQuantized: isQuantized).reason == reason)
  }

  /// With one thread there is nothing to start; less than a microsecond is no time for a rate.
  @Test func tinySteps() {
    let step = StepProfile(
      label: "s", kind: "float add", multiplications: 0, valueByteCount: 8,
      duration: .nanoseconds(40))
    let limits = MachineLimits(
      instructionSet: "neon", threadCount: 1, floatRate: 1e9, peakGain: 1, byteRate: 1e9,
      memoryRate: 1e9, workingByteCount: 8, workingRate: 1e9, regionTime: 0)
    let timing = StepTiming.judged([step], by: limits, isQuantized: false)[0]
    #expect(timing.reason == "small: 0.040 µs, of which beginning it is a part")
  }

  /// Changes of form name the steps on both sides.
  @Test func changesOfForm() {
    let steps = [
      sampleStep("x", "quantize", bytes: 10, 10),
      sampleStep("x", "change layout", bytes: 10, sources: [0], 10),
      sampleStep("conv", "int8 convolution", bytes: 10, sources: [1], 10),
      sampleStep("y", "dequantize", bytes: 10, sources: [2], 10),
    ]
    let timings = StepTiming.judged(steps, by: sampleLimits, isQuantized: true)
    #expect(timings[0].reason == "numbers become codes, between the input and x")
    #expect(timings[1].reason == "layout change between x and conv")
    #expect(timings[3].reason == "codes become numbers, between conv and the output")
  }

  @Test func sharesSumToOne() {
    let steps = (1...7).map { sampleStep("s\($0)", "int8 add", bytes: 10, $0 * 13) }
    let timings = StepTiming.judged(steps, by: sampleLimits, isQuantized: true)
    #expect(isClose(timings.reduce(0) { $0 + $1.share }, 1))
    #expect(isClose(timings[3].share, 4.0 / 28))
    #expect(StepTiming.judged([], by: sampleLimits, isQuantized: true).isEmpty)
  }

  /// Of a reference function the work is told from its node; that of other steps is their own.
  @Test func operationsOfReferenceFunctions() {
    let steps = [
      sampleStep("m", "MatMul", bytes: 10, isReference: true, 100),
      sampleStep("m", "quantize", bytes: 10, 100),
    ]
    let timings = StepTiming.judged(
      steps, by: sampleLimits, multiplications: ["m": 500], isQuantized: true)
    #expect(timings.map(\.operations) == [1000, 0])
  }

  @Test func aMachineIsMeasured() {
    let limits = MachineLimits.measured(workingByteCount: 1 << 16)
    #expect((1...Threads.limit).contains(limits.threadCount))
    #expect(limits.workingByteCount == 1 << 16)
    #expect(limits.peakGain > 0 && limits.peakGain.isFinite)
    for rate in [limits.floatRate, limits.byteRate, limits.memoryRate, limits.workingRate] {
      #expect(rate > 0 && rate.isFinite)
    }
    #expect(
      sampleLimits.description
        == "avx512, 2 threads: float 100 GFLOP/s, u8 × s8 400 GOP/s; reading 20.0 GB/s from memory, "
        + "10.0 GB/s over this network's 6.5 MB")
  }
}
