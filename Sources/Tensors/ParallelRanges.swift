import CKernels

/// A loop over the elements of a value, in ranges that are shared out over the threads where that pays.
///
/// The same thread always gets the same part, and so finds in its core's cache what it wrote there in an earlier loop.
/// Running allocates nothing.
package struct ParallelRanges {
  private let count: Int
  private let grain: Int
  private let body: (Range<Int>) -> Void

  /// A thread's part falls into so many ranges at most, of which others may take what is left.
  private static let rangesPerThread = 4

  /// A loop that calls `body` with ranges that make up `0..<count`; it must be safe to run on several threads.
  ///
  /// - Parameter grain: up to so many elements the caller does all.
  package init(_ count: Int, grain: Int = 1 << 12, _ body: @escaping (Range<Int>) -> Void) {
    precondition(count >= 0 && grain > 0, "\(count) elements by \(grain)")
    self.count = count
    self.grain = grain
    self.body = body
  }

  /// Runs the loop; returns when all of it is done.
  package func run() {
    let threads = Threads.count
    guard count > grain, threads > 1 else { return body(0..<count) }
    let tasks = min(Self.rangesPerThread, max(1, count / (threads * grain)))
    let parts = min(threads * tasks, count)
    // Whole vectors and cache lines, where there are enough elements.
    let unit = count >= 256 * parts ? 64 : 1
    var split = Split(
      units: (count + unit - 1) / unit, unit: unit, parts: parts, count: count, body: body)
    withUnsafeMutablePointer(to: &split) { split in
      tk_parallel_for(
        parts,
        { context, part in
          context!.assumingMemoryBound(to: Split.self).pointee.run(part)
        }, split)
    }
  }
}

private struct Split {
  let units, unit, parts, count: Int
  let body: (Range<Int>) -> Void

  func run(_ part: Int) {
    let start = units * part / parts * unit
    body(start..<min(units * (part + 1) / parts * unit, count))
  }
}
