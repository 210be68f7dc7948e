import Graphs
import Tensors

/// A float network with the quantized form of its layers beside them, each of which reads the float network's values.
///
/// So one run gives what the float network computes and what each layer computes when it alone is quantized, at the cost of two
/// runs of the float network.
struct LayersAlone {
  private let float: Model
  private var constants: [String: Tensor]
  private var opsets: [String: Int]
  private var names: Set<String>
  private let producers: [String: Int]
  /// The nodes that follow each node of the float network; those that follow its inputs come at −1.
  private var following: [Int: [Node]] = [:]
  private var types: [String: ValueType]?

  /// Of the float network alone; nil where the quantized network's operators are of another version.
  init?(_ float: Model, besides quantized: Model) {
    let domains = Set(float.opsets.keys).intersection(quantized.opsets.keys)
    guard domains.allSatisfy({ float.opsets[$0] == quantized.opsets[$0] }) else { return nil }
    self.float = float
    constants = float.graph.constants
    opsets = float.opsets.merging(quantized.opsets) { own, _ in own }
    names = float.graph.names()
    producers = float.graph.producers()
  }

  /// The network.
  var model: Model {
    var model = float
    model.opsets = opsets
    model.graph.constants = constants
    model.graph.nodes = following[-1] ?? []
    for (index, node) in float.graph.nodes.enumerated() {
      model.graph.nodes += [node] + (following[index] ?? [])
    }
    return model
  }

  /// Adds a part of the quantized network, as soon as the float network has computed what it reads and what it stands for; gives
  /// the name of the value that it computes.
  ///
  /// nil where the number of axes of what is to be scaled is not known.
  /// - Parameters:
  ///   - part: the part, which computes `output`, that stands for the float value `expected`.
  ///   - borders: the float value for each of the part's inputs.
  ///   - factors: what the channels of float values are multiplied with before they are read, by name.
  mutating func add(
    _ part: Graph, computing output: String, for expected: String,
    borders: [(name: String, float: String)], factors: [String: [Float]]
  ) throws -> String? {
    var reads: [String: String] = [:]
    var nodes: [Node] = []
    for (name, float) in borders {
      reads[name] = float
      guard let factors = factors[float] else { continue }
      guard let rank = try rank(of: float), rank >= 2 else { return nil }
      let (scaled, constant) = (unused(float), unused(float))
      constants[constant] = Tensor(
        factors.map(\.or1),
        shape: Shape([factors.count] + Array(repeating: 1, count: rank - 2)))
      nodes.append(Node("Mul", inputs: [float, constant], outputs: [scaled]))
      reads[name] = scaled
    }
    for (name, constant) in part.constants.sorted(by: { $0.key < $1.key }) {
      let new = unused(name)
      (reads[name], constants[new]) = (new, constant)
    }
    for name in part.nodes.flatMap(\.outputs) where !name.isEmpty { reads[name] = unused(name) }
    nodes += part.nodes.map { $0.renamed(reads) }
    let place = ([expected] + borders.map(\.float)).map { producers[$0] ?? -1 }.max() ?? -1
    following[place, default: []] += nodes
    return reads[output]
  }

  private mutating func rank(of name: String) throws -> Int? {
    if types == nil {
      types = try float.graph.inferringTypes(opsets: float.opsets).valueTypes
    }
    return (types?[name] ?? float.graph.type(of: name))?.dimensions?.count
  }

  private mutating func unused(_ name: String) -> String {
    Graph.unusedName(name + "_alone", taken: &names)
  }
}

extension Node {
  /// The node with other names of what it reads and computes.
  fileprivate func renamed(_ names: [String: String]) -> Node {
    var node = self
    // In two steps, since a new name may be one of the old.
    let reads = Set(inputs).union(capturedValues()).filter { names[$0] != nil }.sorted()
    for (index, name) in reads.enumerated() { node.replaceReads(of: name, by: "\u{0}\(index)") }
    for (index, name) in reads.enumerated() {
      node.replaceReads(of: "\u{0}\(index)", by: names[name] ?? name)
    }
    node.outputs = outputs.map { names[$0] ?? $0 }
    return node
  }
}
