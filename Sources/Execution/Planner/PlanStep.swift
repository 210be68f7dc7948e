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
  /// The bytes of weights, tables and other constants that it holds; each run reads them, but for ``unread``.
  let weightByteCount: Int
  /// The bytes of values and weights that a run leaves alone, since it only looks some elements up.
  let unread: (values: Int, weights: Int)
  /// The slot of which it writes some channels only, among as many as that; nil where it writes whole slots.
  let part: (slot: Slot, channels: Int, all: Int)?
  /// Whether the operator's reference function computes it, since no kernel does.
  let isReference: Bool
  /// Gives the function that runs the step on the given memory.
  let bind: (Arena) -> () throws -> Void

  init(
    _ label: String, kind: String, reads: [Slot], writes: [Slot], multiplications: Int = 0,
    weightByteCount: Int = 0, unread: (values: Int, weights: Int) = (0, 0),
    part: (slot: Slot, channels: Int, all: Int)? = nil, isReference: Bool = false,
    bind: @escaping (Arena) -> () throws -> Void
  ) {
    self.label = label
    self.kind = kind
    self.reads = reads
    self.writes = writes
    self.multiplications = multiplications
    self.weightByteCount = weightByteCount
    self.unread = unread
    self.part = part
    self.isReference = isReference
    self.bind = bind
  }
}
