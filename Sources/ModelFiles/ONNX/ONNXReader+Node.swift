import Graphs
import Tensors

/// An attribute whose value is not decoded yet.
struct ONNXAttribute {
  var name = ""
  /// The kind that the file states, 0 where it does not.
  var type = 0
  var isReference = false
  /// The byte of the file that the attribute begins at.
  var start = 0
  var int = 0
  var float: Float = 0
  var ints: [Int] = []
  var floats: [Float] = []
  var strings: [String] = []
  /// The fields of tensors and graphs.
  var fields: [ProtobufField] = []
  /// The fields that are there, by number.
  var present: Set<Int> = []
}

extension ONNXReader {
  /// A node without its attributes, and these.
  func unresolvedNode(
    _ message: ProtobufReader
  ) throws -> (node: Node, attributes: [ONNXAttribute], start: Int) {
    try budget.spend(.node)
    var message = message
    var start = 0
    var type = ""
    var domain = ""
    var name = ""
    var inputs: [String] = []
    var outputs: [String] = []
    var attributes: [ProtobufField] = []
    while let field = try message.next() {
      if start == 0 { start = field.start }
      try budget.spend(.text)
      switch field.number {
      case ONNXField.Node.input: inputs.append(try field.string())
      case ONNXField.Node.output: outputs.append(try field.string())
      case ONNXField.Node.name: name = try field.string()
      case ONNXField.Node.operatorType: type = try field.string()
      case ONNXField.Node.domain: domain = try field.string()
      case ONNXField.Node.attribute: attributes.append(field)
      default: break
      }
    }
    guard !type.isEmpty else {
      throw ProtobufReader.damaged("a node '\(name)' without an operator", at: start)
    }
    let node = Node(
      OperatorName(type, domain: domain), name: name, inputs: inputs, outputs: outputs)
    return (node, try located(node.label) { try attributes.map(attribute) }, start)
  }

  private func attribute(_ field: ProtobufField) throws -> ONNXAttribute {
    try budget.spend(.attribute)
    var message = try field.message()
    var attribute = ONNXAttribute()
    attribute.start = field.start
    while let field = try message.next() {
      attribute.present.insert(field.number)
      switch field.number {
      case ONNXField.Attribute.name: attribute.name = try field.string()
      case ONNXField.Attribute.type: attribute.type = try field.int()
      case ONNXField.Attribute.reference: attribute.isReference = try !field.string().isEmpty
      case ONNXField.Attribute.int: attribute.int = try field.int()
      case ONNXField.Attribute.float: attribute.float = try field.float()
      case ONNXField.Attribute.string, ONNXField.Attribute.strings:
        try budget.spend(.text)
        attribute.strings.append(try field.string())
      case ONNXField.Attribute.ints:
        try budget.spend(.number, field.numberLimit)
        try field.appendInts(to: &attribute.ints)
      case ONNXField.Attribute.floats:
        try budget.spend(.number, field.numberLimit)
        try field.appendFloats(to: &attribute.floats)
      case ONNXField.Attribute.tensor, ONNXField.Attribute.tensors, ONNXField.Attribute.graph,
        ONNXField.Attribute.graphs:
        try budget.spend(.value)
        attribute.fields.append(field)
      default: break
      }
    }
    guard !attribute.name.isEmpty else {
      throw ProtobufReader.damaged("an attribute without a name", at: attribute.start)
    }
    return attribute
  }

  /// What an attribute of a node at nesting depth `depth` is.
  func value(of attribute: ONNXAttribute, depth: Int) throws -> AttributeValue {
    try located("attribute '\(attribute.name)'") {
      switch try kind(of: attribute) {
      case .float: return .float(attribute.float)
      case .int: return .int(attribute.int)
      case .floats: return .floats(attribute.floats)
      case .ints: return .ints(attribute.ints)
      case .string: return .string(attribute.strings.last ?? "")
      case .strings: return .strings(attribute.strings)
      case .tensor: return .tensor(try tensor(attribute.only(ONNXField.Attribute.tensor)))
      case .tensors:
        return .tensors(try attribute.fields(ONNXField.Attribute.tensors).map(tensor))
      case .graph:
        let field = try attribute.only(ONNXField.Attribute.graph)
        return .graph(try graph(field.message(), depth: depth + 1))
      case .graphs:
        let fields = attribute.fields(ONNXField.Attribute.graphs)
        return .graphs(try fields.map { try graph($0.message(), depth: depth + 1) })
      }
    }
  }

