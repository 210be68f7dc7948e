import Tensors

/// A place in a plan's memory; where it lies is decided when all steps are known.
struct Slot: Hashable {
  let index: Int
}

/// The memory of one plan: one allocation that all values between steps share.
struct Arena {
  let base: UnsafeMutableRawPointer
  /// Where each slot begins, in bytes.
  let offsets: [Int]
  /// What keeps the memory alive.
  let owner: Tensor

  /// The first byte of a slot.
  func bytes(_ slot: Slot) -> UnsafeMutableRawPointer { base + offsets[slot.index] }

  /// The first element of a slot.
  func pointer<Element>(
    _ slot: Slot, as type: Element.Type = Element.self
  ) -> UnsafeMutablePointer<Element> {
    bytes(slot).assumingMemoryBound(to: Element.self)
  }
}

/// One thing that a plan does: what it reads and writes, and how, once its memory is known.
struct PlanStep {
  /// The nodes that the step computes, for people.
  let label: String
  /// What kind of work it is, as in `int8 convolution`.
  let kind: String
  let reads: [Slot]
  /// What the step leaves behind for others, and memory it needs while it runs.
  let writes: [Slot]
  /// The multiply-accumulate operations it makes.
  let multiplications: Int
  /// The bytes of weights, tables and other constants that each run reads.
  let weightByteCount: Int
  /// Whether the operator's reference function computes it, since no kernel does.
  let isReference: Bool
  /// Gives the function that runs the step on the given memory.
  let bind: (Arena) -> () throws -> Void

  init(
    _ label: String, kind: String, reads: [Slot], writes: [Slot], multiplications: Int = 0,
    weightByteCount: Int = 0, isReference: Bool = false,
    bind: @escaping (Arena) -> () throws -> Void
  ) {
    self.label = label
    self.kind = kind
    self.reads = reads
    self.writes = writes
    self.multiplications = multiplications
    self.weightByteCount = weightByteCount
    self.isReference = isReference
    self.bind = bind
  }
}

/// Calls `body` with parts of `0..<count`, on all threads where that pays: always the same part of a value on the same thread,
/// which so finds in its core's cache what it wrote there before.
///
/// - Parameter grain: below so many elements the caller does all.
func parallelChunks(_ count: Int, grain: Int = 1 << 12, _ body: (Range<Int>) -> Void) {
  let threads = Threads.count
  guard count > grain, threads > 1 else { return body(0..<count) }
  let tasks = min(4, max(1, count / (threads * grain)))
  let parts = min(threads * tasks, count)
  // Whole vectors and cache lines, where there are enough elements.
  let unit = count >= 256 * parts ? 64 : 1
  let units = (count + unit - 1) / unit
  parallelFor(parts) { part in
    let start = units * part / parts * unit
    body(start..<min(units * (part + 1) / parts * unit, count))
  }
}
