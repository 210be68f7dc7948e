import Foundation
import Synchronization

/// The half-written files of this process, so that an interrupt can remove them.
public final class PartialFiles: Sendable {
  /// The one list of this process.
  public static let shared = PartialFiles()

  private let paths = Mutex<Set<String>>([])

  func add(_ path: String) { paths.withLock { _ = $0.insert(path) } }

  func remove(_ path: String) { paths.withLock { _ = $0.remove(path) } }

  /// Removes a file, or a folder with what is in it, and forgets it.
  func discard(_ path: String) {
    paths.withLock { paths in
      Self.delete(path)
      paths.remove(path)
    }
  }

  /// Removes every half-written file and runs `body`, which ends the process: meanwhile no other file can be begun.
  public func removeAll(then body: () -> Void) {
    paths.withLock { paths in
      for path in paths { Self.delete(path) }
      body()
    }
  }

  private static func delete(_ path: String) {
    if unlink(path) != 0, errno == EISDIR || errno == EPERM {
      try? FileManager.default.removeItem(atPath: path)
    }
  }
}
