import Tensors

extension ModelFormat {
  /// ONNX, opsets 7 to 26, with external data; drawn in ``ONNXField``.
  public static let onnx = ModelFormat(
    name: "onnx",
    recognizes: { path, header in
      path.hasSuffix(".onnx") || ONNXField.Model.isStart(header)
    },
    read: { try ONNXReader($0).model() },
    byteCount: { file in
      let reader = ONNXReader(file)
      _ = try reader.model()
      return file.byteCount + reader.externalFiles.byteCount
    },
    write: { try ONNXWriter($0).write(to: $1) })
}

extension ONNXField.Model {
  /// Whether a file that begins with the given bytes can be ONNX, which has no mark of its own: whether they are a field
  /// that writers put first.
  static func isStart(_ header: [UInt8]) -> Bool {
    header.withUnsafeBytes { bytes in
      var reader = ProtobufReader(bytes, 0..<bytes.count)
      if let first = try? reader.next(), case .varint(let version) = first.value {
        return first.number == irVersion && (1...99).contains(version)
      }
      let tags = [producerName, graph, opsetImport].map { UInt8($0 << 3 | 2) }
      return header.first.map(tags.contains) ?? false
    }
  }
}
