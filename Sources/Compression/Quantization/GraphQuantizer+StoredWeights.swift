import Graphs
import NumberFormats
import Tensors

/// A table of codes as constants of the quantized graph.
struct StoredTable {
  /// The codes, `[rows, columns]`; of 4 bits two a byte, `[rows, columns / 2]`.
  let codes: String
  /// The scales: one, `[rows, 1]`, or `[rows, groups]`.
  let scales: String
  /// The zero points, in number and shape as the scales: float32 where there is one a row, else codes; nil where all are 0.
  let zeroPoints: String?
  let granularity: Granularity.Kind
  /// Whether a byte holds two codes: that of column j in its lower half, that of column j + columns / 2 in its upper half.
  let isPaired: Bool

  /// What makes tables alike.
  struct Key: Hashable {
    let name: String
    let weights: Recipe.Weights
  }
}

extension GraphQuantizer {
  /// Adds a node that computes in float with weights that are kept as codes; see ``StoredWeights``.
  mutating func addStoredWeights(_ stored: StoredWeights, _ index: Int) throws {
    var node = graph.nodes[index]
    guard let scheme = plan.entries[index].weights else {
      preconditionFailure("\(node.label) was planned to have codes as weights")
    }
    if stored.isTable { return try addRows(index, scheme) }
    let estimator = plan.settings[index].weights.estimator
    for position in stored.positions {
      let name = node.inputs[position]
      guard let weight = graph.constants[name] else { preconditionFailure("'\(name)' is computed") }
      node.inputs[position] = try addWeight(
        weight, StoredWeight.Key(name: name, scheme: scheme, estimator: estimator))
    }
    try add(node)
  }

  // MARK: - Tables

  /// Adds a Gather of codes, and what makes numbers of the rows it reads.
  ///
  /// A DequantizeLinear before the Gather would be shorter, but runtimes would then expand the whole table at every run. So
  /// codes and scales are gathered each: one scale for all `DequantizeLinear`, one a row `Cast → (Sub zero point →) Mul scale`,
  /// groups `DequantizeLinear` in blocks. Gather takes no type of 4 bits; two codes a byte are parted by `BitwiseAnd`,
  /// `BitShift`, `Concat`.
  private mutating func addRows(_ index: Int, _ scheme: QuantizationScheme) throws {
    let node = graph.nodes[index]
    let table = try table(node.inputs[0], index, scheme)
    let output = node.outputs[0]
    var codes = addGather(table.codes, node, output + "_rows", name: node.name)
    if table.isPaired { codes = addParted(codes, output) }
    switch table.granularity {
    case .perTensor:
      try add(
        Node(
          "DequantizeLinear", name: output + "_DequantizeLinear",
          inputs: [codes, table.scales] + (table.zeroPoints.map { [$0] } ?? []), outputs: [output]))
    case .perChannel:
      var numbers = newName(output + "_numbers")
      nodes.append(
        Node(
          "Cast", name: output + "_Cast", inputs: [codes], outputs: [numbers],
          attributes: ["to": .int(ElementType.float32.onnxCode)]))
      if let zeroPoints = table.zeroPoints {
        let shift = addGather(zeroPoints, node, output + "_zero_points")
        let moved = newName(output + "_moved")
        nodes.append(
          Node("Sub", name: output + "_Sub", inputs: [numbers, shift], outputs: [moved]))
        numbers = moved
      }
      let scales = addGather(table.scales, node, output + "_scales")
      try add(Node("Mul", name: output + "_Mul", inputs: [numbers, scales], outputs: [output]))
    case .perGroup(let size):
      let scales = addGather(table.scales, node, output + "_scales")
      let zeroPoints = table.zeroPoints.map { addGather($0, node, output + "_zero_points") }
      try add(
        Node(
          "DequantizeLinear", name: output + "_DequantizeLinear",
          inputs: [codes, scales] + (zeroPoints.map { [$0] } ?? []), outputs: [output],
          attributes: ["axis": .int(-1), "block_size": .int(size)]))
    case .perBlock: preconditionFailure("blocks are refused with the plan")
    }
  }

