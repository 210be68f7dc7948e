import NumberFormats
import Tensors

/// What one pass over numbers tells, all of them finite.
struct ObservedBatch {
  var min = Float.infinity
  var max = -Float.infinity
  /// Of no numbers where they were not asked for.
  var moments = Moments()

  /// How many numbers are summed up at once. It does not depend on the number of threads, so neither do the sums.
  static let chunk = 64 << 10

  /// Looks once at numbers; nil where one is not finite.
  init?(of values: UnsafeBufferPointer<Float>, needsMoments: Bool) {
    let count = values.count
    let parts = (count + Self.chunk - 1) / Self.chunk
    var found = [(batch: ObservedBatch, isFinite: Bool)](repeating: (.init(), true), count: parts)
    found.withUnsafeMutableBufferPointer { found in
      nonisolated(unsafe) let (values, found) = (values, found)
      parallelFor(parts) { index in
        let x = values.baseAddress! + index * Self.chunk
        let size = Swift.min(Self.chunk, count - index * Self.chunk)
        let range = Kernels.range(x, count: size)
        found[index].batch.min = range.min
        found[index].batch.max = range.max
        found[index].isFinite = range.firstNonFinite == nil
        if needsMoments { found[index].batch.moments = Moments(of: x, count: size) }
      }
    }
    guard found.allSatisfy(\.isFinite) else { return nil }
    for part in found {
      min = Swift.min(min, part.batch.min)
      max = Swift.max(max, part.batch.max)
      moments.merge(part.batch.moments)
    }
  }

  private init() {}
}
