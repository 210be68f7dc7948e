import Graphs
import Tensors

/// Codes that no kernel computes with, as those of 16 bits: what lies between is float, rounded to what they stand for.
extension PlanBuilder {
  /// A `QuantizeLinear` whose codes only `DequantizeLinear`s read, on the same scale.
  private struct Pair {
    let grid: CodeGrid
    /// The nodes that read the codes, and what they give.
    let readers: [Int]
    let results: [String]
  }

  /// Lowers a pair of `QuantizeLinear` and `DequantizeLinear` without storing codes: in the step that computes the numbers
  /// where nobody else reads them, not at all where they are such numbers already.
  mutating func lowerRounding(_ index: Int) throws -> Bool {
    let node = graph.nodes[index]
    let input = node.inputs[0]
    guard let pair = try pair(index) else { return false }
    let shape = try type(of: input).shape
    if forms[input] == nil, let view = views[input], try isRounded(input, pair.grid) {
      for result in pair.results {
        views[result] = view
        if graph.isOutput(result) || kept.contains(result) { _ = try materialized(result) }
      }
      done.formUnion(pair.readers)
      return true
    }
    if forms[input] == nil { _ = try materialized(input) }
    let places: [Form: Slot]
    if let known = try roundedAlready(input, pair.grid) {
      places = known
      sharedSlots.formUnion(known.values)
    } else if let known = roundInPlace(input, index, pair.grid, shape) {
      places = known
      if pair.results.count > 1 { sharedSlots.formUnion(known.values) }
    } else {
      let isAnywhere = pair.grid.layout == .perTensor
      let form = Form(layout: isAnywhere ? preferredLayout(input) : .rowMajor)
      let source = try slot(of: input, form)
      let target = newSlot(try type(of: input).byteCount)
      steps.append(.round(source, to: pair.grid, shape, into: target, label: node.label))
      places = [form: target]
      if pair.results.count > 1 { sharedSlots.insert(target) }
    }
    for result in pair.results { forms[result] = places }
    done.formUnion(pair.readers)
    return true
  }

  private func pair(_ index: Int) throws -> Pair? {
    let node = graph.nodes[index]
    let held = node.outputs[0]
    let input = try type(of: node.inputs[0])
    guard input.elementType == .float32, !graph.isOutput(held), !kept.contains(held),
      let readers = consumers[held], !readers.isEmpty,
      let grid = try grid(of: node, input.shape, held)
    else { return nil }
    var results: [String] = []
    for reader in readers {
      let node = graph.nodes[reader]
      guard node.operation.type == "DequantizeLinear", node.inputs[0] == held,
        try type(of: node.outputs[0]).elementType == .float32,
        try self.grid(of: node, input.shape, held) == grid
      else { return nil }
      results.append(node.outputs[0])
    }
    return Pair(grid: grid, readers: readers, results: results)
  }

  /// The numbers that the codes of such a node stand for; nil where they depend on data, or codes are no integers of at most 16
  /// bits.
  private func grid(of node: Node, _ shape: Shape, _ held: String) throws -> CodeGrid? {
    let type = try type(of: held).elementType
    guard let scale = graph.constants[node.inputs[1]], scale.elementType == .float32,
      type.bitWidth <= 16, let range = type.integerRange, let sharing = try sharing(of: node),
      let layout = try? sharing.layout(shape, scale: scale.shape)
    else { return nil }
    var zeroPoints = [Int32](repeating: 0, count: scale.count)
    if let name = node.input(2) {
      guard let constant = graph.constants[name], constant.count == scale.count else { return nil }
      zeroPoints = constant.integers().map { Int32($0) }
    }
    return CodeGrid(
      scales: scale.elements(of: Float.self), zeroPoints: zeroPoints,
      codes: Int32(range.lowerBound)...Int32(range.upperBound), layout: layout)
  }

  private func sharing(of node: Node) throws -> ScaleSharing? {
    switch try Operators.decode(node, opsets: opsets) {
    case let quantize as QuantizeLinear: quantize.sharing
    case let quantize as MicrosoftQuantizeLinear: quantize.standard.sharing
    case let dequantize as DequantizeLinear: dequantize.sharing
    case let dequantize as MicrosoftDequantizeLinear: dequantize.standard.sharing
    default: nil
    }
  }

  /// Operators whose results are elements of their first input.
  private static let movers: Set<String> = [
    "Identity", "Dropout", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "MaxPool",
    "Slice", "Split", "Gather", "Expand", "Tile", "DepthToSpace", "SpaceToDepth",
  ]

  /// Where a value lies that was rounded to the same numbers before, and only moved since; nil for any other.
  private func roundedAlready(_ name: String, _ grid: CodeGrid) throws -> [Form: Slot]? {
    guard let places = forms[name] else { return nil }
    return try isRounded(name, grid) ? places : nil
  }

  /// Whether a value was rounded to the same numbers before, and only moved since.
  private func isRounded(_ name: String, _ grid: CodeGrid) throws -> Bool {
    guard grid.layout == .perTensor, grid.isIdempotent, codes[name] == nil else { return false }
    var current = name
    while let index = producers[current] {
      let node = graph.nodes[index]
      if node.operation.type == "DequantizeLinear" {
        let held = node.inputs[0]
        return try self.grid(of: node, try type(of: held).shape, held) == grid
      }
      guard Self.movers.contains(node.operation.type), node.outputs[0] == current else {
        return false
      }
      current = node.inputs[0]
    }
    return false
  }

  /// Lets the step that computes a value round it too, where only the node at `index` reads it; nil where others do.
  private mutating func roundInPlace(
    _ name: String, _ index: Int, _ grid: CodeGrid, _ shape: Shape
  ) -> [Form: Slot]? {
    guard soleConsumer(of: name) == index, codes[name] == nil, let places = forms[name],
      places.count == 1, let place = places.first, !sharedSlots.contains(place.value),
      !concatenationSlots.values.contains(place.value),
      grid.layout == .perTensor || place.key.layout == .rowMajor,
      let writer = steps.lastIndex(where: { $0.writes.contains(place.value) })
    else { return nil }
    steps[writer] = steps[writer].rounding(place.value, to: grid, shape)
    forms[name] = nil
    return places
  }
}
