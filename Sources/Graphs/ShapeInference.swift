public import Tensors

extension Graph {
  /// Computes a node's outputs from inputs that are all known; nil where it can't or won't.
  public typealias Evaluator =
    (_ node: Node, _ decoded: any Operator, _ inputs: [Tensor?]) throws -> [Tensor]?

  /// The graph with the type of every value written down, as far as it follows from the inputs'.
  ///
  /// Each operator's shape rule is asked in order. Small values that depend on shapes and constants only are computed by
  /// `evaluate`, so that targets of `Reshape` and the like become known. `given` holds shapes of inputs whose declared
  /// types leave lengths open; a length with a name is then the same wherever the name stands. What neither follows nor
  /// is declared stays unknown, the outputs of operators that are not known here included.
  ///
  /// Throws ``GraphError`` where `given` contradicts an input's declared type or names no input, and where values can't go
  /// together; its path names the node. The branches of an `If` whose condition is not known may be wrong: they may
  /// never run.
  public func inferringTypes(
    given: [String: Shape] = [:], opsets: [String: Int], evaluate: Evaluator? = nil
  ) throws -> Graph {
    let graph = try binding(given)
    var inference = ShapeInference(opsets: opsets, evaluate: evaluate, outer: nil)
    return try inference.run(graph)
  }

  /// The graph with the lengths of the given shapes in place of open ones.
  private func binding(_ given: [String: Shape]) throws -> Graph {
    var graph = self
    var lengths: [String: Int] = [:]
    for name in given.keys.sorted() {
      guard let index = inputs.firstIndex(where: { $0.name == name }) else {
        let known = inputs.map { "'\($0.name)'" }.joined(separator: ", ")
        throw GraphError(.invalidName, "unknown input '\(name)'; the network has \(known)")
      }
      let shape = given[name]!
      try inputs[index].type.bind(&lengths, to: shape, name)
      graph.inputs[index].type.dimensions = shape.dimensions.map { .fixed($0) }
    }
    guard !lengths.isEmpty else { return graph }
    for index in graph.inputs.indices { graph.inputs[index].type.replaceNames(lengths) }
    for index in graph.outputs.indices { graph.outputs[index].type.replaceNames(lengths) }
    for name in graph.valueTypes.keys { graph.valueTypes[name]!.replaceNames(lengths) }
    return graph
  }
}

extension ValueType {
  /// Notes which names stand for which lengths of `shape`. Throws where a known length differs.
  fileprivate func bind(
    _ lengths: inout [String: Int], to shape: Shape, _ input: String
  ) throws {
    let mismatch = GraphError(
      .mismatchedTypes, "is given as \(shape); the network takes \(self)", path: [input])
    guard let dimensions else { return }
    guard dimensions.count == shape.rank else { throw mismatch }
    for (dimension, length) in zip(dimensions, shape.dimensions) {
      if let expected = dimension.length, expected != length { throw mismatch }
      guard let name = dimension.name else { continue }
      if let earlier = lengths.updateValue(length, forKey: name), earlier != length {
        throw GraphError(
          .mismatchedTypes,
          "is given as \(shape), so that \(name) is both \(earlier) and \(length)",
          path: [input])
      }
    }
  }

  fileprivate mutating func replaceNames(_ lengths: [String: Int]) {
    dimensions = dimensions?.map { dimension in
      dimension.name.flatMap { lengths[$0] }.map { .fixed($0) } ?? dimension
    }
  }

  /// What is known here, and what only `other` knows.
  package func filled(from other: ValueType?) -> ValueType {
    guard let other else { return self }
    var result = ValueType(elementType ?? other.elementType, dimensions ?? other.dimensions)
    if let own = dimensions, let declared = other.dimensions, own.count == declared.count {
      result.dimensions = zip(own, declared).map { $0 == .unknown ? $1 : $0 }
    }
    return result
  }
}

