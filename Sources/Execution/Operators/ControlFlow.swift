import Graphs
import Tensors

/// The functions of the operators that hold graphs.
let controlFlowFunctions: [OperatorFunction] = [
  OperatorFunction(If.self, runBranch), OperatorFunction(Loop.self, runLoop),
  OperatorFunction(Scan.self, runScan),
]

private func runBranch(_ op: If, _ call: OperatorCall) throws -> [Tensor] {
  _ = try call.outputTypes(of: op)
  guard let condition = try call.input(0).firstTruth else {
    throw ExecutionError(
      .invalidInput, "the condition is \(try call.input(0)); must be one bool")
  }
  let budget = call.budget ?? RunBudget()
  return try call.run(condition ? "then_branch" : "else_branch", [], budget)
}

extension OperatorCall {
  /// The outputs, in order, of one of the node's own graphs.
  fileprivate func run(
    _ name: String, _ inputs: [Tensor], _ budget: RunBudget
  ) throws -> [Tensor] {
    guard let body = bodies[name] else {
      throw ExecutionError(.invalidInput, "there is no graph '\(name)'")
    }
    let names = body.graph.inputs.map(\.name)
    let given = Dictionary(zip(names, inputs), uniquingKeysWith: { $1 })
    let outputs = try located(name) {
      try budget.countExecution()
      return try body.run(given, budget, scope: scope)
    }
    return body.graph.outputs.map { outputs[$0.name]! }
  }
}

private func runLoop(_ op: Loop, _ call: OperatorCall) throws -> [Tensor] {
  _ = try call.outputTypes(of: op)
  let most = try call.integers(0)?.first
  var continues = call[1]?.firstTruth ?? true
  var carried = try (0..<op.carriedCount).map { try call.input(2 + $0) }
  var stacks = op.body.outputs.dropFirst(1 + op.carriedCount).map { Stack($0.type) }
  let budget = call.budget ?? RunBudget()
  var repetition = 0
  while continues, repetition < most ?? Int.max {
    let state = [Tensor(scalar: Int64(repetition)), Tensor(scalar: continues)] + carried
    let results = try call.run("body", state, budget)
    guard let next = results[0].firstTruth else {
      throw ExecutionError(
        .invalidValue, "the loop's condition is \(results[0]); must be one bool")
    }
    continues = next
    carried = Array(results[1..<(1 + op.carriedCount)])
    for index in stacks.indices {
      try stacks[index].append(results[1 + op.carriedCount + index], budget)
    }
    repetition += 1
  }
  return carried + (try stacks.map { try $0.joined(call) })
}

private func runScan(_ op: Scan, _ call: OperatorCall) throws -> [Tensor] {
  _ = try call.outputTypes(of: op)
  let count = op.carriedCount
  var carried = try (0..<count).map { try call.input($0) }
  let sliced = try (0..<op.slicedCount).map { try call.input(count + $0) }
  let axes = try zip(op.inputAxes, sliced).map { try ShapeRules.axis($0, rank: $1.shape.rank) }
  let steps = sliced[0].shape[axes[0]]
  var stacks = op.body.outputs.dropFirst(count).map { Stack($0.type) }
  let budget = call.budget ?? RunBudget()
  for step in 0..<steps {
    let slices = try sliced.indices.map { index in
      try sliced[index].slice(
        op.inputsAreReversed[index] ? steps - 1 - step : step, axis: axes[index], call)
    }
    let results = try call.run("body", carried + slices, budget)
    carried = Array(results[..<count])
    for index in stacks.indices { try stacks[index].append(results[count + index], budget) }
  }
  let stacked = try stacks.enumerated().map { index, stack in
    try stack.joined(
      call, axis: op.outputAxes[index], isReversed: op.outputsAreReversed[index])
  }
  return carried + stacked
}

extension Tensor {
  /// The part at one index of an axis, without that axis.
  fileprivate func slice(_ index: Int, axis: Int, _ call: OperatorCall) throws -> Tensor {
    var lengths = shape.dimensions
    var strides = shape.strides
    let offset = index * strides[axis]
    lengths.remove(at: axis)
    strides.remove(at: axis)
    return try StridedCopy.view(
      of: self, Shape(lengths), strides: strides, offset: offset, call)
  }
}

/// Values of one type that a loop puts on top of each other.
private struct Stack {
  private let declared: ValueType
  private var parts: [Tensor] = []
  private var byteCount = 0

  /// What a value takes besides its elements, about.
  private static let overhead = 256

  init(_ declared: ValueType) { self.declared = declared }

  mutating func append(_ part: Tensor, _ budget: RunBudget) throws {
    if let first = parts.first,
      first.shape != part.shape || first.elementType != part.elementType
    {
      throw ExecutionError(
        .invalidValue, "a loop's results are \(first) and then \(part); must be alike to be stacked"
      )
    }
    // All parts and what they become lie in memory at once.
    byteCount += 2 * part.byteCount + Self.overhead
    try budget.check(byteCount: byteCount)
    parts.append(part)
  }

  /// One tensor with the parts along a new axis.
  func joined(
    _ call: OperatorCall, axis: Int = 0, isReversed: Bool = false
  ) throws -> Tensor {
    let part = parts.first?.shape ?? Shape(declared.dimensions?.map { $0.length ?? 0 } ?? [])
    let axis = try ShapeRules.axis(axis, rank: part.rank + 1)
    guard let first = parts.first else {
      var lengths = part.dimensions
      lengths.insert(0, at: axis)
      return Tensor.zeros(Shape(lengths), declared.elementType ?? .float32)
    }
    var lengths = part.dimensions
    lengths.insert(parts.count, at: axis)
    let shape = try OperatorCall.shape(lengths, first.elementType)
    lengths[axis] = 1
    let slices = (isReversed ? parts.reversed() : parts).map { $0.reshaped(to: Shape(lengths)) }
    return try Joining.concat(slices, axis: axis, shape: shape, call)
  }
}
