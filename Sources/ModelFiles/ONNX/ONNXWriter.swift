import Foundation
package import Graphs
import Tensors

/// Writes ONNX files.
///
/// Nodes stand in the graph's order, constants in the order of their first use and then by name, everything else by name:
/// the same model always gives the same bytes. Constants go into the file itself; where it would pass ``inlineLimit``,
/// those of at least ``externalMinimum`` bytes go into `<name>.onnx.data` beside it, each at a multiple of 4096 bytes.
package struct ONNXWriter {
  private let model: Model

  /// The most bytes of the model file itself. Protobuf allows 2 GiB − 1; readers differ in what they add to it.
  package var inlineLimit = 1_900_000_000

  /// Smaller constants stay in the file: readers look at the values of shapes and scales when they load it.
  static let externalMinimum = 1024

  package init(_ model: Model) { self.model = model }

  /// Writes the file or files. Throws ``ModelFileError`` and ``FileError``.
  package func write(to path: String) throws {
    try check()
    var message = try self.message(externalData: nil)
    var externalData: ONNXExternalWriter?
    if message.byteCount > inlineLimit {
      let location = URL(fileURLWithPath: path).lastPathComponent + ".data"
      let data = ONNXExternalWriter(location: location, minimum: Self.externalMinimum)
      message = try self.message(externalData: data)
      externalData = data
    }
    guard message.byteCount <= inlineLimit else {
      throw ModelFileError(
        .notStorable,
        "takes \(message.byteCount) bytes even with its large constants in another file; "
          + "an ONNX file holds at most \(inlineLimit)")
    }
    // Both files are whole before the first takes its place.
    let dataFile = try externalData.map { try $0.written(beside: path) }
    let file = try OutputFile(path: path)
    try message.write(to: file)
    try dataFile?.commit()
    try file.commit()
  }

  private func check() throws {
    guard ONNXReader.opsets.contains(model.opset) else {
      throw ModelFileError(
        .unsupportedVersion,
        "opset \(model.opset) can't be written; supported are \(ONNXReader.opsets.lowerBound) to "
          + "\(ONNXReader.opsets.upperBound)")
    }
    try checkDomains(model.graph)
  }

  private func checkDomains(_ graph: Graph) throws {
    for node in graph.nodes {
      guard model.opsets[node.operation.domain] != nil else {
        throw ModelFileError(
          .notStorable,
          "\(node.operation) is of a domain whose version the model does not state; "
            + "set opsets[\"\(node.operation.domain)\"]", path: [node.label])
      }
      for subgraph in node.subgraphs { try located(node.label) { try checkDomains(subgraph) } }
    }
  }

  private func message(externalData: ONNXExternalWriter?) throws -> ProtobufMessage {
    var message = ProtobufMessage()
    message.add(ONNXField.Model.irVersion, ONNXVersions.irVersion(of: model))
    message.add(nonEmpty: ONNXField.Model.producerName, model.producer.name)
    message.add(nonEmpty: ONNXField.Model.producerVersion, model.producer.version)
    message.add(nonEmpty: ONNXField.Model.documentation, model.producer.documentation)
    message.add(
      ONNXField.Model.graph, ONNXGraphWriter(externalData: externalData).message(model.graph))
    for (domain, version) in model.opsets.sorted(by: { $0.key < $1.key }) {
      var opset = ProtobufMessage()
      opset.add(ONNXField.OperatorSet.domain, domain)
      opset.add(ONNXField.OperatorSet.version, version)
      message.add(ONNXField.Model.opsetImport, opset)
    }
    for (key, value) in model.metadata.sorted(by: { $0.key < $1.key }) {
      message.add(ONNXField.Model.metadata, .entry(key, value))
    }
    return message
  }
}

extension ProtobufMessage {
  /// A key and its value.
  static func entry(_ key: String, _ value: String) -> ProtobufMessage {
    var entry = ProtobufMessage()
    entry.add(ONNXField.Entry.key, key)
    entry.add(ONNXField.Entry.value, value)
    return entry
  }

  /// Adds a text unless it is empty.
  mutating func add(nonEmpty field: Int, _ text: String) { if !text.isEmpty { add(field, text) } }
}
