import Foundation
import Tensors

/// The files beside a model that hold its constants' bytes, mapped when first asked for.
///
/// ```
/// location   path relative to the model's folder, which it may not leave
/// offset     decimal bytes, default 0
/// length     decimal bytes, default what the tensor takes; must be exactly that
/// checksum   not looked at
/// ```
final class ONNXExternalFiles {
  private let folder: String
  /// By the bytes of the location: texts that look the same can name different files.
  private var files: [[UInt8]: MappedFile] = [:]

  /// The files beside the model at `path`.
  init(besides path: String) {
    folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
  }

  /// The bytes of all that were asked for.
  var byteCount: Int {
    Dictionary(files.values.map { ($0.path, $0.byteCount) }, uniquingKeysWith: { $1 }).values
      .reduce(0, +)
  }

  /// The tensor that the entries of `external_data` describe. Throws ``ModelFileError`` and ``FileError``.
  func tensor(
    _ shape: Shape, _ type: ElementType, _ entries: [String: String]
  ) throws -> Tensor {
    guard let location = entries["location"], !location.isEmpty else {
      throw ModelFileError(
        .externalData, "lies in another file that is not named (external_data has no location)")
    }
    let needed = type.byteCount(of: shape.count)
    let offset = try number("offset", entries) ?? 0
    if let length = try number("length", entries), length != needed {
      throw ModelFileError(
        .invalidTensor,
        "takes \(length) bytes of '\(location)'; \(type)\(shape) needs \(needed): "
          + "the file is damaged, export it again")
    }
    let file = try file(location)
    guard offset <= file.byteCount, needed <= file.byteCount - offset else {
      throw ModelFileError(
        .externalData,
        "takes \(needed) bytes from byte \(offset) of '\(location)', which has \(file.byteCount); "
          + "copy that file again")
    }
    return Tensor(shape, type, in: file, byteOffset: offset)
  }

  private func number(_ key: String, _ entries: [String: String]) throws -> Int? {
    guard let text = entries[key] else { return nil }
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let value = Int(text)
    else {
      throw ModelFileError(
        .externalData, "has the \(key) '\(text)' in external_data; must be a decimal number")
    }
    return value
  }

  private func file(_ location: String) throws -> MappedFile {
    if let file = files[Array(location.utf8)] { return file }
    let components = location.utf8.split(separator: UInt8(ascii: "/"))
    guard location.utf8.first != UInt8(ascii: "/"), !location.utf8.contains(0),
      !components.contains(where: { $0.elementsEqual("..".utf8) })
    else { throw outside(location) }
    guard let path = resolved(folder + "/" + location) else {
      throw ModelFileError(
        .externalData,
        "lies in '\(location)', which is not in the model's folder; put that file beside the model")
    }
    guard let home = resolved(folder),
      path.utf8.starts(with: (home == "/" ? home : home + "/").utf8)
    else { throw outside(location) }
    let file = try MappedFile(path: path)
    files[Array(location.utf8)] = file
    return file
  }

  private func outside(_ location: String) -> ModelFileError {
    ModelFileError(
      .externalData,
      "lies in '\(location)', outside the model's folder, which is not opened; put the file beside "
        + "the model and name it without '..', '/' in front or a link that leads out")
  }

  private func resolved(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
