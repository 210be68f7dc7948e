import Graphs
import Tensors

/// Chains of element-wise and row-wise operations as one step: residual sums, normalizations in any spelling, activations that
/// are written out, masks and softmax.
extension PlanBuilder {
  /// A program that grows by one node after the other.
  private struct Chain {
    var program: RowProgram
    /// The shape of whole values.
    let shape: Shape
    /// Whether what the first node reads may lie with its channels innermost; it is then brought into rows.
    let takesImages: Bool
    /// The instruction that computes each value.
    var values: [String: Int] = [:]
    var inputs: [String: Int] = [:]
    var nodes: [Int] = []

    func isFull(_ other: Shape) -> Bool { other == shape }

    func isNarrow(_ other: Shape) -> Bool {
      other.rank == shape.rank && shape.rank > 0 && other[-1] == 1
        && Array(other.dimensions.dropLast()) == Array(shape.dimensions.dropLast())
    }
  }

  /// The most nodes of one step.
  private static let chainLimit = 32

  /// Lowers a node and those behind it that compute on the same rows; one that reads images with their channels innermost only
  /// where `takesImages`.
  mutating func lowerRows(_ index: Int, takingImages takesImages: Bool = false) throws -> Bool {
    let node = graph.nodes[index]
    let isReduction = node.operation == "ReduceMean"
    let shape = try type(of: isReduction ? node.inputs[0] : node.outputs[0]).shape
    guard shape.count > 0 else { return false }
    let length = shape.rank == 0 ? 1 : shape[-1]
    var chain = Chain(
      program: RowProgram(rows: shape.count / length, length: length), shape: shape,
      takesImages: takesImages)
    guard try join(index, &chain) else { return false }
    var tried: Set<Int> = [index]
    while chain.nodes.count < (tellsNodes ? 1 : Self.chainLimit) {
      let readers = chain.values.keys.flatMap { consumers[$0] ?? [] }
      // A node may have joined already, before one that reads its result.
      tried.formUnion(chain.nodes)
      guard let next = readers.filter({ !tried.contains($0) && !done.contains($0) }).min() else {
        break
      }
      tried.insert(next)
      _ = try join(next, &chain)
    }
    try emit(&chain)
    return true
  }

  /// Adds a node to the chain, and before it those that compute what it lacks; false, and nothing is done, where it does not
  /// fit.
  private mutating func join(_ index: Int, _ chain: inout Chain, depth: Int = 4) throws -> Bool {
    let node = graph.nodes[index]
    guard node.outputs.dropFirst().allSatisfy(\.isEmpty), let name = node.outputs.first,
      let type = try? type(of: name), type.elementType == .float32,
      node.inputs.allSatisfy({ !$0.isEmpty || node.operation == "Clip" })
    else { return false }
    let isNarrow = !chain.isFull(type.shape)
    guard !isNarrow || chain.isNarrow(type.shape) else { return false }
    var grown = chain
    for input in node.inputs where !input.isEmpty && !chain.nodes.isEmpty {
      guard grown.values[input] == nil, !isAvailable(input) else { continue }
      guard depth > 0, let producer = producers[input], !done.contains(producer),
        try join(producer, &grown, depth: depth - 1)
      else { return false }
    }
    guard try isFree(node, grown) else { return false }
    guard let operation = try operation(node, isNarrow, &grown) else { return false }
    grown.values[name] = grown.program.instructions.count
    grown.program.instructions.append(.init(operation: operation, isNarrow: isNarrow))
    grown.nodes.append(index)
    chain = grown
    return true
  }

  /// Whether what the node reads is there, and no step on codes or images computes it better.
  private func isFree(_ node: Node, _ chain: Chain) throws -> Bool {
    let others = node.inputs.filter {
      !$0.isEmpty && chain.values[$0] == nil && graph.constants[$0] == nil
    }
    if !chain.nodes.isEmpty, isOnCodes(node, others) { return false }
    let takesImages = chain.takesImages && chain.nodes.isEmpty
    return others.allSatisfy { isAvailable($0) && (takesImages || !isChannelsLast($0)) }
  }

  /// Whether a step of its own computes the node on codes.
  private func isOnCodes(_ node: Node, _ others: [String]) -> Bool {
    let coded = others.filter { codes[$0] != nil }.count
    let needed: Int
    switch node.operation.type {
    case "Softmax", "LayerNormalization", "ReduceMean", "Sub", "Div", "Pow", "Sqrt": return false
    case "Add", "Mul": needed = 2
    default: needed = 1
    }
    return coded >= needed && quantizedOutput(of: node.outputs[0]) != nil
  }

