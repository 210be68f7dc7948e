public import Graphs
import Synchronization
public import Tensors

/// A network made ready to run fast: fused, quantized patterns on integer kernels, memory laid out once.
///
/// Plans are made for the shapes of the inputs that are met, and kept. What a plan can't hold, because shapes follow
/// only from data, is run by ``Interpreter``. Results do not depend on the number of threads.
public final class CompiledModel: Sendable {
  /// The graph that is computed.
  public let graph: Graph
  private let opsets: [String: Int]
  private let interpreter: Interpreter
  private let plans = Mutex<[[Shape]: Plan?]>([:])

  /// How many plans are kept at most: batch sizes and sequence lengths that come again.
  private static let planLimit = 8

  /// Prepares a model, after the standard passes. Throws ``GraphError`` that lists every node whose operator is not
  /// supported.
  public init(_ model: Model) throws {
    let model = try model.applying(.standard)
    interpreter = try Interpreter(model)
    graph = model.graph
    opsets = model.opsets
  }

  /// The graph's outputs for the given inputs, by name.
  ///
  /// Throws ``ExecutionError`` where an input is missing, unknown or of the wrong type or shape, or a node can't
  /// compute its result; its path names the node.
  public func run(_ inputs: [String: Tensor]) throws -> [String: Tensor] {
    try graph.check(inputs)
    if let plan = try plan(for: inputs) { return try plan.run(inputs) }
    return try interpreter.run(inputs)
  }

  /// How long each step of the plan for these inputs takes: the median of `runs`, after one that does not count.
  ///
  /// Empty where the network has no plan. Throws as ``run(_:)`` does.
  public func profile(_ inputs: [String: Tensor], runs: Int = 10) throws -> [StepProfile] {
    try graph.check(inputs)
    guard let plan = try plan(for: inputs) else { return [] }
    var times = [[Duration]](repeating: [], count: plan.steps.count)
    _ = try plan.run(inputs)
    for _ in 0..<max(runs, 1) { _ = try plan.run(inputs) { times[$0].append($1) } }
    return zip(plan.steps, times).map { step, times in
      StepProfile(
        label: step.label, kind: step.kind, multiplications: step.multiplications,
        duration: times.sorted()[times.count / 2])
    }
  }

  /// The plan for inputs of the given shapes, nil where none can be made.
  func plan(for inputs: [String: Tensor]) throws -> Plan? {
    let names = graph.inputs.map(\.name)
    let key = names.compactMap { inputs[$0]?.shape }
    return try plans.withLock { plans in
      if let known = plans[key] { return known }
      if plans.count >= Self.planLimit { plans.removeAll() }
      let plan = try makePlan(inputs.mapValues(\.shape))
      plans[key] = .some(plan)
      return plan
    }
  }

  private func makePlan(_ shapes: [String: Shape]) throws -> Plan? {
    do {
      return try Plan(
        try graph.inferringTypes(given: shapes, opsets: opsets), opsets: opsets)
    } catch is PlanBuilder.UnknownType {
      return nil
    }
  }
}

/// What one step of a plan is, and how long it takes.
public struct StepProfile: Sendable {
  /// The nodes that it computes.
  public let label: String
  /// What kind of work it is, as in `int8 convolution`.
  public let kind: String
  /// The multiply-accumulate operations it makes.
  public let multiplications: Int
  /// How long it takes.
  public let duration: Duration
}

extension CompiledModel: Executable {}