/// One walk over a graph's nodes, with what is known of values so far.
struct ShapeInference {
  /// The most elements of a value that is computed: shapes and what is made of them is far smaller.
  static let knownValueLimit = 4096

  let opsets: [String: Int]
  let evaluate: Graph.Evaluator?
  /// The graph around this one, as far as it is known.
  let outer: Scope?

  /// What is known of the values that a graph can read.
  final class Scope {
    let graph: Graph
    let outer: Scope?
    var types: [String: ValueType] = [:]
    var values: [String: Tensor] = [:]
    private let declared: [String: ValueType]

    init(_ graph: Graph, outer: Scope?) {
      self.graph = graph
      self.outer = outer
      declared = Dictionary(
        graph.inputs.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
    }

    func type(of name: String) -> ValueType? {
      if let type = types[name] { return type }
      if let constant = graph.constants[name] {
        return ValueType(constant.elementType, constant.shape)
      }
      return declared[name] ?? outer?.type(of: name)
    }

    func value(of name: String) -> Tensor? {
      values[name] ?? graph.constants[name] ?? outer?.value(of: name)
    }
  }

  mutating func run(_ graph: Graph) throws -> Graph {
    var graph = graph
    let scope = Scope(graph, outer: outer)
    for index in graph.nodes.indices {
      graph.nodes[index] = try located(graph.nodes[index].label) {
        try infer(graph.nodes[index], in: scope)
      }
    }
    for (name, type) in scope.types { graph.valueTypes[name] = type }
    for index in graph.outputs.indices {
      let output = graph.outputs[index]
      let known = scope.type(of: output.name) ?? ValueType(nil, nil)
      graph.outputs[index].type = known.filled(from: output.type)
    }
    return graph
  }

  /// Writes a node's output types into `scope`, and returns the node with the types inside its own graphs.
  private func infer(_ node: Node, in scope: Scope) throws -> Node {
    guard Operators.all[node.operation] != nil else {
      for output in node.outputs where !output.isEmpty {
        scope.types[output] = scope.graph.valueTypes[output] ?? ValueType(nil, nil)
      }
      return node
    }
    let node = node.subgraphs.isEmpty ? node : try inferSubgraphs(of: node, in: scope)
    let decoded = try relocated(node) { try Operators.decode(node, opsets: opsets) }
    let inputs = OperatorInputs(
      types: node.inputs.map { name in
        name.isEmpty ? nil : scope.type(of: name) ?? ValueType(nil, nil)
      },
      constants: node.inputs.map { $0.isEmpty ? nil : scope.value(of: $0) },
      outputCount: node.outputs.count)
    let types = try decoded.outputTypes(inputs)
    for (name, type) in zip(node.outputs, types) where !name.isEmpty {
      scope.types[name] = type.filled(from: scope.graph.valueTypes[name])
    }
    if let values = try values(of: node, decoded, inputs, types) {
      for (name, value) in zip(node.outputs, values) where !name.isEmpty {
        scope.types[name] = ValueType(value.elementType, value.shape)
        if value.count <= ShapeInference.knownValueLimit { scope.values[name] = value }
      }
    }
    return node
  }

  /// The node's outputs, where they are small and follow from what is known.
  private func values(
    of node: Node, _ decoded: any Operator, _ inputs: OperatorInputs, _ types: [ValueType]
  ) throws -> [Tensor]? {
    if let shaped = decoded as? any ShapeValuedOperator {
      return shaped.value(inputs[0]).map { [$0] }
    }
    guard let evaluate, node.subgraphs.isEmpty else { return nil }
    let isSmall = { (count: Int) in count <= ShapeInference.knownValueLimit }
    for (index, name) in node.inputs.enumerated() where !name.isEmpty {
      guard let value = inputs.constant(index), isSmall(value.count) else { return nil }
    }
    let isBounded = types.allSatisfy { type in
      type.dimensions == nil || type.dimensions!.contains { $0.length == nil }
        || type.shape.map { isSmall($0.count) } ?? false
    }
    return isBounded ? try evaluate(node, decoded, inputs.constants) : nil
  }

