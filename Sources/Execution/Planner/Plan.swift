import Graphs
import Synchronization
import Tensors

/// The steps of a network for inputs of certain shapes, with all memory laid out.
///
/// One run at a time: a second caller waits.
final class Plan: @unchecked Sendable {
  /// What is done, in order.
  let steps: [PlanStep]
  /// The bytes of each slot, and of the memory that all share.
  let slotSizes: [Int]
  let arenaByteCount: Int
  /// Where reference functions take memory from.
  let pool: BufferPool
  private let arena: Arena
  private let bound: [() throws -> Void]
  private let inputs: [(name: String, slot: Slot, type: KnownType)]
  private let outputs: [Output]
  /// The values that exist between steps, by name.
  let values: [String: PlannedValue]
  /// Their names in the order of the network.
  let order: [String]
  private let isRunning = Mutex(())

  /// An output of the network: a value in memory, or a constant.
  private struct Output {
    let name: String
    let slot: Slot?
    let type: KnownType
    let constant: Tensor?
  }

  /// What is told of a run while it goes on.
  struct Observation {
    /// Values that are told where they exist.
    let names: Set<String>
    let call: (String, PlacedValue) throws -> Void
  }

  /// Lowers a graph whose values all have known types; no step swallows a value that is kept. `weights` are those of all plans
  /// of the network. Throws
  /// ``PlanBuilder/UnknownType`` where a type is not known.
  init(
    _ graph: Graph, opsets: [String: Int], keeping kept: Set<String> = [], weights: PackedWeights,
    ownConstants: Set<String> = [], tellingNodes tellsNodes: Bool = false
  ) throws {
    try Self.checkSizes(of: graph)
    var builder = PlanBuilder(
      graph, opsets: opsets, keeping: kept, weights: weights, ownConstants: ownConstants,
      tellingNodes: tellsNodes)
    try builder.lowerAll()
    inputs = try graph.inputs.compactMap { input in
      let type = try builder.type(of: input.name)
      return builder.forms[input.name]?[.init(layout: .rowMajor)].map { (input.name, $0, type) }
    }
    outputs = try graph.outputs.map { output in
      let type = try builder.type(of: output.name)
      if let constant = try builder.constant(output.name) {
        return Output(name: output.name, slot: nil, type: type, constant: constant)
      }
      return Output(
        name: output.name, slot: try builder.rowMajor(output.name), type: type, constant: nil)
    }
    steps = builder.steps
    pool = builder.pool
    slotSizes = builder.slotSizes
    values = try builder.plannedValues()
    order = graph.inputs.map(\.name) + graph.nodes.flatMap(\.outputs)
    let memory = MemoryPlan(
      sizes: builder.slotSizes, steps: steps, inputs: inputs.map(\.slot),
      outputs: outputs.compactMap(\.slot))
    try OperatorCall.check(
      total: memory.byteCount, limit: OperatorCall.totalByteCountLimit)
    arenaByteCount = memory.byteCount
    let block = Tensor.zeros([memory.byteCount], .uint8)
    arena = Arena(
      base: block.withUnsafeBytes { UnsafeMutableRawPointer(mutating: $0.baseAddress!) },
      offsets: memory.offsets, owner: block)
    bound = steps.map { [arena] in $0.bind(arena) }
  }

  /// Refuses a graph with a value that would be absurdly large, as the interpreter does.
  private static func checkSizes(of graph: Graph) throws {
    for node in graph.nodes {
      for output in node.outputs {
        guard let type = graph.type(of: output), let shape = type.shape else { continue }
        try located(node.label) {
          try OperatorCall.check(shape, type.elementType ?? .float64)
        }
      }
    }
  }

  /// Whether the plan was made for exactly such inputs.
  func accepts(_ given: [String: Tensor]) -> Bool {
    given.count == inputs.count
      && inputs.allSatisfy { name, _, type in
        guard let tensor = given[name] else { return false }
        return tensor.elementType == type.elementType && tensor.shape == type.shape
      }
  }

  /// The outputs by name. `given` has the names, types and shapes that the plan was made for.
  ///
  /// `timing` is called after each step with its index and how long it took.
  func run(
    _ given: [String: Tensor], timing: ((Int, Duration) -> Void)? = nil,
    observing observation: Observation? = nil
  ) throws -> [String: Tensor] {
    var outputs: [String: Tensor] = [:]
    try run(given, into: &outputs, timing: timing, observing: observation)
    return outputs
  }

  /// The same, written over what `results` holds where that is of the right type and shape.
  func run(
    _ given: [String: Tensor], into results: inout [String: Tensor],
    timing: ((Int, Duration) -> Void)? = nil, observing observation: Observation? = nil
  ) throws {
    try isRunning.withLock { _ in
      for (name, slot, _) in inputs {
        given[name]?.withUnsafeBytes {
          UnsafeMutableRawBufferPointer(start: arena.bytes(slot), count: $0.count)
            .copyMemory(from: $0)
        }
      }
      if let timing {
        let clock = ContinuousClock()
        for (index, step) in bound.enumerated() { timing(index, try clock.measure { try step() }) }
      } else if let observation {
        try runSteps(observation)
      } else {
        for step in bound { try step() }
      }
      for output in outputs { write(output, to: &results[output.name]) }
    }
  }

  /// Runs the steps; values are read as soon as they are there, so that they need no memory of their own.
  private func runSteps(_ observation: Observation) throws {
    let wanted = order.filter(observation.names.contains).compactMap { name in
      values[name].map { (name: name, value: $0) }
    }
    let byStep = Dictionary(grouping: wanted) { $0.value.step }
    for index in -1..<bound.count {
      if index >= 0 { try bound[index]() }
      for (name, value) in byStep[index] ?? [] {
        try observation.call(name, PlacedValue(value, in: arena))
      }
    }
  }

  private func write(_ output: Output, to result: inout Tensor?) {
    guard let slot = output.slot else {
      result = output.constant
      return
    }
    let bytes = UnsafeRawBufferPointer(start: arena.bytes(slot), count: output.type.byteCount)
    if let shape = result?.shape, shape == output.type.shape,
      result?.elementType == output.type.elementType
    {
      result?.overwrite(with: bytes)
    } else {
      result = Tensor(output.type.shape, output.type.elementType) { $0.copyMemory(from: bytes) }
    }
  }
}
