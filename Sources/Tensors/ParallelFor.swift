import CKernels
import Foundation

/// The threads that whole operations are shared out over.
public enum Threads {
  /// The most threads that there can be.
  public static let limit = 256

  /// How many threads a parallel region uses, the caller included; 1 to 256.
  ///
  /// Starts as the environment variable `TESSERA_THREADS`, or else as the number of processors this
  /// process may use. Setting waits for a running region to end. Results never depend on it.
  public static var count: Int {
    get { tk_threads() }
    set { tk_set_threads(max(newValue, 1)) }
  }

  /// What is wrong with `TESSERA_THREADS`, in one line; nil where it is met or not set.
  package static var environmentWarning: String? {
    guard let wanted = ProcessInfo.processInfo.environment["TESSERA_THREADS"], !wanted.isEmpty,
      !(Int(wanted).map { (1...limit).contains($0) } ?? false)
    else { return nil }
    return "TESSERA_THREADS is '\(wanted)'; must be 1 to \(limit); \(count) are used"
  }
}

/// Calls `body` for every index in `0..<count`, on several threads at once and in any order, and
/// returns when all calls have.
///
/// A region costs less than a microsecond and allocates nothing, so an index should be a few
/// microseconds of work. Inside of such a body, and while another thread runs a region, the calls
/// are made one after the other on the caller. `body` must be safe to run on several threads: it
/// may write only to what belongs to its index.
package func parallelFor(_ count: Int, _ body: (Int) -> Void) {
  precondition(count >= 0, "parallelFor over \(count) indices")
  withoutActuallyEscaping(body) { escaping in
    var function = escaping
    withUnsafeMutablePointer(to: &function) { pointer in
      tk_parallel_for(
        count,
        { context, index in
          context!.assumingMemoryBound(to: ((Int) -> Void).self).pointee(index)
        }, pointer)
    }
  }
}
