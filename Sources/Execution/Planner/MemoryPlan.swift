/// Where each slot lies in one shared allocation, such that no two that are needed at the same time overlap.
struct MemoryPlan {
  /// Where each slot begins, in bytes, aligned to ``alignment``.
  let offsets: [Int]
  /// The bytes of all.
  let byteCount: Int

  static let alignment = 64
  /// Readable bytes behind each slot, which kernels ask for.
  static let margin = 64

  /// Lays slots out, the largest first, each at the lowest place that is free as long as it is needed.
  ///
  /// `lastUses` are slots that are still needed when all steps are done. Complexity: O(slots²).
  init(sizes: [Int], steps: [PlanStep], inputs: [Slot], outputs: [Slot]) {
    var lifetimes = [ClosedRange<Int>?](repeating: nil, count: sizes.count)
    func use(_ slot: Slot, _ time: Int) {
      let earlier = lifetimes[slot.index]
      lifetimes[slot.index] =
        min(earlier?.lowerBound ?? time, time)...max(earlier?.upperBound ?? time, time)
    }
    for slot in inputs { use(slot, -1) }
    for (time, step) in steps.enumerated() {
      for slot in step.reads + step.writes { use(slot, time) }
    }
    for slot in outputs { use(slot, steps.count) }

    var offsets = [Int](repeating: 0, count: sizes.count)
    var placed: [(span: Range<Int>, lifetime: ClosedRange<Int>)] = []
    var end = 0
    let order = sizes.indices.sorted { (sizes[$0], $1) > (sizes[$1], $0) }
    for index in order {
      guard let lifetime = lifetimes[index] else { continue }
      let size = (sizes[index] + Self.margin + Self.alignment - 1) / Self.alignment * Self.alignment
      var offset = 0
      for other in placed where other.lifetime.overlaps(lifetime) {
        if other.span.lowerBound >= offset + size { break }
        offset = max(offset, other.span.upperBound)
      }
      offsets[index] = offset
      end = max(end, offset + size)
      let place = placed.firstIndex { $0.span.lowerBound > offset } ?? placed.count
      placed.insert((offset..<offset + size, lifetime), at: place)
    }
    self.offsets = offsets
    byteCount = end
  }
}
