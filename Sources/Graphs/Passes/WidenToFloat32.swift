import NumberFormats
import Tensors

/// Lets a network that computes in float16, bfloat16 or float64 compute in float32, which is what quantization starts from.
///
/// *Given* `y: float16 = Relu(x: float16)` → *Result* `x_float32 = Cast(x)`, `y_float32 = Relu(x_float32)`,
/// `y: float16 = Cast(y_float32)`.
///
/// Every constant, every cast and every other setting that names such a type becomes float32, in the graphs of control-flow nodes
/// too; inputs and outputs of the network keep names and types. Float16 and bfloat16 are widened exactly. A float64 is rounded;
/// one that float32 has no number for is an error. A float64 that only stands between integers, as where a size is computed,
/// stays one: see ``Finding/narrowedNodes``. Does nothing where ``finding(in:)`` finds nothing. Weights take two or four bytes
/// more an element, in memory too.
public struct WidenToFloat32: GraphPass {
  public static let name = "widen-to-float32"

  /// The types that are replaced.
  static let types: Set<ElementType> = [.float16, .bfloat16, .float64]

  /// Attributes that hold an element type's number.
  private static let typeAttributes: Set<String> = [
    "to", "dtype", "output_dtype", "output_datatype", "stash_type", "softmax_precision",
    "precision",
  ]

  public init() {}

  /// Throws ``GraphError`` that names the constant where a float64 is beyond float32.
  public func apply(to model: inout Model) throws {
    guard WidenToFloat32.finding(in: model) != nil else { return }
    var graph = model.graph
    let border = (graph.inputs + graph.outputs).map(\.name)
    let narrow = border.filter { name in
      graph.type(of: name)?.elementType.map(WidenToFloat32.types.contains) ?? false
    }
    let (inputs, outputs) = (graph.inputs, graph.outputs)
    let kept = try Float64Chains(model).kept
    graph = try widened(graph, kept)
    (graph.inputs, graph.outputs) = (inputs, outputs)
    addCasts(at: Set(narrow).subtracting(kept), &graph, types: model.graph)
    model.graph = graph
  }

  // MARK: - Inside

  /// The types that are replaced in what stays float64, or not.
  private func types(keeps: Bool) -> Set<ElementType> {
    keeps ? WidenToFloat32.types.subtracting([.float64]) : WidenToFloat32.types
  }

  private func widened(_ original: Graph, _ kept: Set<String>) throws -> Graph {
    var graph = original
    for (name, tensor) in graph.constants {
      let types = types(keeps: kept.contains(name))
      graph.constants[name] = try located(name) { try widened(tensor, types) }
    }
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      let types = types(keeps: (node.inputs + node.outputs).contains(where: kept.contains))
      for (name, value) in node.attributes {
        graph.nodes[index].attributes[name] = try located(node.label) {
          try widened(value, name, types, kept)
        }
      }
    }
    func typed(_ name: String, _ type: ValueType) -> ValueType {
      widened(type, types(keeps: kept.contains(name)))
    }
    for (name, type) in graph.valueTypes { graph.valueTypes[name] = typed(name, type) }
    graph.inputs = graph.inputs.map { .init($0.name, typed($0.name, $0.type)) }
    graph.outputs = graph.outputs.map { .init($0.name, typed($0.name, $0.type)) }
    return graph
  }

  private func widened(_ type: ValueType, _ types: Set<ElementType>) -> ValueType {
    guard let element = type.elementType, types.contains(element) else { return type }
    return ValueType(.float32, type.dimensions)
  }

  private func widened(
    _ value: AttributeValue, _ name: String, _ types: Set<ElementType>, _ kept: Set<String>
  ) throws -> AttributeValue {
    switch value {
    case .int(let code) where WidenToFloat32.typeAttributes.contains(name):
      let isReplaced = types.contains { $0.onnxCode == code }
      return .int(isReplaced ? ElementType.float32.onnxCode : code)
    case .tensor(let tensor): return .tensor(try located(name) { try widened(tensor, types) })
    case .tensors(let tensors):
      return .tensors(try located(name) { try tensors.map { try widened($0, types) } })
    default: return try value.mapGraphs { try widened($0, kept) }
    }
  }

  private func widened(_ tensor: Tensor, _ types: Set<ElementType>) throws -> Tensor {
    guard types.contains(tensor.elementType) else { return tensor }
    let result = try tensor.asFloat32()
    if tensor.elementType == .float64 {
      let floats = result.elements(of: Float.self)
      let pairs = zip(tensor.elements(of: Double.self), floats)
      if let (place, pair) = pairs.enumerated().first(where: {
        $0.element.0.isFinite && !$0.element.1.isFinite
      }) {
        throw GraphError(
          .invalidValue,
          "\(pair.0) at element \(place) is beyond float32, in which quantized networks compute; "
            + "clamp it to ±3.4e38 first")
      }
    }
    tensor.releaseMappedMemory()
    return result
  }

  // MARK: - The border

  private func addCasts(at names: Set<String>, _ graph: inout Graph, types: Graph) {
    var taken = graph.names()
    var before: [Node] = []
    let given = Set(graph.inputs.map(\.name))
    for name in graph.inputs.map(\.name) where names.contains(name) {
      let inner = Graph.unusedName(name + "_float32", taken: &taken)
      graph.replaceReads(of: name, by: inner)
      before.append(cast(name, to: inner, .float32))
    }
    for name in graph.outputs.map(\.name) where names.contains(name) && !given.contains(name) {
      let inner = Graph.unusedName(name + "_float32", taken: &taken)
      graph.replaceReads(of: name, by: inner)
      for index in graph.nodes.indices {
        graph.nodes[index].outputs = graph.nodes[index].outputs.map { $0 == name ? inner : $0 }
      }
      if let constant = graph.constants.removeValue(forKey: name) {
        graph.constants[inner] = constant
      }
      graph.valueTypes[name] = nil
      graph.nodes.append(cast(inner, to: name, types.type(of: name)?.elementType ?? .float32))
    }
    graph.nodes = before + graph.nodes
  }

  private func cast(_ source: String, to target: String, _ type: ElementType) -> Node {
    Node(
      "Cast", name: target + "_Cast", inputs: [source], outputs: [target],
      attributes: ["to": .int(type.onnxCode)])
  }
}

