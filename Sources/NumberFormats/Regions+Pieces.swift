import Tensors

extension Regions {
  /// A contiguous part of a tensor that is handled at once.
  enum Piece {
    /// Elements of one region.
    case run(offset: Int, count: Int, region: Int)
    /// A whole row of a slab: column i has the parameters at `firstColumn + i`.
    case row(offset: Int, count: Int, firstColumn: Int)

    /// The offset of the first element.
    var offset: Int {
      switch self {
      case .run(let offset, _, _), .row(let offset, _, _): offset
      }
    }

    /// The number of elements.
    var count: Int {
      switch self {
      case .run(_, let count, _), .row(_, let count, _): count
      }
    }
  }

  /// About how many elements one index of a parallel loop should have.
  private static let grain = 64 << 10

  /// Calls `body` with pieces that together are the tensor, on several threads; returns the least of the offsets that the
  /// calls returned, nil where none did.
  ///
  /// Runs have at most ``FloatSource/chunk`` elements.
  func forEachPiece(_ body: (Piece) -> Int?) -> Int? {
    guard count > 0 else { return nil }
    if let slabs { return Regions.forEachRow(of: slabs, body) }
    let first = self[0]
    if count == 1 {
      let chunks = (first.runLength + Regions.grain - 1) / Regions.grain
      return Regions.parallelLeast(first.runCount * chunks) { index in
        let start = index % chunks * Regions.grain
        return Regions.forEachChunk(
          first.start + index / chunks * first.runStride + start,
          min(Regions.grain, first.runLength - start), region: 0, body)
      }
    }
    let batch = max(Regions.grain / max(first.count, 1), 1)
    return Regions.parallelLeast((count + batch - 1) / batch) { index in
      var least: Int?
      for number in (index * batch)..<min((index + 1) * batch, count) {
        let region = self[number]
        for run in 0..<region.runCount {
          let found = Regions.forEachChunk(
            region.start + run * region.runStride, region.runLength, region: number, body)
          least = Regions.lesser(least, found)
        }
      }
      return least
    }
  }

  private static func forEachRow(of slabs: Slabs, _ body: (Piece) -> Int?) -> Int? {
    let stepCount = slabs.rows(0).underestimatedCount
    let batch = max(grain / max(slabs.width, 1), 1)
    let batches = (stepCount + batch - 1) / batch
    return parallelLeast(slabs.count * batches) { index in
      let slab = index / batches
      var least: Int?
      for offset in slabs.rows(slab).dropFirst(index % batches * batch).prefix(batch) {
        let found = body(
          .row(offset: offset, count: slabs.width, firstColumn: slab * slabs.width))
        least = lesser(least, found)
      }
      return least
    }
  }

  private static func forEachChunk(
    _ offset: Int, _ count: Int, region: Int, _ body: (Piece) -> Int?
  ) -> Int? {
    var least: Int?
    var done = 0
    while done < count {
      let size = min(FloatSource.chunk, count - done)
      least = lesser(least, body(.run(offset: offset + done, count: size, region: region)))
      done += size
    }
    return least
  }

  private static func lesser(_ one: Int?, _ other: Int?) -> Int? {
    guard let one, let other else { return one ?? other }
    return min(one, other)
  }

  /// Runs `body` for every index in parallel and returns the least result.
  static func parallelLeast(_ count: Int, _ body: (Int) -> Int?) -> Int? {
    var results = [Int](repeating: .max, count: count)
    results.withUnsafeMutableBufferPointer { results in
      nonisolated(unsafe) let results = results
      parallelFor(count) { results[$0] = body($0) ?? .max }
    }
    let least = results.min() ?? .max
    return least == .max ? nil : least
  }
}