  /// What a `Constant` node with the given attributes stands for.
  func constant(_ attributes: [ONNXAttribute], at start: Int) throws -> ONNXConstant {
    guard attributes.count == 1 else {
      throw ProtobufReader.damaged(
        "a Constant with \(attributes.count) attributes instead of one", at: start)
    }
    let attribute = attributes[0]
    switch attribute.name {
    case "value":
      let field = try attribute.only(ONNXField.Attribute.tensor)
      return try ONNXTensorReader(field.message(), in: self).constant()
    case "sparse_value": return .unreadable("is a sparse tensor")
    case "value_string", "value_strings": return .unreadable("holds texts")
    default: break
    }
    switch (attribute.name, try value(of: attribute, depth: Self.maximumGraphDepth)) {
    case ("value_int", .int(let value)): return .tensor(Tensor(scalar: Int64(value)))
    case ("value_ints", .ints(let values)): return .tensor(Tensor(values.map { Int64($0) }))
    case ("value_float", .float(let value)): return .tensor(Tensor(scalar: value))
    case ("value_floats", .floats(let values)): return .tensor(Tensor(values))
    default:
      throw ProtobufReader.damaged(
        "a Constant with the attribute '\(attribute.name)', which is unknown or of the wrong kind,",
        at: start)
    }
  }

  private func tensor(_ field: ProtobufField) throws -> Tensor {
    switch try ONNXTensorReader(field.message(), in: self).constant() {
    case .tensor(let tensor): return tensor
    case .unreadable(let reason):
      throw ModelFileError(.unsupported, "the tensor \(reason), which is not supported")
    }
  }

  private func kind(of attribute: ONNXAttribute) throws -> ONNXAttributeType {
    guard !attribute.isReference else {
      throw ModelFileError(
        .unsupported,
        "refers to an attribute of a function, which is not supported; inline functions with "
          + "onnx.inliner")
    }
    if let kind = ONNXAttributeType(rawValue: attribute.type) { return kind }
    guard attribute.type == 0 else {
      throw ModelFileError(
        .unsupported, "is of kind \(attribute.type), which is not supported")
    }
    // Writers before IR 2 do not state the kind.
    let kinds = ONNXAttributeType.allCases.filter { attribute.present.contains($0.field) }
    guard kinds.count == 1 else {
      throw ProtobufReader.damaged(
        "an attribute with \(kinds.count) values and no kind", at: attribute.start)
    }
    return kinds[0]
  }
}

extension ONNXAttributeType {
  /// The field that holds a value of the kind.
  var field: Int {
    switch self {
    case .float: ONNXField.Attribute.float
    case .int: ONNXField.Attribute.int
    case .string: ONNXField.Attribute.string
    case .tensor: ONNXField.Attribute.tensor
    case .graph: ONNXField.Attribute.graph
    case .floats: ONNXField.Attribute.floats
    case .ints: ONNXField.Attribute.ints
    case .strings: ONNXField.Attribute.strings
    case .tensors: ONNXField.Attribute.tensors
    case .graphs: ONNXField.Attribute.graphs
    }
  }
}

extension ONNXAttribute {
  fileprivate func fields(_ number: Int) -> [ProtobufField] {
    fields.filter { $0.number == number }
  }

  fileprivate func only(_ number: Int) throws -> ProtobufField {
    let found = fields(number)
    guard found.count == 1 else {
      throw ProtobufReader.damaged(
        "an attribute '\(name)' with \(found.count) values instead of one", at: start)
    }
    return found[0]
  }
}