// MARK: - What there is to widen

extension WidenToFloat32 {
  /// What makes the pass necessary, and what it does about it: one line for people.
  public struct Finding: Sendable, CustomStringConvertible {
    /// The first constant, in the order of the nodes that read it.
    public let constant: String
    /// The type of that constant.
    public let type: ValueType
    /// How many such constants there are.
    public let count: Int
    /// Nodes of a network of narrower type that compute in float64 and do so in float32 afterwards: those whose numbers come from
    /// or become floating-point numbers of other types. Those that only compute integers keep float64.
    public let narrowedNodes: [String]

    /// As in `'conv.weight' is float16[8, 3, 3, 3], as are 4 more constants: …`.
    public var description: String {
      let others = count == 1 ? "" : ", as \(count == 2 ? "is" : "are") \(count - 1) more"
      let more = narrowedNodes.count > 3 ? " and \(narrowedNodes.count - 3) more" : ""
      let narrowed =
        narrowedNodes.isEmpty
        ? ""
        : "; narrowed from float64: "
          + narrowedNodes.prefix(3).map { "'\($0)'" }.joined(separator: ", ") + more
      return
        "constant '\(constant)' is \(type)\(others): all is widened to float32 before anything else; "
        + "inputs and outputs keep their types\(narrowed)"
    }
  }

  /// Weights that are not float32 though quantization starts from float32: constants of the types above that a node reads and
  /// that have two axes or more. nil where there are none, as in a network that only computes some size in float64.
  public static func finding(in model: Model) -> Finding? {
    var order: [String] = []
    var found: [String: Tensor] = [:]
    collect(model.graph, &order, &found)
    guard let first = order.first, let tensor = found[first] else { return nil }
    // Types that contradict each other are told where the pass is applied.
    let narrowed =
      tensor.elementType == .float64 ? [] : (try? Float64Chains(model).narrowedNodes) ?? []
    return Finding(
      constant: first, type: ValueType(tensor.elementType, tensor.shape), count: order.count,
      narrowedNodes: narrowed)
  }

  private static func collect(
    _ graph: Graph, _ order: inout [String], _ found: inout [String: Tensor]
  ) {
    for node in graph.nodes {
      for input in node.inputs where found[input] == nil {
        guard let tensor = graph.constants[input], types.contains(tensor.elementType),
          tensor.shape.rank >= 2
        else { continue }
        order.append(input)
        found[input] = tensor
      }
      for body in node.subgraphs { collect(body, &order, &found) }
    }
  }
}
