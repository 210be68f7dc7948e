import Foundation

/// Files that take their places together, when all of them are whole, or not at all.
///
/// Each is written into a hidden folder beside its target, `.<name>.<process>.group`, and moved by ``commit()``. The folders
/// are removed when the value goes away, and by ``PartialFiles``.
public final class OutputGroup {
  /// The hidden folders by target.
  private var folders: [(target: String, folder: String)] = []

  /// Checks that each of the targets can be written, before the work that makes them; leaves nothing behind.
  ///
  /// Throws ``FileError`` where a folder is missing or can't be written to, or a target is a folder or device.
  public init(_ targets: [String]) throws {
    for target in targets { try OutputFile.check(path: target) }
  }

  deinit { for (_, folder) in folders { PartialFiles.shared.discard(folder) } }

  /// Calls `body` with the path to which what belongs at `target` is to be written: the same name in another folder, where other
  /// files may go beside it.
  ///
  /// Throws what `body` throws, a ``FileError`` about the file with the target's path. Returns what `body` returns.
  public func write<Result>(_ target: String, _ body: (String) throws -> Result) throws -> Result {
    let path = try folder(for: target) + "/" + URL(fileURLWithPath: target).lastPathComponent
    do {
      return try body(path)
    } catch let error as FileError where error.path.last == path {
      throw FileError(error.code, error.message, path: [target])
    }
  }

  /// Moves all files into their places, over what was there; those beside a target first.
  public func commit() throws {
    for (target, _) in folders { try OutputFile.check(path: target) }
    for (target, folder) in folders {
      let url = URL(fileURLWithPath: target)
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      let place = url.deletingLastPathComponent().path
      for name in names.filter({ $0 != url.lastPathComponent }).sorted() + [url.lastPathComponent] {
        guard rename(folder + "/" + name, place + "/" + name) == 0 else {
          throw FileError(writing: place + "/" + name, errno)
        }
      }
      PartialFiles.shared.discard(folder)
    }
    folders = []
  }

  private func folder(for target: String) throws -> String {
    if let known = folders.first(where: { $0.target == target }) { return known.folder }
    let url = URL(fileURLWithPath: target)
    let folder =
      url.deletingLastPathComponent().path
      + "/.\(url.lastPathComponent).\(ProcessInfo.processInfo.processIdentifier).group"
    PartialFiles.shared.add(folder)
    guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
      let reason = errno
      PartialFiles.shared.remove(folder)
      throw FileError(writing: target, reason)
    }
    folders.append((target, folder))
    return folder
  }
}
