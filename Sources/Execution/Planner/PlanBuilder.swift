import Graphs
import Tensors

/// Turns a graph whose shapes are known into steps: fuses nodes, lowers quantized patterns to integer kernels, and
/// inserts changes of layout where a step needs another one than its input has.
struct PlanBuilder {
  /// How a value lies in memory.
  struct Form: Hashable {
    /// The order of a value of rank 4: as its shape says, or with the channels innermost.
    enum Layout { case rowMajor, channelsLast }
    var layout: Layout
    /// Whether signed codes are held with 128 added, as kernels take them.
    var isShifted = false
  }

  /// A float value that is known as codes: `real = scale × (code − zeroPoint)`.
  struct Codes {
    /// The value that holds the codes.
    let name: String
    let scale: Float
    let zeroPoint: Int
    /// `.int8` or `.uint8`.
    let elementType: ElementType

    /// The zero point of the unsigned codes that kernels take.
    var unsignedZeroPoint: Int32 { Int32(zeroPoint) + offset }
  }

  let graph: Graph
  let opsets: [String: Int]
  /// Values that no step may swallow.
  let kept: Set<String>
  /// Whether nodes that compute the same bits alone as together are steps of their own.
  let tellsNodes: Bool
  let producers: [String: Int]
  let consumers: [String: [Int]]
  /// Weights that are held as codes and wanted as numbers, once they were made so.
  private var dequantizedConstants: [String: Tensor] = [:]
  var steps: [PlanStep] = []
  var slotSizes: [Int] = []
  var forms: [String: [Form: Slot]] = [:]
  var codes: [String: Codes] = [:]
  /// The memory of concatenations that earlier steps write into, by node.
  var concatenationSlots: [Int: Slot] = [:]
  /// The values that lie there and nowhere else.
  var imagesInConcatenations: [String: ImageInConcatenation] = [:]
  /// Places that several values have, so that none may be written over.
  var sharedSlots: Set<Slot> = []
  /// Constants that other plans of the network may not have, or with other values.
  let ownConstants: Set<String>
  /// The packed weights of all plans of the network.
  let weights: PackedWeights
  var weightMemory: WeightMemory { weights.memory }
  /// Where reference functions take memory from.
  let pool = BufferPool()
  /// Values that are others in another order, made only where they are asked for.
  var views: [String: View] = [:]
  /// The types of codes that are no value of the graph.
  var codeTypes: [String: KnownType] = [:]
  /// The nodes that an earlier step computes.
  var done: Set<Int> = []

  /// What is done for an operator; false where the node is not of a kind that it handles.
  typealias Lowering = @Sendable (inout PlanBuilder, Int) throws -> Bool

  /// The operators that are not left to their reference functions.
  static let lowerings: [OperatorName: Lowering] = [
    "DequantizeLinear": { try $0.lowerDequantize($1) },
    "QuantizeLinear": { try $0.lowerQuantize($1) },
    MicrosoftQuantizeLinear.name: { try $0.lowerRounding($1) },
    "Conv": { try $0.lowerConvolution($1) },
    "Gemm": { try $0.lowerGemm($1) },
    "MatMul": { try $0.lowerMatMul($1) || $0.lowerStackedProduct($1) },
    MatMulNBits.name: { try $0.lowerBlockProduct($1) },
    "MatMulInteger": { try $0.lowerMatMulInteger($1) },
    "DynamicQuantizeLinear": { try $0.lowerDynamicQuantize($1) },
    "Add": { try $0.lowerBinary($1, .add) },
    "Sub": { try $0.lowerBinary($1, .subtract) },
    "Mul": { try $0.lowerBinary($1, .multiply) },
    "Div": { try $0.lowerBinary($1, .divide) },
    "Min": { try $0.lowerExtremum($1, .min) },
    "Max": { try $0.lowerExtremum($1, .max) },
    "Relu": { try $0.lowerUnary($1) },
    "Clip": { try $0.lowerUnary($1) },
    "Sigmoid": { try $0.lowerUnary($1) },
    "Tanh": { try $0.lowerUnary($1) },
    "Exp": { try $0.lowerUnary($1) },
    "Erf": { try $0.lowerUnary($1) },
    "Gelu": { try $0.lowerUnary($1) },
    "HardSigmoid": { try $0.lowerUnary($1) },
    "HardSwish": { try $0.lowerUnary($1) },
    "LeakyRelu": { try $0.lowerUnary($1) },
    "MaxPool": { try $0.lowerMaxPool($1) },
    "AveragePool": { try $0.lowerAveragePool($1) },
    "GlobalAveragePool": { try $0.lowerGlobalAveragePool($1) },
    "Softmax": { try $0.lowerRows($1) || $0.lowerSoftmax($1) },
    "LayerNormalization": { try $0.lowerRows($1) },
    "ReduceMean": { try $0.lowerRows($1) },
    "Pow": { try $0.lowerRows($1) },
    "Sqrt": { try $0.lowerRows($1) },
    "Reciprocal": { try $0.lowerRows($1) },
    "LRN": { try $0.lowerResponseNormalization($1) },
    "Concat": { try $0.lowerConcat($1) },
    "Identity": { try $0.lowerView($1) },
    "Dropout": { try $0.lowerView($1) },
    "Reshape": { try $0.lowerShuffle($1) || $0.lowerView($1) },
    "Flatten": { try $0.lowerView($1) },
    "Squeeze": { try $0.lowerView($1) },
    "Unsqueeze": { try $0.lowerView($1) },
    "Transpose": { try $0.lowerTranspose($1) },
    "Slice": { try $0.lowerPixels($1) || $0.lowerMovement($1) },
    "Pad": { try $0.lowerPixels($1) },
    "Resize": { try $0.lowerPixels($1) },
    "Split": { try $0.lowerMovement($1) },
    "Gather": { try $0.lowerMovement($1) },
    "Expand": { try $0.lowerMovement($1) },
    "Tile": { try $0.lowerMovement($1) },
    "DepthToSpace": { try $0.lowerMovement($1) },
    "SpaceToDepth": { try $0.lowerMovement($1) },
  ]

