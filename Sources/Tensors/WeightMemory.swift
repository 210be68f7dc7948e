import Glibc

/// Memory for the packed weights of one network, side by side and in large pages where the system has them, so that going
/// through all weights takes few address translations (measured: 2 to 6 % of a float network's time).
///
/// Memory is given back when the last matrix in it is gone. Not for several threads at once.
package final class WeightMemory {
  private var chunk: MemoryChunk?

  package init() {}

  /// Uninitialized bytes at a multiple of 64, and what keeps them alive.
  func allocate(_ byteCount: Int) -> (bytes: UnsafeMutableRawPointer, owner: AnyObject)? {
    if let bytes = chunk?.take(byteCount), let chunk { return (bytes, chunk) }
    chunk = MemoryChunk(atLeast: byteCount)
    guard let chunk, let bytes = chunk.take(byteCount) else { return nil }
    return (bytes, chunk)
  }
}

/// A stretch of address space of which memory is used from the start on.
private final class MemoryChunk {
  private let mapping: UnsafeMutableRawPointer
  private let mappedCount: Int
  private let start: UnsafeMutableRawPointer
  private let capacity: Int
  private var used = 0

  private static let largePage = 1 << 21
  /// What is never touched takes no memory.
  private static let reserved = 1 << 26

  /// Nil where the system does not give so much address space.
  init?(atLeast byteCount: Int) {
    capacity = max(byteCount + 64, Self.reserved)
    mappedCount = capacity + Self.largePage
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    guard let mapping = mmap(nil, mappedCount, PROT_READ | PROT_WRITE, flags, -1, 0),
      mapping != MAP_FAILED
    else { return nil }
    self.mapping = mapping
    let mask = UInt(Self.largePage - 1)
    let address = (UInt(bitPattern: mapping) + mask) & ~mask
    start = mapping + Int(address - UInt(bitPattern: mapping))
    // Small networks stay in small pages: a large one is taken as a whole.
    madvise(start + Self.largePage, capacity - Self.largePage, MADV_HUGEPAGE)
  }

  deinit { munmap(mapping, mappedCount) }

  func take(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    guard byteCount <= capacity - used else { return nil }
    defer { used += (byteCount + 63) & ~63 }
    return start + used
  }
}

/// Memory for the elements of a packed matrix, aligned to a cache line as the kernels want it.
final class PackedMemory<Element: BitwiseCopyable> {
  let start: UnsafeMutablePointer<Element>
  /// What the memory belongs to; nil where it is its own.
  private let owner: AnyObject?

  init(_ count: Int, in memory: WeightMemory?) {
    let byteCount = max(count, 1) * MemoryLayout<Element>.stride
    let shared = memory?.allocate(byteCount)
    owner = shared?.owner
    let bytes = shared?.bytes ?? .allocate(byteCount: byteCount, alignment: 64)
    start = bytes.bindMemory(to: Element.self, capacity: max(count, 1))
  }

  deinit { if owner == nil { start.deallocate() } }
}