  /// Whether a value exists, or is a constant.
  private func isAvailable(_ name: String) -> Bool {
    if forms[name] != nil || codes[name] != nil || views[name] != nil { return true }
    guard let producer = producers[name] else { return graph.constants[name] != nil }
    let node = graph.nodes[producer]
    return node.operation == "DequantizeLinear"
      && node.inputs.allSatisfy { graph.constants[$0] != nil }
  }

  private mutating func operation(
    _ node: Node, _ isNarrow: Bool, _ chain: inout Chain
  ) throws -> RowProgram.Operation? {
    func isFull(_ name: String) throws -> Bool { chain.isFull(try type(of: name).shape) }
    switch node.operation.type {
    case "Add": return try binary(node, .add, &chain)
    case "Sub": return try binary(node, .subtract, &chain)
    case "Mul": return try binary(node, .multiply, &chain)
    case "Div": return try binary(node, .divide, &chain)
    case "Min": return try binary(node, .min, &chain)
    case "Max": return try binary(node, .max, &chain)
    case "Pow":
      // A square in double, rounded once, is the product in float.
      guard scalar(node.input(1)) == 2, try type(of: node.inputs[1]).shape.rank <= chain.shape.rank,
        let x = try whole(node.inputs[0], isNarrow, &chain)
      else { return nil }
      return .binary(.multiply, x, x)
    case "Reciprocal":
      return try whole(node.inputs[0], isNarrow, &chain).map { .binary(.divide, .number(1), $0) }
    case "Sqrt": return try whole(node.inputs[0], isNarrow, &chain).map { .squareRoot($0) }
    case "Sigmoid": return try unary(.sigmoid, node, isNarrow, &chain)
    case "Tanh": return try unary(.tanh, node, isNarrow, &chain)
    case "Exp": return try unary(.exp, node, isNarrow, &chain)
    case "Erf": return try unary(.erf, node, isNarrow, &chain)
    case "Gelu":
      switch node.attributes["approximate"] {
      case nil: return try unary(.gelu, node, isNarrow, &chain)
      case .string("tanh"): return try unary(.geluTanh, node, isNarrow, &chain)
      default: return nil
      }
    case "Relu", "Clip":
      guard let range = clampRange(node), range.0 <= range.1 else { return nil }
      return try whole(node.inputs[0], isNarrow, &chain).map { .clamp(range.0...range.1, $0) }
    case "ReduceMean":
      guard isNarrow || chain.shape.rank > 0, try isFull(node.inputs[0]),
        try isMeanOfRows(node, chain.shape)
      else { return nil }
      return try whole(node.inputs[0], false, &chain).map { .mean($0) }
    case "Softmax":
      guard let softmax = try Operators.decode(node, opsets: opsets) as? Softmax, !isNarrow,
        softmax.axis == -1 || softmax.axis == chain.shape.rank - 1, try isFull(node.inputs[0])
      else { return nil }
      return try whole(node.inputs[0], false, &chain).map { .softmax($0) }
    case "LayerNormalization": return try layerNorm(node, isNarrow, &chain)
    default: return nil
    }
  }

  private func isMeanOfRows(_ node: Node, _ shape: Shape) throws -> Bool {
    guard let mean = try Operators.decode(node, opsets: opsets) as? ReduceMean,
      mean.reduction.keepsAxes
    else { return false }
    let given = node.input(1).flatMap { graph.constants[$0]?.integers() }
    guard node.input(1) == nil || given != nil else { return false }
    let axes = try mean.reduction.axes(given, isGiven: node.input(1) != nil, rank: shape.rank)
    return axes == [shape.rank - 1]
  }

  private mutating func layerNorm(
    _ node: Node, _ isNarrow: Bool, _ chain: inout Chain
  ) throws -> RowProgram.Operation? {
    guard let norm = try Operators.decode(node, opsets: opsets) as? LayerNormalization, !isNarrow,
      chain.shape.rank > 0, norm.axis == -1 || norm.axis == chain.shape.rank - 1,
      let gamma = try constant(node.inputs[1]), gamma.shape == [chain.shape[-1]],
      gamma.elementType == .float32
    else { return nil }
    var beta: Tensor?
    if let name = node.input(2) {
      beta = try constant(name)
      guard beta?.shape == gamma.shape, beta?.elementType == .float32 else { return nil }
    }
    return try whole(node.inputs[0], false, &chain).map {
      .layerNorm(
        $0, gamma: PinnedElements(gamma), beta: beta.map { PinnedElements($0) },
        epsilon: norm.epsilon)
    }
  }

