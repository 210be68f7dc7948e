import Foundation
import Tensors

/// Lays constants out in the file beside a model, and writes it.
final class ONNXExternalWriter {
  /// The file's name, as the model names it.
  let location: String
  /// Only constants of at least so many bytes lie here.
  let minimum: Int
  private var tensors: [(tensor: Tensor, offset: Int)] = []
  private var byteCount = 0

  /// A page, so that readers can map each constant.
  static let alignment = 4096

  init(location: String, minimum: Int) {
    self.location = location
    self.minimum = minimum
  }

  /// The offset that a tensor is given.
  func place(_ tensor: Tensor) -> Int {
    let offset = (byteCount + Self.alignment - 1) / Self.alignment * Self.alignment
    tensors.append((tensor, offset))
    byteCount = offset + tensor.byteCount
    return offset
  }

  /// The written file, not yet committed. Throws ``FileError``.
  func written(beside path: String) throws -> OutputFile {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let file = try OutputFile(path: folder + "/" + location)
    for (tensor, offset) in tensors {
      try file.write([UInt8](repeating: 0, count: offset - file.byteCount))
      try file.write(tensor)
    }
    return file
  }
}
