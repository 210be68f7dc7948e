import Graphs
import Tensors

extension ONNXReader {
  /// A graph while it is read.
  private struct Parts {
    var graph = Graph()
    var types: [Graph.Value] = []
    /// Constants that can't be represented, and why.
    var unreadable: [String: String] = [:]

    mutating func add(_ constant: ONNXConstant, named name: String) throws {
      guard graph.constants[name] == nil, unreadable[name] == nil else {
        throw ModelFileError(
          .damaged, "the constant '\(name)' stands twice; every value has one name of its own")
      }
      switch constant {
      case .tensor(let tensor): graph.constants[name] = tensor
      case .unreadable(let reason): unreadable[name] = reason
      }
    }
  }

  /// The graph in a message, at nesting depth `depth`; the outermost is at 1.
  func graph(_ message: ProtobufReader, depth: Int) throws -> Graph {
    guard depth <= Self.maximumGraphDepth else {
      throw ModelFileError(
        .unsupported, "graphs are nested more than \(Self.maximumGraphDepth) deep")
    }
    try budget.spend(.graph)
    var message = message
    var parts = Parts()
    while let field = try message.next() {
      switch field.number {
      case ONNXField.Graph.name:
        let name = try field.string()
        if !name.isEmpty { parts.graph.name = name }
      case ONNXField.Graph.node: try addNode(field.message(), to: &parts, depth: depth)
      case ONNXField.Graph.initializer:
        let (name, constant) = try namedConstant(field.message())
        try parts.add(constant, named: name)
      case ONNXField.Graph.sparseInitializer:
        let name = try sparseName(field.message())
        try parts.add(.unreadable("is a sparse tensor"), named: name)
      case ONNXField.Graph.input: parts.graph.inputs.append(try value(field.message()))
      case ONNXField.Graph.output: parts.graph.outputs.append(try value(field.message()))
      case ONNXField.Graph.valueInfo:
        if let value = try optionalValue(field.message()) { parts.types.append(value) }
      default: break
      }
    }
    return try finished(parts)
  }

  private func finished(_ parts: Parts) throws -> Graph {
    var graph = parts.graph
    graph.inputs.removeAll {
      graph.constants[$0.name] != nil || parts.unreadable[$0.name] != nil
    }
    let computed = Set(graph.nodes.flatMap(\.outputs))
    for value in parts.types where computed.contains(value.name) {
      graph.valueTypes[value.name] = value.type
    }
    // A graph's outputs carry their types themselves.
    for index in graph.outputs.indices {
      guard let type = graph.valueTypes.removeValue(forKey: graph.outputs[index].name) else {
        continue
      }
      let own = graph.outputs[index].type
      graph.outputs[index].type = ValueType(
        own.elementType ?? type.elementType, own.dimensions ?? type.dimensions)
    }
    try refuseReads(of: parts.unreadable, in: graph)
    return graph
  }

  private func refuseReads(of unreadable: [String: String], in graph: Graph) throws {
    guard !unreadable.isEmpty else { return }
    let readers =
      graph.nodes.map { (Set($0.inputs).union($0.capturedValues()), [$0.label]) }
      + [(Set(graph.outputs.map(\.name)), [])]
    for (reads, path) in readers {
      guard let name = reads.filter({ unreadable[$0] != nil }).min() else { continue }
      throw ModelFileError(
        .unsupported, "the constant '\(name)' \(unreadable[name]!), which is not supported",
        path: path)
    }
  }

  private func addNode(_ message: ProtobufReader, to parts: inout Parts, depth: Int) throws {
    var node = try unresolvedNode(message)
    try located(node.node.label) {
      if node.node.operation == "Constant" {
        guard node.node.outputs.count == 1 else {
          throw ProtobufReader.damaged(
            "a Constant with \(node.node.outputs.count) outputs", at: node.start)
        }
        guard !node.node.outputs[0].isEmpty else { return }
        try parts.add(constant(node.attributes, at: node.start), named: node.node.outputs[0])
      } else {
        for attribute in node.attributes {
          let value = try self.value(of: attribute, depth: depth)
          guard node.node.attributes.updateValue(value, forKey: attribute.name) == nil else {
            throw ProtobufReader.damaged(
              "a second attribute '\(attribute.name)'", at: attribute.start)
          }
        }
        parts.graph.nodes.append(node.node)
      }
    }
  }

  private func namedConstant(
    _ message: ProtobufReader
  ) throws -> (name: String, constant: ONNXConstant) {
    let tensor = try ONNXTensorReader(message, in: self)
    guard !tensor.name.isEmpty else {
      throw ModelFileError(.damaged, "a constant has no name; export the model again")
    }
    return (tensor.name, try located("'\(tensor.name)'") { try tensor.constant() })
  }

  private func sparseName(_ message: ProtobufReader) throws -> String {
    var message = message
    var name = ""
    while let field = try message.next() {
      guard field.number == ONNXField.SparseTensor.values else { continue }
      name = try ONNXTensorReader(field.message(), in: self).name
    }
    return name
  }
}