  private mutating func unary(
    _ function: Kernels.Unary, _ node: Node, _ isNarrow: Bool, _ chain: inout Chain
  ) throws -> RowProgram.Operation? {
    try whole(node.inputs[0], isNarrow, &chain).map { .unary(function, $0) }
  }

  private mutating func binary(
    _ node: Node, _ operation: Kernels.Binary, _ chain: inout Chain
  ) throws -> RowProgram.Operation? {
    guard node.inputs.count == 2 else { return nil }
    guard let a = try operand(node.inputs[0], &chain), let b = try operand(node.inputs[1], &chain)
    else { return nil }
    return .binary(operation, a, b)
  }

  /// The value as an operand of an operation that reads all of its numbers in order.
  private mutating func whole(
    _ name: String, _ isNarrow: Bool, _ chain: inout Chain
  ) throws -> RowProgram.Operand? {
    let shape = try type(of: name).shape
    guard isNarrow ? chain.isNarrow(shape) : chain.isFull(shape),
      let operand = try operand(name, &chain)
    else { return nil }
    if case .number = operand { return nil }
    return operand
  }

  /// The value as an operand that is broadcast to the chain's shape.
  private mutating func operand(
    _ name: String, _ chain: inout Chain
  ) throws -> RowProgram.Operand? {
    if let value = chain.values[name] { return .value(value) }
    if let input = chain.inputs[name] { return .input(input) }
    let type = try type(of: name)
    guard type.elementType == .float32, type.shape.rank <= chain.shape.rank else { return nil }
    let tensor = try constant(name)
    if let tensor, tensor.count == 1 { return .number(tensor.elements(of: Float.self)[0]) }
    let source: RowProgram.Input.Source
    if let tensor {
      source = .constant(PinnedElements(tensor))
    } else if let held = codes[name], forms[name] == nil,
      chain.isFull(type.shape) || chain.isNarrow(type.shape)
    {
      source = .codes(try unsignedCodes(held, .rowMajor), held)
    } else {
      source = .slot(try rowMajor(name))
    }
    chain.inputs[name] = chain.program.inputs.count
    chain.program.inputs.append(.init(source, type.shape, in: chain.shape))
    return .input(chain.program.inputs.count - 1)
  }

  private mutating func emit(_ chain: inout Chain) throws {
    let members = Set(chain.nodes)
    var program = chain.program
    for index in chain.nodes {
      let name = graph.nodes[index].outputs[0]
      let readers = consumers[name] ?? []
      guard graph.isOutput(name) || kept.contains(name) || !readers.allSatisfy(members.contains)
      else { continue }
      let instruction = chain.values[name]!
      if !tellsNodes, let output = quantizedOutput(of: name) {
        let form = Form(layout: .rowMajor, isShifted: output.codes.elementType == .int8)
        let slot = try newSlot(for: output.codes.name, form)
        program.outputs.append(
          .init(instruction: instruction, slot: slot, codes: (output.codes, output.clamp)))
        done.formUnion(output.nodes)
      } else {
        program.outputs.append(
          .init(
            instruction: instruction, slot: try newSlot(for: name, Form(layout: .rowMajor)),
            codes: nil))
      }
    }
    done.formUnion(members)
    append(program.flattened, chain.nodes)
  }

  private mutating func append(_ program: RowProgram, _ nodes: [Int]) {
    let (first, last) = (graph.nodes[nodes[0]], graph.nodes[nodes[nodes.count - 1]])
    let operations = Set(nodes.map { graph.nodes[$0].operation })
    let kind =
      if nodes.count == 1 {
        Self.kinds[first.operation] ?? "\(first.operation)"
      } else {
        ["Softmax", "LayerNormalization"].first { operations.contains($0) }.map { "\($0) chain" }
          ?? "element-wise chain"
      }
    let constants = program.inputs.reduce(0) {
      if case .constant(let elements) = $1.source { $0 + elements.byteCount } else { $0 }
    }
    if let tables = program.tables {
      for (source, table, target) in tables {
        steps.append(
          .lookup(
            source, table, into: target, count: program.rows * program.length, label: first.label))
      }
      return
    }
    steps.append(
      PlanStep(
        nodes.count == 1 ? first.label : "\(first.label) … \(last.label)", kind: kind,
        reads: program.reads, writes: program.outputs.map(\.slot), weightByteCount: constants
      ) { program.bind($0) })
  }

  private static let kinds: [OperatorName: String] = [
    "Add": "float add", "Sub": "float subtract", "Mul": "float multiply", "Div": "float divide",
    "Min": "float min", "Max": "float max",
  ]
}
