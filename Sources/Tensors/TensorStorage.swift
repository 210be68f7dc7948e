import Glibc

/// A run of bytes that tensors share: memory of its own, or a part of a memory-mapped file.
///
/// Owned memory is aligned to 64 bytes and readable for 64 bytes past its end, which kernels rely on.
final class TensorStorage: @unchecked Sendable {
  /// The first byte. Writable only while owned and uniquely referenced.
  let bytes: UnsafeMutableRawPointer
  let byteCount: Int

  /// What keeps bytes alive that are not its own: a mapped file or another storage.
  private let owner: AnyObject?
  private let pool: BufferPool?

  /// The bytes past the end of owned memory that may be read, though never relied on.
  static let slack = 64

  /// Uninitialized memory, taken from `pool` where there is one.
  init(byteCount: Int, pool: BufferPool?) {
    self.byteCount = byteCount
    self.pool = pool
    owner = nil
    bytes = pool?.take(byteCount) ?? TensorStorage.allocate(byteCount)
  }

  /// All of a mapped file.
  init(mapping: MappedFile) {
    owner = mapping
    pool = nil
    bytes = UnsafeMutableRawPointer(mutating: mapping.start)
    byteCount = mapping.byteCount
  }

  /// A part of memory that belongs to another storage.
  init(borrowing bytes: UnsafeMutableRawPointer, byteCount: Int, owner: TensorStorage) {
    self.owner = owner
    pool = nil
    self.bytes = bytes
    self.byteCount = byteCount
  }

  deinit {
    guard owner == nil else { return }
    if let pool { pool.give(bytes, byteCount) } else { free(bytes) }
  }

  var isOwned: Bool { owner == nil }

  /// Lets go of the pages of a mapped file in `range`; see ``MappedFile/release(_:)``.
  func releaseMapped(_ range: Range<Int>) { (owner as? MappedFile)?.release(range) }

  static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let total = (byteCount + slack + 63) & ~63
    guard let bytes = aligned_alloc(64, total) else {
      preconditionFailure("out of memory: \(byteCount) bytes asked for")
    }
    // The slack takes part in vector arithmetic whose result is thrown away: let it be a number.
    memset(bytes + byteCount, 0, total - byteCount)
    return bytes
  }
}