  /// Decoding names the node already.
  private func relocated<Result>(_ node: Node, _ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch var error as GraphError {
      if error.path.first == node.label { error.path.removeFirst() }
      throw error
    }
  }
}

// MARK: - Control flow

extension ShapeInference {
  private func inferSubgraphs(of node: Node, in scope: Scope) throws -> Node {
    var node = node
    let outerTypes = node.inputs.map { $0.isEmpty ? nil : scope.type(of: $0) }
    let condition =
      node.operation == "If"
      ? node.input(0).flatMap { scope.value(of: $0) }.flatMap(\.firstTruth) : nil
    for (name, attribute) in node.attributes.sorted(by: { $0.key < $1.key }) {
      var inference = ShapeInference(opsets: opsets, evaluate: evaluate, outer: scope)
      node.attributes[name] = try attribute.mapGraphs { graph in
        var graph = graph
        graph.setInputTypes(of: node, from: outerTypes)
        guard node.operation == "If" else { return try inference.run(graph) }
        if condition == (name == "then_branch") { return try inference.run(graph) }
        // A branch that may never run may be wrong, such as a Squeeze of an axis that is not 1.
        return condition == nil ? (try? inference.run(graph)) ?? graph.forgettingTypes() : graph
      }
    }
    return node
  }
}

extension Tensor {
  /// Whether the first element of a tensor of Booleans is true; nil for other tensors and empty ones.
  package var firstTruth: Bool? {
    guard elementType == .bool, count > 0 else { return nil }
    return withUnsafeBytes { $0[0] != 0 }
  }
}

extension Graph {
  fileprivate func forgettingTypes() -> Graph {
    var graph = self
    for index in graph.outputs.indices { graph.outputs[index].type.dimensions = nil }
    return graph
  }

  /// Completes the types of the inputs of a loop's body by what follows from the loop's own inputs.
  fileprivate mutating func setInputTypes(of node: Node, from types: [ValueType?]) {
    let known = LoopBodies.inputTypes(of: node, types, count: inputs.count)
    for (index, type) in known.enumerated() where index < inputs.count {
      inputs[index].type = inputs[index].type.filled(from: type)
    }
  }
}

/// What the bodies of `Loop` and `Scan` are given, as far as it follows from the node's own inputs.
enum LoopBodies {
  static func inputTypes(of node: Node, _ types: [ValueType?], count: Int) -> [ValueType?] {
    switch node.operation {
    case "Loop":
      // A carried value may change its lengths, but neither its elements nor, in practice, its rank.
      let carried = types.dropFirst(2).map { $0.map { $0.withOpenLengths } }
      return [ValueType(.int64, []), ValueType(.bool, [])] + carried
    case "Scan":
      guard case .int(let scanned)? = node.attributes["num_scan_inputs"],
        scanned >= 0, scanned <= types.count
      else { return [] }
      return types.enumerated().map { index, type in
        index < types.count - scanned
          ? type.map { $0.withOpenLengths } : type.map { ValueType($0.elementType, nil) }
      }
    default: return []
    }
  }
}

extension ValueType {
  /// The same element type and number of axes.
  fileprivate var withOpenLengths: ValueType {
    ValueType(elementType, dimensions?.map { _ in .unknown })
  }
}

/// An operator whose output is made of its input's shape alone, whatever the input's value is.
protocol ShapeValuedOperator: Operator {
  /// The output, where the shape is known far enough.
  func value(_ input: ValueType) -> Tensor?
}

extension Operator {
  /// The output, where it is made of the input's shape alone and that is known far enough.
  package func value(ofShape input: ValueType) -> Tensor? {
    (self as? any ShapeValuedOperator)?.value(input)
  }
}
