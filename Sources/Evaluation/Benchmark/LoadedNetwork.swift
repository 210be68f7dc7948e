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

  /// Loads a network, makes its plan and runs it once.
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
    var compiled: CompiledModel?
    var memory: PlanMemory?
    var (loadTime, planTime) = (0.0, 0.0)
    let peak = try measurePeakMemory {
      loadTime = try seconds {
        let model = try load()
        compiled = try located(file) { try CompiledModel(model) }
      }
      try located(file) {
        planTime = try seconds { memory = try compiled?.planMemory(for: inputs) }
        _ = try compiled?.run(inputs)
      }
    }
    guard let compiled else { preconditionFailure("nothing was loaded") }
    (model, self.file) = (compiled, file)
    figures = Benchmark.Network(
      file: file, byteCount: byteCount, isQuantized: compiled.graph.isQuantized,
      loadTime: loadTime * 1000, planTime: planTime * 1000, memory: memory, peakMemory: peak)
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
