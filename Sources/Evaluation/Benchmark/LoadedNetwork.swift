public import Execution
public import Graphs
public import Tensors

/// A network that is ready to run on given inputs, and what it took to get there. Errors name the file.
public struct LoadedNetwork: Executable {
  /// What it cost.
  public let figures: Benchmark.Network
  /// The network.
  public let model: CompiledModel
  private let file: String

  /// How often loading is measured, as long as it takes no more than so many seconds in all.
  private static let (loadCount, loadDuration) = (5, 2.0)

  /// Loads a network, makes its plan and runs it once: several times, since the first one of a process pays for its start, and
  /// figures are medians of the others.
  ///
  /// Throws what `load` and running throw.
  /// - Parameters:
  ///   - file: where it comes from.
  ///   - byteCount: the file's bytes, those of external data included.
  ///   - inputs: what it is going to run on.
  ///   - load: reads the file; its time counts.
  public init(
    _ file: String, byteCount: Int? = nil, on inputs: [String: Tensor], load: () throws -> Model
  ) throws {
    var loadings: [Loading] = []
    var total = 0.0
    var loaded: CompiledModel?
    repeat {
      // One at a time in memory.
      loaded = nil
      let loading = try Loading(file, on: inputs, into: &loaded, load: load)
      total += loading.loadTime + loading.planTime
      loadings.append(loading)
    } while loadings.count <= Self.loadCount && total < Self.loadDuration
    guard let loaded else { preconditionFailure("nothing was loaded") }
    if loadings.count > 1 { loadings.removeFirst() }
    func median(_ figure: (Loading) -> Double) -> Double {
      Latency.quantile(0.5, of: loadings.map(figure).sorted())
    }
    (model, self.file) = (loaded, file)
    figures = Benchmark.Network(
      file: file, byteCount: byteCount, isQuantized: loaded.graph.isQuantized,
      loadTime: median { $0.loadTime * 1000 }, planTime: median { $0.planTime * 1000 },
      loadCount: loadings.count, memory: loadings[0].memory,
      peakMemory: loadings[0].peak.map { _ in Int(median { Double($0.peak ?? 0) }) })
  }

  /// What it took once, in seconds and bytes.
  private struct Loading {
    var (loadTime, planTime) = (0.0, 0.0)
    var memory: PlanMemory?
    var peak: Int?

    init(
      _ file: String, on inputs: [String: Tensor], into loaded: inout CompiledModel?,
      load: () throws -> Model
    ) throws {
      var compiled: CompiledModel?
      var (loadTime, planTime) = (0.0, 0.0)
      var memory: PlanMemory?
      peak = try measurePeakMemory {
        loadTime = try seconds {
          let model = try load()
          compiled = try located(file) { try CompiledModel(model) }
        }
        try located(file) {
          planTime = try seconds { memory = try compiled?.planMemory(for: inputs) }
          _ = try compiled?.run(inputs)
        }
      }
      loaded = compiled
      (self.loadTime, self.planTime, self.memory) = (loadTime, planTime, memory)
    }
  }

  /// What is computed.
  public var graph: Graph { model.graph }

  /// The outputs by name; throws as ``CompiledModel/run(_:)``.
  public func run(_ inputs: [String: Tensor]) throws -> [String: Tensor] {
    try located(file) { try model.run(inputs) }
  }

  /// The same, over what `outputs` holds; see ``CompiledModel/run(_:into:)``.
  public func run(_ inputs: [String: Tensor], into outputs: inout [String: Tensor]) throws {
    try located(file) { try model.run(inputs, into: &outputs) }
  }

  /// The steps of the plan for such inputs, judged by the machine's limits; none where there is no plan.
  func timings(
    _ inputs: [String: Tensor], runs: Int, limits: MachineLimits
  ) throws -> [StepTiming] {
    try located(file) {
      let steps = try model.profile(inputs, runs: runs)
      return StepTiming.judged(
        steps, by: limits, multiplications: try referenceMultiplications(inputs, steps),
        isQuantized: figures.isQuantized)
    }
  }

  /// The multiply-adds of the nodes that run as reference functions, by label.
  private func referenceMultiplications(
    _ inputs: [String: Tensor], _ steps: [StepProfile]
  ) throws -> [String: Int] {
    let labels = Set(steps.filter(\.isReference).map(\.label))
    guard !labels.isEmpty else { return [:] }
    let typed = try graph.inferringTypes(given: inputs.mapValues(\.shape), opsets: model.opsets)
    return graph.nodes.reduce(into: [:]) { result, node in
      if labels.contains(node.label) { result[node.label] = typed.multiplications(of: node) }
    }
  }
}
