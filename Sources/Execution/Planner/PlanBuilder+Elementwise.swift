import Graphs
import Tensors

extension PlanBuilder {
  /// Lowers a function of one number: a table on codes, a vector kernel or its reference function on numbers.
  mutating func lowerUnary(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    let input = try type(of: node.inputs[0])
    guard input.elementType == .float32,
      node.inputs.dropFirst().allSatisfy({ $0.isEmpty || graph.constants[$0] != nil })
    else { return false }
    if let source = codes[node.inputs[0]], let output = quantizedOutput(of: node.outputs[0]),
      let table = try table(node, source, output)
    {
      return try lowerTable(node, source, table, output, count: input.shape.count)
    }
    if try lowerRows(index) { return true }
    let layout = preferredLayout(node.inputs[0])
    let count = input.shape.count
    let label = node.label
    let run: (@Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void)?
    if let range = clampRange(node), range.0 <= range.1 {
      run = { Kernels.clamp($0, $1, count: $2, to: range.0...range.1) }
    } else if let function = try vectorFunction(node) {
      run = { Kernels.apply(function, $0, $1, count: $2) }
    } else {
      run = nil
    }
    guard let run else { return false }
    let source = try slot(of: node.inputs[0], Form(layout: layout))
    let target = try newSlot(for: node.outputs[0], Form(layout: layout))
    steps.append(
      PlanStep(label, kind: "\(node.operation)", reads: [source], writes: [target]) { arena in
        let x = arena.pointer(source, as: Float.self)
        let y = arena.pointer(target, as: Float.self)
        return ParallelRanges(count) { run(x + $0.lowerBound, y + $0.lowerBound, $0.count) }.run
      })
    return true
  }

  /// The vector kernel of a function without settings.
  private func vectorFunction(_ node: Node) throws -> Kernels.Unary? {
    switch node.operation.type {
    case "Sigmoid": .sigmoid
    case "Tanh": .tanh
    case "Exp": .exp
    case "Erf": .erf
    case "Gelu": node.attributes.isEmpty ? .gelu : nil
    default: nil
    }
  }

  /// Every function of one 8-bit code is a table of 256 entries, filled by the operator's reference function.
  private func table(_ node: Node, _ source: Codes, _ output: QuantizedOutput) throws -> [UInt8]? {
    guard let function = OperatorFunctions.all[node.operation] else { return nil }
    let values = (0...255).map { source.value(ofUnsigned: UInt8($0)) }
    let inputs = [Tensor(values)] + node.inputs.dropFirst().map { graph.constants[$0] }
    let call = OperatorCall(
      inputs: inputs, outputCount: 1, pool: BufferPool(), opsets: opsets, scope: { _ in nil })
    let results = try function.run(try Operators.decode(node, opsets: opsets), call)[0]
    return results.elements(of: Float.self).map {
      min(max(output.codes.unsignedCode(of: $0), output.clamp.lowerBound), output.clamp.upperBound)
    }
  }

  /// Replaces each code of a value by its entry in a table.
  mutating func lowerTable(
    _ node: Node, _ source: Codes, _ table: [UInt8], _ output: QuantizedOutput, count: Int
  ) throws -> Bool {
    let layout = preferredLayout(source.name)
    let slot = try unsignedCodes(source, layout)
    let target = try newSlot(
      for: output.codes.name, Form(layout: layout, isShifted: output.codes.elementType == .int8))
    steps.append(.lookup(slot, table, into: target, count: count, label: node.label))
    done.formUnion(output.nodes)
    return true
  }

  /// Lowers an operation on two values of the same shape, on a value and a constant number, or on images and one number per
  /// channel.
  mutating func lowerBinary(_ index: Int, _ operation: Kernels.Binary) throws -> Bool {
    let node = graph.nodes[index]
    let a = try type(of: node.inputs[0])
    let b = try type(of: node.inputs[1])
    guard a.elementType == .float32, b.elementType == .float32 else { return false }
    guard a.shape == b.shape else {
      return try lowerWithChannels(node, operation) || lowerRows(index)
        || lowerWithScalar(node, operation) || lowerRows(index, takingImages: true)
    }
    if try lowerInt8Binary(node, operation, count: a.shape.count) { return true }
    if try lowerRows(index) { return true }
    guard try constant(node.inputs[0]) == nil, try constant(node.inputs[1]) == nil else {
      return false
    }
    let layout: Form.Layout =
      isChannelsLast(node.inputs[0]) || isChannelsLast(node.inputs[1]) ? .channelsLast : .rowMajor
    let first = try slot(of: node.inputs[0], Form(layout: layout))
    let second = try slot(of: node.inputs[1], Form(layout: layout))
    var clamp = -Float.infinity...Float.infinity
    let result = fuseClamp(node.outputs[0], &clamp)
    let target = try newSlot(for: result, Form(layout: layout))
    let isClamped = result != node.outputs[0]
    let range = clamp
    let count = a.shape.count
    steps.append(
      PlanStep(node.label, kind: "float \(operation)", reads: [first, second], writes: [target]) {
        arena in
        let x0 = arena.pointer(first, as: Float.self)
        let x1 = arena.pointer(second, as: Float.self)
        let y = arena.pointer(target, as: Float.self)
        return ParallelRanges(count) { part in
          let i = part.lowerBound
          Kernels.apply(operation, x0 + i, x1 + i, y + i, count: part.count)
          if isClamped { Kernels.clamp(y + i, y + i, count: part.count, to: range) }
        }.run
      })
    return true
  }

  mutating func lowerWithScalar(
    _ node: Node, _ operation: Kernels.Binary
  ) throws -> Bool {
    guard let tensor = try constant(node.inputs[1]), tensor.count == 1,
      tensor.elementType == .float32,
      try type(of: node.outputs[0]).shape == type(of: node.inputs[0]).shape
    else { return false }
    let number = tensor.withElements(of: Float.self) { $0[0] }
    let layout = preferredLayout(node.inputs[0])
    let source = try slot(of: node.inputs[0], Form(layout: layout))
    let target = try newSlot(for: node.outputs[0], Form(layout: layout))
    let count = try type(of: node.outputs[0]).shape.count
    steps.append(
      PlanStep(node.label, kind: "float \(operation)", reads: [source], writes: [target]) { arena in
        let x = arena.pointer(source, as: Float.self)
        let y = arena.pointer(target, as: Float.self)
        return ParallelRanges(count) { part in
          let i = part.lowerBound
          Kernels.apply(operation, x + i, number, y + i, count: part.count)
        }.run
      })
    return true
  }

  private mutating func lowerInt8Binary(
    _ node: Node, _ operation: Kernels.Binary, count: Int
  ) throws -> Bool {
    guard operation == .add || operation == .multiply, let a = codes[node.inputs[0]],
      let b = codes[node.inputs[1]], let output = quantizedOutput(of: node.outputs[0])
    else { return false }
    let layout: Form.Layout =
      isChannelsLast(node.inputs[0]) || isChannelsLast(node.inputs[1]) ? .channelsLast : .rowMajor
    let first = try unsignedCodes(a, layout)
    let second = try unsignedCodes(b, layout)
    let target = try newSlot(
      for: output.codes.name, Form(layout: layout, isShifted: output.codes.elementType == .int8))
    steps.append(
      .combine(
        operation, (first, a), (second, b), into: target, output, count: count, label: node.label))
    done.formUnion(output.nodes)
    return true
  }
}
