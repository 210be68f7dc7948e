import Graphs
import Tensors

extension ONNXReader {
  /// How many axes a value may have; networks have less than ten, NumPy allows 64.
  static let maximumRank = 64

  /// A value at a graph's border. Throws where it is not a tensor of numbers.
  func value(_ message: ProtobufReader) throws -> Graph.Value {
    let (name, type, problem) = try valueInfo(message)
    if let problem {
      throw ModelFileError(
        .unsupported, "\(problem); only tensors of numbers can go in and out", path: ["'\(name)'"])
    }
    return Graph.Value(name, type)
  }

  /// A value between nodes, nil where it is not a tensor of numbers.
  func optionalValue(_ message: ProtobufReader) throws -> Graph.Value? {
    let (name, type, problem) = try valueInfo(message)
    return problem == nil ? Graph.Value(name, type) : nil
  }

  private func valueInfo(
    _ message: ProtobufReader
  ) throws -> (name: String, type: ValueType, problem: String?) {
    try budget.spend(.value)
    var message = message
    var name = ""
    var type = ValueType(nil, nil)
    var problem: String?
    while let field = try message.next() {
      switch field.number {
      case ONNXField.ValueInfo.name: name = try field.string()
      case ONNXField.ValueInfo.type:
        var choice = try field.message()
        while let field = try choice.next() {
          // A denotation is a text for people.
          guard case .bytes = field.value, field.number != 6 else { continue }
          if field.number == ONNXField.ValueType.tensor {
            (type, problem) = try tensorType(field.message())
          } else {
            problem = "is a sequence, map, optional or sparse tensor"
          }
        }
      default: break
      }
    }
    return (name, type, problem)
  }

  private func tensorType(_ message: ProtobufReader) throws -> (ValueType, problem: String?) {
    var message = message
    var type = ValueType(nil, nil)
    var problem: String?
    while let field = try message.next() {
      switch field.number {
      case ONNXField.ValueType.elementType:
        let code = try field.int()
        type.elementType = ElementType(onnxCode: code)
        if type.elementType == nil && code != 0 { problem = ONNXConstant.unreadableType(code) }
      case ONNXField.ValueType.shape: type.dimensions = try dimensions(field.message())
      default: break
      }
    }
    return (type, problem)
  }

  private func dimensions(_ message: ProtobufReader) throws -> [Dimension] {
    var message = message
    var dimensions: [Dimension] = []
    while let field = try message.next() {
      guard field.number == ONNXField.ValueType.dimension else { continue }
      try budget.spend(.text)
      dimensions.append(try dimension(field.message()))
      guard dimensions.count <= Self.maximumRank else {
        throw ProtobufReader.damaged(
          "a shape of more than \(Self.maximumRank) axes", at: field.start)
      }
    }
    return dimensions
  }

  private func dimension(_ message: ProtobufReader) throws -> Dimension {
    var message = message
    var dimension = Dimension.unknown
    while let field = try message.next() {
      switch field.number {
      case ONNXField.ValueType.length:
        let length = try field.int()
        // Some exporters write −1 for a length that is not known.
        guard length >= -1 else {
          throw ProtobufReader.damaged("an axis of length \(length)", at: field.start)
        }
        dimension = length == -1 ? .unknown : .fixed(length)
      case ONNXField.ValueType.lengthName:
        let name = try field.string()
        dimension = name.isEmpty ? .unknown : .named(name)
      default: break
      }
    }
    return dimension
  }
}
