import Foundation
import Tensors

/// The array in an IDX file, the format of MNIST, packed by gzip or not.
///
/// ```
/// 0   0, 0           magic
/// 2   type           0x08 UInt8 (other types are not read)
/// 3   n              the number of axes
/// 4   n × UInt32     their lengths, big-endian
///     data           row-major
/// ```
/// Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database".
struct IDXFile {
  /// The elements, all bytes.
  let array: Tensor

  /// Throws ``DatasetError`` where the file is damaged, ``FileError`` where it can't be read.
  init(contentsOf path: String) throws {
    let file = try MappedFile(path: path)
    array = try located(path) {
      guard file.bytes.starts(with: [0x1F, 0x8B]) else { return try Self.plain(file) }
      return try Self.packed(file)
    }
  }

  /// Whether a file's first bytes are those of an IDX file, packed or not.
  static func recognizes(_ path: String) -> Bool {
    guard let file = try? MappedFile(path: path), file.byteCount >= 4 else { return false }
    if file.bytes.starts(with: [0x1F, 0x8B]) {
      let inflater = Inflater(file.bytes, wrapping: .gzip)
      var start = [UInt8](repeating: 0xFF, count: 4)
      let isRead = start.withUnsafeMutableBytes { (try? inflater.readAll(into: $0)) != nil }
      return isRead && isMagic(start)
    }
    return isMagic(Array(file.bytes.prefix(4)))
  }

  private static func isMagic(_ bytes: [UInt8]) -> Bool {
    bytes[0] == 0 && bytes[1] == 0 && (0x08...0x0E).contains(bytes[2]) && (1...4).contains(bytes[3])
  }

  private static func plain(_ file: MappedFile) throws -> Tensor {
    let (shape, start) = try header { count in
      guard count <= file.byteCount else { throw cut() }
      return Array(file.bytes.prefix(count))
    }
    guard file.byteCount - start == shape.count else {
      throw DatasetError(
        .invalidFile,
        "holds \(file.byteCount - start) bytes of data, its shape \(shape) takes \(shape.count); "
          + "the file is \(file.byteCount - start < shape.count ? "cut short" : "damaged")")
    }
    return Tensor(shape, .uint8, in: file, byteOffset: start)
  }

  private static func packed(_ file: MappedFile) throws -> Tensor {
    let inflater = Inflater(file.bytes, wrapping: .gzip)
    var read: [UInt8] = []
    let (shape, _) = try header { count in
      var more = [UInt8](repeating: 0, count: count - read.count)
      try more.withUnsafeMutableBytes { try inflater.readAll(into: $0) }
      read += more
      return read
    }
    guard shape.count / Inflater.greatestRatio <= file.byteCount else {
      throw DatasetError(
        .invalidFile, "claims \(shape) elements, more than \(file.byteCount) bytes can unpack to")
    }
    try checkUnpacked(byteCount: shape.count)
    let array = try Tensor(shape, .uint8) { try inflater.readAll(into: $0) }
    guard try inflater.isExhausted() else {
      throw DatasetError(.invalidFile, "holds more data than its shape \(shape) takes")
    }
    return array
  }

  /// The shape, and where the data begins. `prefix` gives the file's first bytes.
  private static func header(_ prefix: (Int) throws -> [UInt8]) throws -> (Shape, Int) {
    let start = try prefix(4)
    guard isMagic(start) else {
      throw DatasetError(.invalidFile, "is not an IDX file")
    }
    guard start[2] == 0x08 else {
      throw DatasetError(
        .unsupported, "has elements of type \(start[2]); bytes (type 8) are read")
    }
    let count = 4 + 4 * Int(start[3])
    let bytes = try prefix(count)
    let lengths = bytes.withUnsafeBytes { bytes in
      stride(from: 4, to: count, by: 4).map { Int(bytes.bigEndian(UInt32.self, at: $0)) }
    }
    guard let shape = Shape(checking: lengths) else {
      throw DatasetError(.invalidFile, "has an impossible shape \(lengths)")
    }
    return (shape, count)
  }

  private static func cut() -> DatasetError {
    DatasetError(.invalidFile, "is cut short: its header does not end")
  }
}

// MARK: - Pictures and labels

extension IDXFile {
  /// The file of labels that lies beside a file of pictures: the same name with `labels` for `images` and `idx1` for `idx3`.
  static func labelsPath(besides path: String) -> String? {
    let url = URL(fileURLWithPath: path)
    let name = url.lastPathComponent
    guard name.contains("images") else { return nil }
    let base = name.replacingOccurrences(of: "images", with: "labels")
      .replacingOccurrences(of: "idx3", with: "idx1")
    let packed = base.hasSuffix(".gz") ? String(base.dropLast(3)) : base + ".gz"
    return [base, packed].map { url.deletingLastPathComponent().appendingPathComponent($0).path }
      .first { FileManager.default.fileExists(atPath: $0) }
  }

  /// The picture at `index` of an array of shape `[count, rows, columns]` or `[count, rows, columns, 3]`.
  static func picture(_ index: Int, of array: Tensor) -> Picture {
    let pixels = array.rows(index..<index + 1).withUnsafeBytes { Array($0) }
    return Picture(
      width: array.shape[2], height: array.shape[1], channels: array.shape.rank == 4 ? 3 : 1,
      pixels: pixels)
  }
}
