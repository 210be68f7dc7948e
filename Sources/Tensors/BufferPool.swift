import Glibc
import Synchronization

/// Memory that tensors gave back, kept for the next tensor of the same size.
///
/// A network run again and again asks for the same sizes each time: without a pool each run would pay for fresh pages. At
/// most ``capacity`` bytes are kept.
package final class BufferPool: Sendable {
  private struct State: ~Copyable {
    var free: [Int: [UInt]] = [:]
    var keptBytes = 0
  }

  /// The most bytes that are kept for later.
  package let capacity: Int
  private let state = Mutex(State())

  /// An empty pool that keeps at most `capacity` bytes.
  package init(capacity: Int = 1 << 30) { self.capacity = capacity }

  deinit {
    state.withLock { state in
      for block in state.free.values.joined() {
        Glibc.free(UnsafeMutableRawPointer(bitPattern: block))
      }
    }
  }

  /// The bytes that lie ready for later.
  package var keptByteCount: Int { state.withLock { $0.keptBytes } }

  func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let kept = state.withLock { state -> UInt? in
      guard let block = state.free[byteCount]?.popLast() else { return nil }
      state.keptBytes -= byteCount
      return block
    }
    return kept.flatMap { UnsafeMutableRawPointer(bitPattern: $0) }
      ?? TensorStorage.allocate(byteCount)
  }

  func give(_ bytes: UnsafeMutableRawPointer, _ byteCount: Int) {
    let block = UInt(bitPattern: bytes)
    let isKept = state.withLock { state in
      guard state.keptBytes + byteCount <= capacity else { return false }
      state.free[byteCount, default: []].append(block)
      state.keptBytes += byteCount
      return true
    }
    if !isKept { free(bytes) }
  }
}
