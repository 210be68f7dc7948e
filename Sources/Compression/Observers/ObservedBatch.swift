import NumberFormats
import Tensors

/// Numbers that observers look at, all finite, with what one pass over them tells.
struct ObservedBatch {
  /// What is known of a chunk, and by joining chunks of the whole.
  struct Summary {
    var min = Float.infinity
    var max = -Float.infinity
    var moments = Moments()
  }

  /// How many numbers are summed up at once. It does not depend on the number of threads, so neither do the sums.
  static let chunk = 64 << 10

  /// The numbers, as float32.
  let values: Tensor
  let summary: Summary

  /// Looks once at a floating-point tensor. Throws ``NumberFormatError`` at the first number, in row-major order, that is not
  /// finite, and for other element types.
  init(_ tensor: Tensor) throws {
    values = try tensor.asFloat32()
    summary = try ObservedBatch.summary(of: values)
  }

  private static func summary(of values: Tensor) throws -> Summary {
    let count = values.count
    var parts = [Summary](repeating: Summary(), count: (count + chunk - 1) / chunk)
    var wrong = [Int](repeating: .max, count: parts.count)
    values.withElements(of: Float.self) { values in
      parts.withUnsafeMutableBufferPointer { parts in
        wrong.withUnsafeMutableBufferPointer { wrong in
          nonisolated(unsafe) let (values, parts, wrong) = (values, parts, wrong)
          parallelFor(parts.count) { index in
            let start = index * chunk
            let x = values.baseAddress! + start
            let size = Swift.min(chunk, count - start)
            let found = Kernels.range(x, count: size)
            if let first = found.firstNonFinite { wrong[index] = start + first }
            parts[index] = Summary(
              min: found.min, max: found.max, moments: Moments(of: x, count: size))
          }
        }
      }
    }
    if let offset = wrong.min(), offset < .max {
      let value = values.withElements(of: Float.self) { $0[offset] }
      throw NumberFormatError.notFinite(value, at: offset, in: values.shape)
    }
    return parts.reduce(into: Summary()) { whole, part in
      whole.min = Swift.min(whole.min, part.min)
      whole.max = Swift.max(whole.max, part.max)
      whole.moments.merge(part.moments)
    }
  }
}
