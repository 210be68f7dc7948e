import Graphs
import Tensors

/// Reads ONNX files: graph and settings into memory, constants as views of the mapped file.
///
/// `Constant` nodes become constants of their graph, initializers that are listed as inputs too (as models before IR 4 must)
/// are no inputs, and nodes are put in order. Texts for people on graphs, nodes and tensors are not kept.
///
/// Every error is a ``LocatedError``. No more memory is taken than the file's size and a constant, see
/// ``ONNXReadingBudget``.
struct ONNXReader {
  let file: MappedFile
  let externalFiles: ONNXExternalFiles
  let budget: ONNXReadingBudget

  /// The versions of ONNX's own operators that are read and written: no runtime in use needs older ones, and ONNX Runtime
  /// 1.31 loads none beyond.
  static let opsets = 7...26

  /// How deep graphs may be nested in attributes: as deep as protobuf's own readers go (100 messages).
  static let maximumGraphDepth = 32

  init(_ file: MappedFile) {
    self.file = file
    externalFiles = ONNXExternalFiles(besides: file.path)
    budget = ONNXReadingBudget(fileByteCount: file.byteCount)
  }

  /// The model that the file holds.
  func model() throws -> Model {
    guard file.byteCount > 0 else {
      throw ModelFileError(.damaged, "is empty; copy or export it again")
    }
    var message = ProtobufReader(file.bytes, 0..<file.byteCount)
    var model = Model(Graph())
    model.opsets = [:]
    var graph: ProtobufField?
    var functions: Set<OperatorName> = []
    while let field = try message.next() {
      switch field.number {
      case ONNXField.Model.producerName: model.producer.name = try field.string()
      case ONNXField.Model.producerVersion: model.producer.version = try field.string()
      case ONNXField.Model.documentation: model.producer.documentation = try field.string()
      case ONNXField.Model.graph:
        guard graph == nil else {
          throw ProtobufReader.damaged("a second graph", at: field.start)
        }
        graph = field
      case ONNXField.Model.opsetImport: try addOpset(field.message(), to: &model.opsets)
      case ONNXField.Model.metadata:
        let entry = try self.entry(field.message())
        model.metadata[entry.key] = entry.value
      case ONNXField.Model.functions: functions.insert(try functionName(field.message()))
      default: break
      }
    }
    try check(model.opsets)
    guard let graph else {
      throw ModelFileError(
        .damaged, "holds no graph, so it is not an ONNX model; give a file that an exporter wrote")
    }
    model.graph = try self.graph(graph.message(), depth: 1)
    try refuse(functions, in: model.graph)
    model.graph = try model.graph.verified()
    return model
  }

  /// A key and its value.
  func entry(_ message: ProtobufReader) throws -> (key: String, value: String) {
    var message = message
    var entry = (key: "", value: "")
    try budget.spend(.value)
    while let field = try message.next() {
      switch field.number {
      case ONNXField.Entry.key: entry.key = try field.string()
      case ONNXField.Entry.value: entry.value = try field.string()
      default: break
      }
    }
    return entry
  }

  private func addOpset(_ message: ProtobufReader, to opsets: inout [String: Int]) throws {
    var message = message
    var domain = ""
    var version = 0
    try budget.spend(.value)
    while let field = try message.next() {
      switch field.number {
      case ONNXField.OperatorSet.domain: domain = try field.string()
      case ONNXField.OperatorSet.version: version = try field.int()
      default: break
      }
    }
    domain = OperatorName("", domain: domain).domain
    if let other = opsets[domain], other != version {
      throw ModelFileError(
        .unsupportedVersion,
        "is written in versions \(other) and \(version) of the operator set '\(domain)'; must be one"
      )
    }
    opsets[domain] = version
  }

  private func check(_ opsets: [String: Int]) throws {
    guard let version = opsets[""] else {
      throw ModelFileError(
        .unsupportedVersion,
        "does not say which version of ONNX's own operators it is written in (opset_import without "
          + "the default domain); export it again with a current exporter")
    }
    guard Self.opsets.contains(version) else {
      throw ModelFileError(
        .unsupportedVersion,
        "is written in opset \(version); supported are \(Self.opsets.lowerBound) to "
          + "\(Self.opsets.upperBound): export it in opset 17, or convert it with "
          + "onnx.version_converter")
    }
  }

  private func functionName(_ message: ProtobufReader) throws -> OperatorName {
    var message = message
    var name = ""
    var domain = ""
    try budget.spend(.value)
    while let field = try message.next() {
      switch field.number {
      case ONNXField.Function.name: name = try field.string()
      case ONNXField.Function.domain: domain = try field.string()
      default: break
      }
    }
    return OperatorName(name, domain: domain)
  }

  private func refuse(_ functions: Set<OperatorName>, in graph: Graph) throws {
    guard !functions.isEmpty else { return }
    for node in graph.nodes {
      guard !functions.contains(node.operation) else {
        throw ModelFileError(
          .unsupported,
          "calls the model's own function \(node.operation), which is not supported; "
            + "inline it with onnx.inliner", path: [node.label])
      }
      for subgraph in node.subgraphs {
        try located(node.label) { try refuse(functions, in: subgraph) }
      }
    }
  }
}
