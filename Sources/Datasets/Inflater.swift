import CZlib
import Foundation
import Tensors

/// Bytes packed by DEFLATE (RFC 1951), unpacked piece by piece into memory that the caller provides.
///
/// What the packed bytes say about their own size is never believed: memory is the caller's.
final class Inflater {
  /// What stands around the packed bytes.
  enum Wrapping: Int32 {
    /// Nothing, as in zip archives.
    case none = -15
    /// A gzip header and checksum (RFC 1952), as in `.gz` files.
    case gzip = 31
  }

  /// The most bytes that one packed byte can stand for (zlib's documentation: 1032 : 1).
  static let greatestRatio = 1032

  private var stream = z_stream()
  private var rest: UnsafeRawBufferPointer
  private var isAtEnd = false

  /// Unpacks `packed`, which must stay valid while the value is in use.
  init(_ packed: UnsafeRawBufferPointer, wrapping: Wrapping) {
    rest = packed
    let status = inflateInit2_(
      &stream, wrapping.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib can't start: out of memory")
  }

  deinit { inflateEnd(&stream) }

  /// Fills as much of `target` as there are bytes left, and returns how much that is.
  ///
  /// Throws ``DatasetError`` where the packed bytes are damaged or end too early.
  func read(into target: UnsafeMutableRawBufferPointer) throws -> Int {
    var filled = 0
    while filled < target.count, !isAtEnd {
      // zlib counts in 32 bits.
      let room = min(target.count - filled, 1 << 30)
      let offered = min(rest.count, 1 << 30)
      stream.next_out = target.baseAddress.map { ($0 + filled).assumingMemoryBound(to: UInt8.self) }
      stream.avail_out = UInt32(room)
      stream.next_in = rest.baseAddress.map {
        UnsafeMutablePointer(mutating: $0.assumingMemoryBound(to: UInt8.self))
      }
      stream.avail_in = UInt32(offered)
      let status = inflate(&stream, Z_NO_FLUSH)
      let taken = offered - Int(stream.avail_in)
      let made = room - Int(stream.avail_out)
      rest = rest.part(taken..<rest.count)
      filled += made
      switch status {
      case Z_STREAM_END: isAtEnd = true
      case Z_OK where taken + made > 0: break
      default:
        let isCut = rest.isEmpty && (status == Z_BUF_ERROR || status == Z_OK)
        throw DatasetError(
          .invalidFile,
          isCut
            ? "the packed data ends too early; the file is cut short: fetch or make it again"
            : "the packed data is damaged; fetch or make the file again")
      }
    }
    return filled
  }

  /// Fills `target` wholly. Throws ``DatasetError`` where there are not as many bytes.
  func readAll(into target: UnsafeMutableRawBufferPointer) throws {
    let count = try read(into: target)
    guard count == target.count else {
      throw DatasetError(
        .invalidFile,
        "unpacks to fewer bytes than it says; the file is damaged: fetch or make it again")
    }
  }

  /// Whether the packed bytes have nothing more to give. Throws ``DatasetError`` where they are damaged.
  func isExhausted() throws -> Bool {
    var byte: UInt8 = 0
    return try withUnsafeMutableBytes(of: &byte) { try read(into: $0) } == 0
  }
}

/// The most bytes that packed data may unpack to: networks must fit beside them.
let greatestUnpackedByteCount = Int(clamping: ProcessInfo.processInfo.physicalMemory) / 2

/// Refuses packed data that would take too much memory, before it is taken. Throws ``DatasetError``.
func checkUnpacked(byteCount: Int, limit: Int = greatestUnpackedByteCount) throws {
  guard byteCount > limit else { return }
  throw DatasetError(
    .invalidFile,
    "unpacks to \(byteCount >> 20) MiB, of which this machine can hold \(limit >> 20); give fewer samples, "
      + "or an .npz that is not packed (numpy.savez), which is read from the file as needed")
}

/// The checksum that zip archives use (CRC-32 of ISO 3309), begun with `earlier`'s.
func checksum(_ bytes: UnsafeRawBufferPointer, after earlier: UInt32 = 0) -> UInt32 {
  var sum = UInt(earlier)
  var start = 0
  while start < bytes.count {
    let count = min(bytes.count - start, 1 << 30)
    let piece = bytes.part(start..<start + count)
    sum = crc32(sum, piece.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(count))
    start += count
  }
  return UInt32(truncatingIfNeeded: sum)
}
