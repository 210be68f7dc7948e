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
  package let opsets: [String: Int]
  private let kept: Set<String>
  private let tellsNodes: Bool
  private let interpreter: Interpreter
  private let plans = Mutex(Plans())

  private struct Plans {
    var known: [[Shape]: Plan?] = [:]
    var last: Plan?
    let weights = PackedWeights()
  }

  /// How many plans are kept at most: batch sizes and sequence lengths that come again.
  private static let planLimit = 8

  /// Prepares a model, after the standard passes. Throws ``GraphError`` that lists every node whose operator is not
  /// supported.
  ///
  /// - Parameters:
  ///   - model: the network as it was read.
  ///   - kept: inner values that are to exist for ``run(_:observing:_:)``: passes leave them alone, and no step computes past
  ///     them, which takes some speed. Names that no node computes change nothing.
  public convenience init(_ model: Model, keeping kept: Set<String> = []) throws {
    try self.init(model, keeping: kept, tellingNodes: false)
  }

  /// The same; with `tellsNodes` nodes that can be fused without any other result, bit by bit, are not, so that more values
  /// exist.
  package init(
    _ model: Model, keeping kept: Set<String> = [], tellingNodes tellsNodes: Bool
  ) throws {
    self.tellsNodes = tellsNodes
    var model = model
    let computed = Set(model.graph.nodes.flatMap(\.outputs))
    let added = kept.intersection(computed).subtracting(model.graph.outputs.map(\.name))
    model.graph.outputs += added.sorted().map { .init($0, ValueType(nil, nil)) }
    model = try model.applying(.standard)
    model.graph.outputs.removeAll { added.contains($0.name) }
    interpreter = try Interpreter(model)
    graph = model.graph
    opsets = model.opsets
    self.kept = added
  }

  /// The graph's outputs for the given inputs, by name.
  ///
  /// Throws ``ExecutionError`` where an input is missing, unknown or of the wrong type or shape, or a node can't
  /// compute its result; its path names the node.
  public func run(_ inputs: [String: Tensor]) throws -> [String: Tensor] {
    var outputs: [String: Tensor] = [:]
    try run(inputs, into: &outputs)
    return outputs
  }

  /// The graph's outputs for the given inputs, put in place of what `outputs` holds under their names.
  ///
  /// A tensor of the right type and shape there, which nobody else refers to, is written over: where inputs of the same shapes
  /// come again, such a run allocates nothing, unless a step is left to an operator's reference function. Other entries are left
  /// alone. Throws as ``run(_:)`` does; what `outputs` holds is then not defined.
  public func run(_ inputs: [String: Tensor], into outputs: inout [String: Tensor]) throws {
    if let plan = plans.withLock({ $0.last }), plan.accepts(inputs) {
      return try plan.run(inputs, into: &outputs)
    }
    try graph.check(inputs)
    if let plan = try plan(for: inputs) { return try plan.run(inputs, into: &outputs) }
    outputs.merge(try interpreter.run(inputs)) { $1 }
  }

  /// The graph's outputs, as ``run(_:)`` gives them; `observer` is called with inner values as soon as they are there.
  ///
  /// The run is the same, step by step. So a value is told only where one exists: what a step fuses, as a convolution's sums
  /// before a Relu, is told as the next value that comes out of it, by that one's name. A value that lives as codes is told as
  /// the numbers that they stand for. Each costs a copy, given back with the last reference to it. The observer must not run
  /// this very network. Throws as ``run(_:)`` does, and what the observer throws.
  /// - Parameters:
  ///   - inputs: as for ``run(_:)``.
  ///   - names: the values that are told, inputs among them.
  ///   - observer: called in the order in which values are computed.
  public func run(
    _ inputs: [String: Tensor], observing names: Set<String>,
    _ observer: @escaping Interpreter.Observer
  ) throws -> [String: Tensor] {
    try run(inputs, viewing: names) { try observer($0, $1.tensor()) }
  }

  /// The same without a copy: the observer reads each value where it lies, before it returns.
  package func run(
    _ inputs: [String: Tensor], viewing names: Set<String>,
    _ observer: @escaping (String, PlacedValue) throws -> Void
  ) throws -> [String: Tensor] {
    try graph.check(inputs)
    for name in names.sorted() where inputs[name] == nil {
      if let constant = graph.constants[name] { try observer(name, PlacedValue(constant)) }
    }
    guard let plan = try plan(for: inputs) else {
      return try interpreter.run(inputs) { name, value in
        if names.contains(name) { try observer(name, PlacedValue(value)) }
      }
    }
    return try plan.run(inputs, observing: .init(names: names, call: observer))
  }

  /// The inputs and inner values that exist when the network runs on such inputs.
  package func existingValues(_ inputs: [String: Tensor]) throws -> Set<String> {
    try graph.check(inputs)
    if let plan = try plan(for: inputs) { return Set(plan.values.keys) }
    return Set(graph.inputs.map(\.name) + graph.nodes.flatMap(\.outputs)).subtracting([""])
  }

  /// How long each step of the plan for these inputs takes: the median of `runs`, after some that do not count.
  ///
  /// Empty where the network has no plan. Throws as ``run(_:)`` does.
  public func profile(_ inputs: [String: Tensor], runs: Int = 10) throws -> [StepProfile] {
    try graph.check(inputs)
    guard let plan = try plan(for: inputs) else { return [] }
    var times = [[Duration]](repeating: [], count: plan.steps.count)
    // Until all threads are up and every page and clock is warm.
    let start = ContinuousClock.now
    repeat { _ = try plan.run(inputs) } while ContinuousClock.now - start < .milliseconds(100)
    for _ in 0..<max(runs, 1) { _ = try plan.run(inputs) { times[$0].append($1) } }
    return plan.profiles(times.map { $0.sorted()[$0.count / 2] })
  }

  /// What the plan for such inputs holds in memory; the plan is made if there is none yet.
  ///
  /// Nil where the network has no plan. Throws as ``run(_:)`` does.
  public func planMemory(for inputs: [String: Tensor]) throws -> PlanMemory? {
    try graph.check(inputs)
    return try plan(for: inputs).map { plan in
      PlanMemory(
        arenaByteCount: plan.arenaByteCount,
        weightByteCount: plan.steps.reduce(0) { $0 + $1.weightByteCount })
    }
  }

  /// How many weights have been packed for all plans so far, and the bytes that they take.
  package var packedWeights: (count: Int, byteCount: Int) { plans.withLock { $0.weights.size } }

  /// How many plans there are.
  package var planCount: Int { plans.withLock { $0.known.count } }

  /// The plan for inputs of the given shapes, nil where none can be made.
  func plan(for inputs: [String: Tensor]) throws -> Plan? {
    let names = graph.inputs.map(\.name)
    let key = names.compactMap { inputs[$0]?.shape }
    return try plans.withLock { plans in
      if let known = plans.known[key] {
        plans.last = known
        return known
      }
      if plans.known.count >= Self.planLimit { plans.known.removeAll() }
      let plan = try makePlan(inputs.mapValues(\.shape), plans.weights)
      plans.known[key] = .some(plan)
      plans.last = plan
      return plan
    }
  }

  private func makePlan(_ shapes: [String: Shape], _ weights: PackedWeights) throws -> Plan? {
    do {
      var known = try graph.inferringTypes(given: shapes, opsets: opsets)
      if !graph.inputs.allSatisfy({ $0.type.shape != nil }) {
        // What follows from lengths that were open is a constant of this plan.
        known = try ConstantFolding().folding(known, opsets: opsets, keeping: kept)
      }
      // Under one name these may be others in another plan.
      let own = Set(known.constants.keys).subtracting(graph.constants.keys)
      return try Plan(
        known, opsets: opsets, keeping: kept, weights: weights, ownConstants: own,
        tellingNodes: tellsNodes)
    } catch is PlanBuilder.UnknownType {
      return nil
    }
  }
}

extension CompiledModel: Executable {}
