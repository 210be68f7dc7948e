import Graphs
import Tensors

/// Turns a graph into the messages of an ONNX file.
struct ONNXGraphWriter {
  /// Where large constants go; nil where all stay in the file.
  let externalData: ONNXExternalWriter?

  /// The message of a graph.
  func message(_ graph: Graph) -> ProtobufMessage {
    var message = ProtobufMessage()
    for node in graph.nodes { message.add(ONNXField.Graph.node, self.message(node)) }
    message.add(ONNXField.Graph.name, graph.name.isEmpty ? "graph" : graph.name)
    for name in constantOrder(graph) {
      message.add(ONNXField.Graph.initializer, constant(name, graph.constants[name]!))
    }
    for input in graph.inputs {
      message.add(ONNXField.Graph.input, self.message(input.name, input.type))
    }
    for output in graph.outputs {
      message.add(ONNXField.Graph.output, self.message(output.name, output.type))
    }
    let computed = Set(graph.nodes.flatMap(\.outputs)).subtracting(graph.outputs.map(\.name))
    for (name, type) in graph.valueTypes.sorted(by: { $0.key < $1.key })
    where computed.contains(name) && type.elementType != nil {
      message.add(ONNXField.Graph.valueInfo, self.message(name, type))
    }
    return message
  }

  /// The names of constants, in the order of their first use and then by name.
  private func constantOrder(_ graph: Graph) -> [String] {
    var rest = Set(graph.constants.keys)
    var order: [String] = []
    func take(_ name: String) { if rest.remove(name) != nil { order.append(name) } }
    for node in graph.nodes {
      for input in node.inputs { take(input) }
      if !node.subgraphs.isEmpty { for input in node.capturedValues().sorted() { take(input) } }
    }
    for output in graph.outputs { take(output.name) }
    return order + rest.sorted()
  }

  private func message(_ node: Node) -> ProtobufMessage {
    var message = ProtobufMessage()
    for input in node.inputs { message.add(ONNXField.Node.input, input) }
    for output in node.outputs { message.add(ONNXField.Node.output, output) }
    message.add(nonEmpty: ONNXField.Node.name, node.name)
    message.add(ONNXField.Node.operatorType, node.operation.type)
    for (name, value) in node.attributes.sorted(by: { $0.key < $1.key }) {
      message.add(ONNXField.Node.attribute, attribute(name, value))
    }
    message.add(nonEmpty: ONNXField.Node.domain, node.operation.domain)
    return message
  }

  private func attribute(_ name: String, _ value: AttributeValue) -> ProtobufMessage {
    var message = ProtobufMessage()
    message.add(ONNXField.Attribute.name, name)
    let type: ONNXAttributeType
    switch value {
    case .float(let number):
      type = .float
      message.add(type.field, number)
    case .int(let number):
      type = .int
      message.add(type.field, number)
    case .string(let text):
      type = .string
      message.add(type.field, text)
    case .tensor(let tensor):
      type = .tensor
      message.add(type.field, self.tensor("", tensor))
    case .graph(let graph):
      type = .graph
      message.add(type.field, self.message(graph))
    case .floats(let numbers):
      type = .floats
      message.add(type.field, packed: numbers)
    case .ints(let numbers):
      type = .ints
      message.add(type.field, packed: numbers)
    case .strings(let texts):
      type = .strings
      for text in texts { message.add(type.field, text) }
    case .tensors(let tensors):
      type = .tensors
      for tensor in tensors { message.add(type.field, self.tensor("", tensor)) }
    case .graphs(let graphs):
      type = .graphs
      for graph in graphs { message.add(type.field, self.message(graph)) }
    }
    message.add(ONNXField.Attribute.type, type.rawValue)
    return message
  }

  private func constant(_ name: String, _ tensor: Tensor) -> ProtobufMessage {
    guard let externalData, tensor.byteCount >= externalData.minimum else {
      return self.tensor(name, tensor)
    }
    var message = header(name, tensor)
    let offset = externalData.place(tensor)
    let entries = [
      ("location", externalData.location), ("offset", "\(offset)"),
      ("length", "\(tensor.byteCount)"),
    ]
    for (key, value) in entries {
      message.add(ONNXField.Tensor.externalData, .entry(key, value))
    }
    message.add(ONNXField.Tensor.dataLocation, 1)
    return message
  }

  private func tensor(_ name: String, _ tensor: Tensor) -> ProtobufMessage {
    var message = header(name, tensor)
    message.add(ONNXField.Tensor.rawData, tensor)
    return message
  }

  private func header(_ name: String, _ tensor: Tensor) -> ProtobufMessage {
    var message = ProtobufMessage()
    for length in tensor.shape.dimensions { message.add(ONNXField.Tensor.dimensions, length) }
    message.add(ONNXField.Tensor.dataType, tensor.elementType.onnxCode)
    message.add(nonEmpty: ONNXField.Tensor.name, name)
    return message
  }

  private func message(_ name: String, _ type: ValueType) -> ProtobufMessage {
    var message = ProtobufMessage()
    message.add(ONNXField.ValueInfo.name, name)
    guard type.elementType != nil || type.dimensions != nil else { return message }
    var tensorType = ProtobufMessage()
    tensorType.add(ONNXField.ValueType.elementType, type.elementType?.onnxCode ?? 0)
    if let dimensions = type.dimensions {
      var shape = ProtobufMessage()
      for dimension in dimensions {
        var item = ProtobufMessage()
        if let length = dimension.length { item.add(ONNXField.ValueType.length, length) }
        if let name = dimension.name { item.add(ONNXField.ValueType.lengthName, name) }
        shape.add(ONNXField.ValueType.dimension, item)
      }
      tensorType.add(ONNXField.ValueType.shape, shape)
    }
    var choice = ProtobufMessage()
    choice.add(ONNXField.ValueType.tensor, tensorType)
    message.add(ONNXField.ValueInfo.type, choice)
    return message
  }
}
