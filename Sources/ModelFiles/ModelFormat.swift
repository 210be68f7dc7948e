public import Graphs
public import Tensors

/// A kind of file that models are read from and written to.
public struct ModelFormat: Sendable {
  /// The format's name, as it is spelled on the command line.
  public let name: String

  /// Whether a file of the given path, which begins with the given bytes (up to 64), is meant to be of the format.
  public let recognizes: @Sendable (_ path: String, _ header: [UInt8]) -> Bool

  /// The model that a file holds. Constants stay in the file, which is mapped.
  public let read: @Sendable (MappedFile) throws -> Model

  /// The bytes of a model's file and of all files beside it that it takes constants from.
  let byteCount: @Sendable (MappedFile) throws -> Int

  /// Writes a model to a path, where it appears whole or not at all.
  public let write: @Sendable (_ model: Model, _ path: String) throws -> Void
}

/// Every format that is known, in the order in which they are tried. The one place to register a format.
public let modelFormats: [ModelFormat] = [.onnx]

/// What to do with a model of another kind; empty where a file looks like no model.
private func advice(_ path: String, _ header: [UInt8]) -> String {
  let isZip = header.starts(with: [0x50, 0x4b, 3, 4])
  // Python's pickles begin with 0x80 and the protocol; newer PyTorch wraps them in a zip.
  let isPickle = header.count >= 2 && header[0] == 0x80 && (2...5).contains(header[1])
  let suffixes = [".pt", ".pth", ".ckpt", ".pkl", ".bin"]
  guard isPickle || isZip && suffixes.contains(where: path.hasSuffix) else { return "" }
  return ", as PyTorch's do; export the network to ONNX first"
}

extension ModelFormat {
  /// The format of a file. Throws ``ModelFileError`` where it is of none that is known.
  fileprivate static func of(_ file: MappedFile, _ path: String) throws -> ModelFormat {
    let header = [UInt8](file.bytes.prefix(64))
    if let format = modelFormats.first(where: { $0.recognizes(path, header) }) { return format }
    let known = modelFormats.map(\.name).joined(separator: ", ")
    let start = header.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
      .joined(separator: " ")
    throw ModelFileError(
      .unknownFormat,
      file.byteCount == 0
        ? "is empty; give a model file (\(known))"
        : "is not a model file of a known format (\(known)): it begins with the bytes \(start)"
          + advice(path, header))
  }
}

extension Model {
  /// Reads a model from a file, whose format is recognised by its bytes and name.
  ///
  /// Constants are not read until they are touched: they are views of the mapped file, which must not be changed
  /// in place while the model is in use. The graph's names and order are checked; whether its operators are known is
  /// not, see ``verify()``. Throws ``FileError``, ``ModelFileError`` or ``GraphError``, whose path begins with the
  /// file's.
  public init(contentsOf path: String) throws {
    let file = try MappedFile(path: path)
    self = try located(path) { try ModelFormat.of(file, path).read(file) }
  }

  /// The bytes of a model's file and of all files beside it that it takes constants from. Throws as ``init(contentsOf:)`` does.
  public static func byteCount(ofFile path: String) throws -> Int {
    let file = try MappedFile(path: path)
    return try located(path) { try ModelFormat.of(file, path).byteCount(file) }
  }

  /// Writes the model to a file, which appears whole or not at all.
  ///
  /// The same model always gives the same bytes. Constants stream from where they are, so the file is never held in
  /// memory. Throws ``FileError`` or ``ModelFileError``, whose path begins with the file's.
  public func write(to path: String, as format: ModelFormat) throws {
    do {
      try format.write(self, path)
    } catch let error as ModelFileError {
      throw error.inside(path)
    }
  }
}