  /// A builder for a graph whose values all have known types and shapes.
  init(
    _ graph: Graph, opsets: [String: Int], keeping kept: Set<String> = [], weights: PackedWeights,
    ownConstants: Set<String> = [], tellingNodes tellsNodes: Bool = false
  ) {
    self.tellsNodes = tellsNodes
    self.ownConstants = ownConstants
    self.graph = graph
    self.opsets = opsets
    self.kept = kept
    self.weights = weights
    producers = graph.producers()
    consumers = graph.consumers()
  }

  /// Appends the steps of every node.
  mutating func lowerAll() throws {
    for input in graph.inputs where graph.constants[input.name] == nil {
      let type = try type(of: input.name)
      forms[input.name] = [Form(layout: .rowMajor): newSlot(type.byteCount)]
    }
    for (index, node) in graph.nodes.enumerated() where !done.contains(index) {
      try located(node.label) {
        let isLowered = try Self.lowerings[node.operation]?(&self, index) ?? false
        if !isLowered { try lowerByReference(index) }
      }
    }
  }
}

// MARK: - Values

/// The type of a value whose type and shape are known.
struct KnownType {
  let elementType: ElementType
  let shape: Shape

  var byteCount: Int { elementType.byteCount(of: shape.count) }

  /// The lengths of a value of rank 4: images, channels, and pixels of each.
  var image: (count: Int, channels: Int, pixels: Int)? {
    shape.rank == 4 ? (shape[0], shape[1], shape[2] * shape[3]) : nil
  }
}

extension PlanBuilder {
  /// A value whose type follows only from data, so that no plan can be made.
  struct UnknownType: Error {
    let name: String
  }

  func type(of name: String) throws -> KnownType {
    if let type = codeTypes[name] { return type }
    guard let type = graph.type(of: name), let elementType = type.elementType,
      let shape = type.shape
    else { throw UnknownType(name: name) }
    return KnownType(elementType: elementType, shape: shape)
  }

  mutating func newSlot(_ byteCount: Int) -> Slot {
    slotSizes.append(byteCount)
    return Slot(index: slotSizes.count - 1)
  }

  /// A new place for a value in the given form.
  mutating func newSlot(for name: String, _ form: Form) throws -> Slot {
    let slot = newSlot(try type(of: name).byteCount)
    forms[name, default: [:]][form] = slot
    return slot
  }

  /// Whether the value exists with the channels innermost, as itself or as codes.
  func isChannelsLast(_ name: String) -> Bool {
    let holder = codes[name]?.name ?? name
    return (forms[holder] ?? [:]).keys.contains { $0.layout == .channelsLast }
  }

  /// The layout that a step which takes any layout should ask for.
  func preferredLayout(_ name: String) -> Form.Layout {
    isChannelsLast(name) ? .channelsLast : .rowMajor
  }

  /// Where a value lies in the given form; steps that bring it there are appended where needed.
  mutating func slot(of name: String, _ form: Form) throws -> Slot {
    if let slot = forms[name]?[form] { return slot }
    if forms[name] == nil, views[name] != nil, let slot = try materialized(name),
      form == views[name]?.form
    {
      return slot
    }
    let type = try type(of: name)
    if let constant = try constant(name) {
      let slot = try newSlot(for: name, Form(layout: .rowMajor))
      steps.append(.constant(constant, into: slot, label: name))
      return try self.slot(of: name, form)
    }
    if let codes = codes[name] {
      let source = try unsignedCodes(codes, form.layout)
      let slot = try newSlot(for: name, form)
      steps.append(.dequantize(source, codes, into: slot, count: type.shape.count, label: name))
      return slot
    }
    guard let existing = forms[name]?.min(by: { $0.key.isShifted && !$1.key.isShifted }) else {
      throw UnknownType(name: name)
    }
    return try convert(name, type, from: existing, to: form)
  }

