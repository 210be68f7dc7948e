import Foundation
import Synchronization

/// The half-written files of this process, so that an interrupt can remove them.
public final class PartialFiles: Sendable {
  /// The one list of this process.
  public static let shared = PartialFiles()

  private let paths = Mutex<Set<String>>([])

  func add(_ path: String) { paths.withLock { _ = $0.insert(path) } }

  func remove(_ path: String) { paths.withLock { _ = $0.remove(path) } }

  /// Removes every half-written file; called before a process ends early.
  public func removeAll() {
    for path in paths.withLock({ $0 }) { unlink(path) }
  }
}