  /// Rows of a constant, at the places that a Gather of the float graph reads.
  private mutating func addGather(
    _ constant: String, _ node: Node, _ prefix: String, name: String? = nil
  ) -> String {
    let result = newName(prefix)
    nodes.append(
      Node(
        "Gather", name: name ?? result + "_Gather", inputs: [constant, node.inputs[1]],
        outputs: [result], attributes: ["axis": .int(0)]))
    return result
  }

  /// One code a byte of bytes that hold two.
  private mutating func addParted(_ bytes: String, _ output: String) -> String {
    let low = newName(output + "_low")
    let high = newName(output + "_high")
    let codes = newName(output + "_codes")
    let mask = sharedByte(15)
    let shift = sharedByte(4)
    nodes.append(
      Node("BitwiseAnd", name: output + "_low", inputs: [bytes, mask], outputs: [low]))
    nodes.append(
      Node(
        "BitShift", name: output + "_high", inputs: [bytes, shift], outputs: [high],
        attributes: ["direction": .string("RIGHT")]))
    nodes.append(
      Node(
        "Concat", name: output + "_Concat", inputs: [low, high], outputs: [codes],
        attributes: ["axis": .int(-1)]))
    return codes
  }

  private mutating func sharedByte(_ value: UInt8) -> String {
    let name = "tessera_byte_\(value)"
    return constants[name] == nil ? addConstant(name, Tensor(scalar: value)) : name
  }

  /// The constants of a table, the same for all nodes that want it alike.
  private mutating func table(
    _ name: String, _ index: Int, _ scheme: QuantizationScheme
  ) throws -> StoredTable {
    let key = StoredTable.Key(name: name, weights: plan.settings[index].weights)
    if let known = tables[key] { return known }
    guard let weight = graph.constants[name] else { preconditionFailure("'\(name)' is computed") }
    let quantized = try quantizedWeight(
      weight, StoredWeight.Key(name: name, scheme: scheme, estimator: key.weights.estimator))
    let isPaired = scheme.code.onnxType?.bitWidth == 4
    // Paired codes are unsigned: a signed one is stored with 8 added, and so is its zero point.
    let moved: Int32 = isPaired && scheme.code.isSigned ? 8 : 0
    let parameters = quantized.parameters
    let isPerRow = scheme.granularity.kind == .perChannel
    let shape: Shape = isPerRow ? [weight.shape[0], 1] : parameters.shape
    let points = parameters.zeroPoints.map { $0 + moved }
    var zeroPoints: Tensor?
    if isPerRow {
      zeroPoints =
        points.allSatisfy { $0 == 0 } ? nil : Tensor(points.map { Float($0) }, shape: shape)
    } else {
      let type: ElementType = isPaired ? .uint8 : scheme.code.storageType
      zeroPoints = try QuantizationParameters(
        scales: parameters.scales, zeroPoints: points, shape: shape
      ).zeroPointTensor(type)
    }
    let table = StoredTable(
      codes: addConstant(
        name + "_codes", isPaired ? quantized.codes.paired(adding: UInt8(moved)) : quantized.codes),
      scales: addConstant(name + "_scale", Tensor(parameters.scales, shape: shape)),
      zeroPoints: zeroPoints.map { addConstant(name + "_zero_point", $0) },
      granularity: scheme.granularity.kind, isPaired: isPaired)
    tables[key] = table
    return table
  }
}

extension Tensor {
  /// Two codes of 4 bits a byte, after `shift` was added to each: of a row's first half in the lower bits, of its second half
  /// in the upper. Traps unless there is an even number of columns.
  fileprivate func paired(adding shift: UInt8) -> Tensor {
    precondition(shape.rank == 2 && shape[1] % 2 == 0 && elementType.bitWidth == 8)
    let (rows, half) = (shape[0], shape[1] / 2)
    return reinterpreted(as: .uint8).withElements(of: UInt8.self) { source in
      Tensor([rows, half], of: UInt8.self) { target in
        for row in 0..<rows {
          for column in 0..<half {
            let low = source[row * 2 * half + column] &+ shift
            let high = source[row * 2 * half + half + column] &+ shift
            target[row * half + column] = low | high << 4
          }
        }
      }
    }
  }
}
