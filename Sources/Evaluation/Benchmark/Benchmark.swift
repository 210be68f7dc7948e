import Datasets
public import Execution
public import Graphs
public import Tensors

/// How fast a network runs on this machine, beside another one and beside what the machine can do at most.
public struct Benchmark: Sendable {
  /// What a network took before its first run was timed.
  public struct Network: Sendable {
    /// Where it comes from.
    public let file: String
    /// The file's bytes, those of external data included.
    public let byteCount: Int?
    /// Whether any node computes with codes.
    public let isQuantized: Bool
    /// The milliseconds that reading and preparing it took, and then making the plan for the inputs; medians.
    public let loadTime, planTime: Double
    /// How often that was measured, after a first time that does not count unless it is the only one.
    public let loadCount: Int
    /// What the plan holds; nil where shapes follow from data, so that the network runs node by node.
    public let memory: PlanMemory?
    /// The most memory that loading it and running it once took, in bytes, as the median; nil where the system does not tell.
    public let peakMemory: Int?

    /// The file without its folder.
    var name: String { file.split(separator: "/").last.map(String.init) ?? file }
  }

  /// What was measured with one number of threads.
  public struct Run: Sendable {
    /// What the machine can do with so many threads.
    public let limits: MachineLimits
    /// The network's latency.
    public let latency: Latency
    /// The other network's latency and the network's; nil where there is none.
    public let comparison: LatencyComparison?
    /// The steps of the network's plan; none where they were not asked for or there is no plan.
    public let steps: [StepTiming]
    /// The share of all processors that other programs used meanwhile, from 0 to 1; nil where that is not known.
    public let others: Double?
  }

  /// What is measured, and how long.
  public struct Settings: Sendable {
    /// The numbers of threads, each measured in turn.
    public var threadCounts = [Threads.count]
    /// How long latencies are measured.
    public var latency = Latency.Settings()
    /// Whether each step is timed.
    public var profiles = false
    /// How often each step is timed; the median counts.
    public var profileRunCount = 20

    /// The number of threads as it is, no steps.
    public init() {}
  }

  /// The network.
  public let network: Network
  /// The network that it is measured beside.
  public let reference: Network?
  /// What it ran on, as in `random, seed 0`.
  public let source: String
  /// The types of the inputs, in order of their names.
  public let inputs: [Graph.Value]
  /// Where and when it was measured.
  public let circumstances: Circumstances
  /// A run for each number of threads.
  public let runs: [Run]
  /// What must be reached, with each number of threads.
  public var limits = Thresholds()

  init(
    network: Network, reference: Network?, source: String, inputs: [Graph.Value],
    circumstances: Circumstances, runs: [Run]
  ) {
    self.network = network
    self.reference = reference
    self.source = source
    self.inputs = inputs
    self.circumstances = circumstances
    self.runs = runs
  }

  /// Measures a network, in turns with `reference` where there is one. Leaves ``Threads/count`` as it was.
  ///
  /// Throws what running throws.
  /// - Parameters:
  ///   - network: what is measured.
  ///   - reference: what runs in turns with it.
  ///   - inputs: what both run on, by name.
  ///   - source: what the inputs are, for people.
  ///   - settings: what is measured, and how long.
  ///   - progress: told what comes next, as in `2 threads: timing each step`.
  public init(
    of network: LoadedNetwork, beside reference: LoadedNetwork? = nil,
    on inputs: [String: Tensor], source: String, settings: Settings = .init(),
    progress: (String) -> Void = { _ in }
  ) throws {
    let circumstances = Circumstances.current
    let threadCount = Threads.count
    defer { Threads.count = threadCount }
    let memory = network.figures.memory
    let valueByteCount = memory?.arenaByteCount ?? inputs.values.reduce(0) { $0 + $1.byteCount }
    let runs = try settings.threadCounts.map { count in
      Threads.count = count
      let threads = counted(count, "thread")
      let others = OtherPrograms()
      progress("\(threads): measuring the machine")
      let limits = MachineLimits.measured(
        workingByteCount: valueByteCount + (memory?.weightByteCount ?? 0))
      progress("\(threads): measuring latency")
      let comparison = try reference.map {
        try compareLatency(of: $0, with: network, on: inputs, settings: settings.latency)
      }
      let latency =
        try comparison?.second
        ?? measureLatency(of: network, on: inputs, settings: settings.latency)
      if settings.profiles { progress("\(threads): timing each step") }
      let steps =
        settings.profiles
        ? try network.timings(inputs, runs: settings.profileRunCount, limits: limits) : []
      return Run(
        limits: limits, latency: latency, comparison: comparison, steps: steps,
        others: others.share)
    }
    self.init(
      network: network.figures, reference: reference?.figures, source: source,
      inputs: inputs.keys.sorted().map { name in
        Graph.Value(name, ValueType(inputs[name]!.elementType, inputs[name]!.shape))
      }, circumstances: circumstances, runs: runs)
  }

  /// The thresholds that are set, for each number of threads.
  public var thresholds: [Thresholds.Result] {
    runs.flatMap { run in
      limits.check(speedup: run.comparison?.speedup, latency: run.latency.median).map { result in
        var result = result
        if runs.count > 1 { result.note = counted(run.limits.threadCount, "thread") }
        return result
      }
    }
  }

  /// Whether every threshold is met.
  public var isMet: Bool { thresholds.allSatisfy(\.isMet) }

  /// What to know before relying on a run's figures.
  public func warnings(on run: Run) -> [String] {
    run.warnings(processorCount: circumstances.processorCount)
  }

  /// How the network stands to the other, in a sentence; nil where there is none.
  public func verdict(on run: Run) -> String? {
    guard let comparison = run.comparison, let reference else { return nil }
    let note = " in the middle half of \(counted(comparison.first.runCount, "pair")) of runs"
    let text = "\(network.name) is \(comparison.verdict(beside: reference.name, note: note))"
    guard network.isQuantized, !reference.isQuantized, comparison.speedupRange.lowerBound <= 1
    else { return text }
    let finding =
      comparison.speedupRange.upperBound < 1
      ? "quantizing does not pay on this machine" : "quantizing gains no time on this machine"
    return "\(text): \(finding)\(run.isDisturbed ? ", as busy as it is" : "")"
  }
}

extension Benchmark.Run {
  /// The seconds that all steps take, and those that their limits allow.
  var stepTime: (total: Double, limit: Double) {
    (steps.reduce(0) { $0 + $1.time }, steps.reduce(0) { $0 + min($1.limitTime, $1.time) })
  }

  /// The time of all steps as a share of the median of whole runs; nil where there are no steps.
  var stepShare: Double? {
    steps.isEmpty || latency.median == 0 ? nil : stepTime.total * 1000 / latency.median
  }

  /// The steps, the slowest first.
  var slowest: [StepTiming] {
    steps.indices.sorted { (steps[$1].time, $0) < (steps[$0].time, $1) }.map { steps[$0] }
  }

  /// The time of each kind of step as a share of all, the greatest first.
  var kinds: [(kind: String, count: Int, time: Double, share: Double)] {
    Dictionary(grouping: steps, by: \.step.kind).map { kind, steps in
      (
        kind: kind, count: steps.count, time: steps.reduce(0) { $0 + $1.time },
        share: steps.reduce(0) { $0 + $1.share }
      )
    }.sorted { ($1.time, $0.kind) < ($0.time, $1.kind) }
  }
}
