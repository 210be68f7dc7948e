import Foundation
import Synchronization

/// The half-written files of this process, so that an interrupt can remove them.
public final class PartialFiles: Sendable {
  /// The one list of this process.
  public static let shared = PartialFiles()

  private let paths = Mutex<Set<String>>([])

  func add(_ path: String) { paths.withLock { _ = $0.insert(path) } }

  func remove(_ path: String) { paths.withLock { _ = $0.remove(path) } }

  /// Removes every half-written file and runs `body`, which ends the process: meanwhile no other file can be begun.
  public func removeAll(then body: () -> Void) {
    paths.withLock { paths in
      for path in paths { unlink(path) }
      body()
    }
  }
}
