import Graphs
import Tensors

extension PlanBuilder {
  /// Lowers a node whose output is its input under another shape: no step, the same memory.
  mutating func lowerView(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    guard node.outputs.count == 1, try constant(node.inputs[0]) == nil else { return false }
    if let source = codes[node.inputs[0]], let output = quantizedOutput(of: node.outputs[0]),
      output.codes.hasSameMeaning(as: source), output.clamp == 0...255
    {
      let form = Form(layout: .rowMajor, isShifted: source.elementType == .int8)
      forms[output.codes.name, default: [:]][form] = try unsignedCodes(source, .rowMajor)
      done.formUnion(output.nodes)
      return true
    }
    if let source = codes[node.inputs[0]] {
      // The view's codes are the input's; numbers are made of them only where somebody wants them.
      let form = Form(layout: .rowMajor, isShifted: source.elementType == .int8)
      let name = node.outputs[0] + "/codes"
      forms[name, default: [:]][form] = try unsignedCodes(source, .rowMajor)
      codeTypes[name] = KnownType(
        elementType: source.elementType, shape: try type(of: node.outputs[0]).shape)
      codes[node.outputs[0]] = Codes(
        name: name, scale: source.scale, zeroPoint: source.zeroPoint,
        elementType: source.elementType)
      return true
    }
    let slot = try rowMajor(node.inputs[0])
    forms[node.outputs[0], default: [:]][Form(layout: .rowMajor)] = slot
    sharedSlots.insert(slot)
    return true
  }

  /// Lowers a node that only moves elements: on codes where all that follows takes the same codes.
  mutating func lowerMovement(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    guard let source = codes[node.inputs[0]], let function = OperatorFunctions.all[node.operation]
    else { return false }
    let outputs = node.outputs.map { quantizedOutput(of: $0) }
    guard
      outputs.allSatisfy({
        $0?.codes.hasSameMeaning(as: source) == true && $0?.clamp == 0...255
      })
    else { return false }
    let slot = try unsignedCodes(source, .rowMajor)
    let shape = try type(of: node.inputs[0]).shape
    var inputs: [ReferenceInput] = [
      .value(slot, KnownType(elementType: .uint8, shape: shape))
    ]
    for name in node.inputs.dropFirst() {
      if name.isEmpty {
        inputs.append(.none)
      } else if let constant = graph.constants[name] {
        inputs.append(.constant(constant))
      } else {
        inputs.append(.value(try rowMajor(name), try type(of: name)))
      }
    }
    let isShifted = source.elementType == .int8
    var targets: [(slot: Slot, type: KnownType)?] = []
    for (name, output) in zip(node.outputs, outputs) {
      guard let output else { continue }
      let slot = try newSlot(
        for: output.codes.name, Form(layout: .rowMajor, isShifted: isShifted))
      targets.append((slot, KnownType(elementType: .uint8, shape: try type(of: name).shape)))
      done.formUnion(output.nodes)
    }
    steps.append(
      .reference(
        function, try Operators.decode(node, opsets: opsets), inputs: inputs, outputs: targets,
        pool: pool, opsets: opsets, label: node.label, kind: "codes \(node.operation)"))
    return true
  }
}
