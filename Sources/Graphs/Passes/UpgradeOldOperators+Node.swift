import Tensors

/// A node of an old opset while it is rewritten.
struct OldNode {
  var node: Node
  /// The opset that it is written in.
  let opset: Int
  /// Nodes that come to stand before and after it.
  var before: [Node] = []
  var after: [Node] = []
  /// Constants that are new.
  private(set) var constants: [String: Tensor] = [:]
  private(set) var taken: Set<String>
  private let source: Source

  /// The graph that the node stands in, as it was.
  struct Source {
    let graph: Graph
    /// The same with more types known, where there are.
    let typed: Graph?
    /// Every value that somebody reads.
    let reads: Set<String>

    init(_ graph: Graph, typed: Graph?) {
      self.graph = graph
      self.typed = typed
      var reads = Set(graph.outputs.map(\.name))
      for node in graph.nodes { reads.formUnion(node.inputs) }
      for node in graph.nodes { reads.formUnion(node.capturedValues()) }
      self.reads = reads
    }
  }

  init(_ node: Node, opset: Int, in source: Source, _ taken: Set<String>) {
    self.node = node
    self.opset = opset
    self.source = source
    self.taken = taken
  }

  /// What is known of the first input's type.
  var inputType: ValueType? {
    node.input(0).flatMap { (source.typed ?? source.graph).type(of: $0) }
  }

  /// The value of an input, where it is a constant of the node's graph.
  func constant(_ index: Int) -> Tensor? {
    node.input(index).flatMap { source.graph.constants[$0] }
  }

  /// Whether anybody reads a value.
  func isRead(_ name: String) -> Bool { !name.isEmpty && source.reads.contains(name) }

  /// A new name for a value that belongs to the node.
  mutating func newName(_ suffix: String) -> String {
    let stem = node.name.isEmpty ? node.outputs.first ?? node.operation.type : node.name
    return Graph.unusedName("\(stem)_\(suffix)", taken: &taken)
  }

  /// The name of a new constant.
  mutating func addConstant(_ suffix: String, _ tensor: Tensor) -> String {
    let name = newName(suffix)
    constants[name] = tensor
    return name
  }

  /// A new node beside this one, reading and computing the given values.
  func neighbour(
    _ operation: OperatorName, _ suffix: String, reads inputs: [String], computes output: String,
    _ attributes: [String: AttributeValue] = [:]
  ) -> Node {
    Node(
      operation, name: node.name.isEmpty ? "" : "\(node.name)_\(suffix)", inputs: inputs,
      outputs: [output], attributes: attributes)
  }

  /// Takes an attribute away and decodes it.
  mutating func take<Value>(
    _ name: String, _ decode: (inout AttributeReader) throws -> Value?
  ) throws -> Value? {
    var reader = AttributeReader(node.attributes, opset: opset)
    defer { node.attributes[name] = nil }
    return try decode(&reader)
  }

  /// Makes an attribute of integers the input at `index`; nothing where it is absent.
  mutating func moveInts(_ name: String, toInput index: Int) throws {
    guard let values = try take(name, { try $0.ints(name) }) else { return }
    setInput(index, addConstant(name, Tensor(values.map { Int64($0) })))
  }

  /// Lets the node read `name` as its input at `index`; those before it that are missing count as left out.
  mutating func setInput(_ index: Int, _ name: String) {
    while node.inputs.count <= index { node.inputs.append("") }
    node.inputs[index] = name
  }

  /// A scalar of the type that the node's first input has; of float32 where that is not known.
  func scalar(_ value: Float) throws -> Tensor {
    switch inputType?.elementType {
    case .float64: Tensor(scalar: Double(value))
    case .float32, nil: Tensor(scalar: value)
    case .float16:
      Tensor([], of: UInt16.self) { bits in
        Kernels.floatToFloat16([value], bits.baseAddress!, count: 1)
      }.reinterpreted(as: .float16)
    case let type?:
      throw GraphError(
        .unsupportedOperator,
        "\(node.operation) of opset \(opset) with \(type) inputs can't be upgraded; "
          + "convert the model to opset 13 with onnx.version_converter")
    }
  }
}
