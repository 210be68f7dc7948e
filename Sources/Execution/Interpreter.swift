public import Graphs
public import Tensors

/// Runs a graph node by node, as its operators are defined: the reference that every faster way must agree with.
///
/// Float16 and bfloat16 values are computed in float32 and rounded after each node. A value's memory is given
/// back after the last node that reads it.
public struct Interpreter: Sendable {
  /// Called with each value as soon as it is computed, graph inputs included.
  public typealias Observer = (_ name: String, _ value: Tensor) throws -> Void

  private struct Step {
    let node: Node
    let decoded: any Operator
    let function: OperatorFunction
    /// The graphs that the node holds, by attribute name.
    let bodies: [String: Interpreter]
    /// The values that no later step reads.
    var lastReads: [String] = []
  }

  /// The graph that is run.
  public let graph: Graph
  private let steps: [Step]
  private let opsets: [String: Int]
  private let pool = BufferPool()
  /// The most bytes that values may take at once, in each of the graphs that are run.
  package var memoryLimit = OperatorCall.totalByteCountLimit
  /// The most nodes that are executed in one run, rounds of loops included.
  package var nodeLimit = RunBudget.standardNodeLimit

  /// Prepares a model. Throws ``GraphError`` that lists every node whose operator is not supported.
  public init(_ model: Model) throws {
    try self.init(model.graph, opsets: model.opsets)
  }

  init(_ graph: Graph, opsets: [String: Int]) throws {
    self.graph = graph
    self.opsets = opsets
    let unsupported = graph.nodes(where: { OperatorFunctions.all[$0.operation] == nil })
    guard unsupported.isEmpty else { throw GraphError.unsupported(unsupported) }
    var steps = try graph.nodes.map { node in
      Step(
        node: node, decoded: try Operators.decode(node, opsets: opsets),
        function: OperatorFunctions.all[node.operation]!,
        bodies: try Interpreter.bodies(of: node, opsets: opsets))
    }
    var seen = Set(graph.outputs.map(\.name))
    for index in steps.indices.reversed() {
      let reads = Set(steps[index].node.inputs).union(steps[index].node.capturedValues())
      steps[index].lastReads = reads.filter { seen.insert($0).inserted }
      steps[index].lastReads += steps[index].node.outputs.filter { !seen.contains($0) }
    }
    self.steps = steps
  }

  /// The graphs that a node holds, by attribute name, ready to run.
  static func bodies(
    of node: Node, opsets: [String: Int]
  ) throws -> [String: Interpreter] {
    var bodies: [String: Interpreter] = [:]
    for (name, value) in node.attributes {
      guard case .graph(let graph) = value else { continue }
      bodies[name] = try located(node.label) { try Interpreter(graph, opsets: opsets) }
    }
    return bodies
  }

  /// The graph's outputs for the given inputs, by name.
  ///
  /// Throws ``ExecutionError`` where an input is missing, unknown or of the wrong type or shape, or a node can't
  /// compute its result; its path names the node.
  public func run(
    _ inputs: [String: Tensor], observing observer: Observer? = nil
  ) throws -> [String: Tensor] {
    try graph.check(inputs)
    let budget = RunBudget(memoryLimit: memoryLimit, nodeLimit: nodeLimit)
    return try run(inputs, budget, scope: { _ in nil }, observing: observer)
  }

  /// Runs without checking inputs; names that the graph does not know are looked up in `scope`.
  func run(
    _ inputs: [String: Tensor], _ budget: RunBudget,
    scope: @escaping @Sendable (String) -> Tensor?, observing observer: Observer? = nil
  ) throws -> [String: Tensor] {
    var values = inputs
    var byteCount = 0
    for input in inputs.values { byteCount += input.byteCount }
    if let observer {
      for input in graph.inputs {
        if let value = inputs[input.name] { try observer(input.name, value) }
      }
    }
    for step in steps {
      let current = values
      let constants = graph.constants
      let lookUp = { @Sendable (name: String) -> Tensor? in
        current[name] ?? constants[name] ?? scope(name)
      }
      let results = try located(step.node.label) {
        try budget.countExecution()
        return try compute(step, budget, lookUp)
      }
      for (name, result) in zip(step.node.outputs, results) where !name.isEmpty {
        values[name] = result
        byteCount += result.byteCount
        try located(step.node.label) { try budget.check(byteCount: byteCount) }
        try observer?(name, result)
      }
      for name in step.lastReads { byteCount -= values.removeValue(forKey: name)?.byteCount ?? 0 }
    }
    var outputs: [String: Tensor] = [:]
    for output in graph.outputs {
      guard let value = values[output.name] ?? graph.constants[output.name] ?? scope(output.name)
      else {
        throw ExecutionError(.invalidInput, "output '\(output.name)' is computed by no node")
      }
      outputs[output.name] = value
    }
    return outputs
  }

  private func compute(
    _ step: Step, _ budget: RunBudget, _ lookUp: @escaping @Sendable (String) -> Tensor?
  ) throws -> [Tensor] {
    let inputs = try step.node.inputs.map { name -> Tensor? in
      if name.isEmpty { return nil }
      guard let value = lookUp(name) else {
        throw ExecutionError(.invalidInput, "reads '\(name)', which nothing computes")
      }
      return value
    }
    let call = OperatorCall(
      inputs: inputs, outputCount: step.node.outputs.count, pool: pool, opsets: opsets,
      scope: lookUp, bodies: step.bodies, budget: budget)
    return try step.function.run(step.decoded, call)
  }
}
