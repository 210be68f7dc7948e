import Graphs
import Tensors

/// Transposes, which are made only where somebody does not read the elements where they lie.
extension PlanBuilder {
  /// A value whose elements are those of another one in another order.
  struct View {
    /// The value that lies as its shape says.
    let source: String
    /// Whether codes lie with 128 added.
    let isShifted: Bool
    let shape: Shape
    let elementSize: Int
    /// How far neighbours along each axis lie apart in the source, in elements.
    let strides: [Int]

    var form: Form { Form(layout: .rowMajor, isShifted: isShifted) }
  }

  /// Lowers a transpose of numbers or codes; it becomes a step where its result is asked for.
  mutating func lowerTranspose(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    let input = node.inputs[0]
    let type = try type(of: input)
    let elementSize = type.elementType.byteCount(of: 1)
    guard let transpose = try Operators.decode(node, opsets: opsets) as? Transpose,
      type.shape.count > 0, try constant(input) == nil,
      elementSize > 0, type.elementType.byteCount(of: 8) == 8 * elementSize, elementSize <= 8
    else { return false }
    let order = try transpose.order(rank: type.shape.rank)
    let output = node.outputs[0]
    if order == [0, 2, 3, 1], let slot = (forms[input] ?? [:])[Form(layout: .channelsLast)] {
      forms[output, default: [:]][Form(layout: .rowMajor)] = slot
      sharedSlots.insert(slot)
      return true
    }
    let strides = type.shape.strides
    func view(_ source: String, _ elementSize: Int, isShifted: Bool) -> View {
      View(
        source: source, isShifted: isShifted, shape: Shape(order.map { type.shape[$0] }),
        elementSize: elementSize, strides: order.map { strides[$0] })
    }
    guard let source = codes[input] else {
      _ = try rowMajor(input)
      return try place(view(input, elementSize, isShifted: false), as: output, of: output)
    }
    _ = try unsignedCodes(source, .rowMajor)
    let codesView = view(source.name, 1, isShifted: source.elementType == .int8)
    if let quantized = quantizedOutput(of: output), quantized.codes.hasSameMeaning(as: source),
      quantized.clamp == 0...255
    {
      done.formUnion(quantized.nodes)
      return try place(codesView, as: quantized.codes.name, of: output)
    }
    let name = output + "/codes"
    codeTypes[name] = KnownType(elementType: source.elementType, shape: codesView.shape)
    codes[output] = Codes(
      name: name, scale: source.scale, zeroPoint: source.zeroPoint,
      elementType: source.elementType)
    return try place(codesView, as: name, of: output)
  }

  /// Notes a view, or where it lies if no element moves; makes it where the value must exist.
  private mutating func place(_ view: View, as name: String, of value: String) throws -> Bool {
    let moved = zip(view.shape.dimensions, view.strides).filter { $0.0 > 1 }.map(\.1)
    if moved == moved.sorted(by: >), let slot = forms[view.source]?[view.form] {
      forms[name, default: [:]][view.form] = slot
      sharedSlots.insert(slot)
      return true
    }
    views[name] = view
    if graph.isOutput(value) || kept.contains(value) || kept.contains(name) {
      _ = try materialized(name)
    }
    return true
  }

  /// Where a view lies as its shape says; a step that brings it there is appended at the first call.
  mutating func materialized(_ name: String) throws -> Slot? {
    guard let view = views[name] else { return nil }
    if let slot = forms[name]?[view.form] { return slot }
    guard let source = forms[view.source]?[view.form] else { return nil }
    let slot = newSlot(view.shape.count * view.elementSize)
    forms[name, default: [:]][view.form] = slot
    let copy = StridedCopy(view.shape.dimensions, source: view.strides)
    guard let axes = copy.singleCopy(elementSize: view.elementSize) else {
      throw UnknownType(name: name)
    }
    steps.append(
      PlanStep(name, kind: "transpose", reads: [source], writes: [slot]) { arena in
        let x = arena.bytes(source)
        let y = arena.bytes(slot)
        return { axes.run(from: x, to: y) }
      })
    return slot
  }
}