  private mutating func convert(
    _ name: String, _ type: KnownType, from existing: (key: Form, value: Slot), to form: Form
  ) throws -> Slot {
    var (current, source) = existing
    if current.layout != form.layout {
      guard let image = type.image else { throw UnknownType(name: name) }
      current.layout = form.layout
      if image.pixels == 1 || image.channels == 1 {
        forms[name]?[current] = source  // Both layouts are the same bytes.
      } else if let known = forms[name]?[current] {
        source = known
      } else {
        let target = try newSlot(for: name, current)
        steps.append(
          .changeLayout(source, image, type.elementType, to: form.layout, into: target, label: name)
        )
        source = target
      }
    }
    if current.isShifted != form.isShifted {
      let target = try newSlot(for: name, form)
      steps.append(.flipSign(source, into: target, count: type.shape.count, label: name))
      source = target
    }
    return source
  }

  /// Where a float or integer value lies as its shape says.
  mutating func rowMajor(_ name: String) throws -> Slot {
    try slot(of: name, Form(layout: .rowMajor))
  }

  /// Where the codes lie as unsigned bytes, signed ones with 128 added.
  mutating func unsignedCodes(_ codes: Codes, _ layout: Form.Layout) throws -> Slot {
    try slot(of: codes.name, Form(layout: layout, isShifted: codes.elementType == .int8))
  }
}

// MARK: - Nodes

extension PlanBuilder {
  /// Leaves a node to the function that defines its operator.
  mutating func lowerByReference(_ index: Int) throws {
    let node = graph.nodes[index]
    guard let function = OperatorFunctions.all[node.operation] else {
      throw GraphError(.unsupportedOperator, "unsupported operator \(node.operation)")
    }
    let decoded = try Operators.decode(node, opsets: opsets)
    var inputs: [ReferenceInput] = []
    for name in node.inputs {
      if name.isEmpty {
        inputs.append(.none)
      } else if let constant = try constant(name) {
        inputs.append(.constant(constant))
        if graph.constants[name] == nil, isShared(name) {
          weights.keep(constant, name, .numbers)
        }
      } else {
        let type = try type(of: name)
        inputs.append(.value(try rowMajor(name), type))
      }
    }
    guard node.subgraphs.isEmpty else { throw UnknownType(name: node.label) }
    var outputs: [(slot: Slot, type: KnownType)?] = []
    for name in node.outputs {
      if name.isEmpty {
        outputs.append(nil)
      } else {
        outputs.append(
          (try newSlot(for: name, Form(layout: .rowMajor)), try type(of: name)))
      }
    }
    steps.append(
      .reference(
        function, decoded, inputs: inputs, outputs: outputs, pool: pool, opsets: opsets,
        label: node.label))
  }

  /// The only node that reads a value which does not leave the graph and need not be kept.
  func soleConsumer(of name: String) -> Int? {
    guard let readers = consumers[name], readers.count == 1, !graph.isOutput(name),
      !kept.contains(name), !done.contains(readers[0])
    else { return nil }
    return readers[0]
  }

  /// The value of a constant, or of a `DequantizeLinear` of constants, which is computed here; nil for any other value.
  mutating func constant(_ name: String) throws -> Tensor? {
    if let constant = graph.constants[name] ?? dequantizedConstants[name] { return constant }
    if isShared(name), let known: Tensor = weights.find(name, .numbers) { return known }
    guard let index = producers[name], isConstant(name),
      let function = OperatorFunctions.all[graph.nodes[index].operation]
    else { return nil }
    let node = graph.nodes[index]
    let inputs = node.inputs.map { graph.constants[$0] }
    let call = OperatorCall(
      inputs: inputs, outputCount: 1, pool: BufferPool(), opsets: opsets, scope: { _ in nil })
    let result = try function.run(try Operators.decode(node, opsets: opsets), call)[0]
    dequantizedConstants[name] = result
    return result
  }

  /// Whether a value is known when the plan is made, as ``constant(_:)`` gives it.
  func isConstant(_ name: String) -> Bool {
    if graph.constants[name] != nil { return true }
    guard let index = producers[name] else { return false }
    let node = graph.nodes[index]
    return node.operation == "DequantizeLinear"
      && node.inputs.allSatisfy { graph.constants[$0] != nil }
  }

  /// Tells that the constant behind a value has been packed, so that its numbers and a mapped file's pages need not stay in
  /// memory.
  mutating func letGo(of name: String) {
    dequantizedConstants[name] = nil
    let index = producers[name]
    let source = index.map { graph.nodes[$0].inputs[0] } ?? name
    graph.constants[source]?.releaseMappedMemory()
  }

  /// The value of an input that is a constant of one number.
  func scalar(_ name: String?) -> Float? {
    guard let name, let tensor = graph.constants[name], tensor.count == 1,
      tensor.elementType == .float32
    else { return nil }
    return tensor.withElements(of: Float.self) { $0[0] }
  }
}
