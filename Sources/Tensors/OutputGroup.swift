import Foundation

/// Files that take their places together, when all of them are whole, or not at all.
///
/// Each is written into a new hidden folder beside its target, `.<name>.<random number>.group`, which this process alone writes
/// to, and moved by ``commit()``. The folders are removed when the value goes away, and by ``PartialFiles``.
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
  ///
  /// Where one can't be moved, those moved before it are taken back: what they replaced returns to its place, which takes a file
  /// system with hard links; without them a replaced file stays replaced. A process that is killed meanwhile leaves some files
  /// new and some old, each of them whole. Throws ``FileError`` about the file that can't be moved.
  public func commit() throws {
    for (target, _) in folders { try OutputFile.check(path: target) }
    var moved: [Move] = []
    do {
      for (target, folder) in folders {
        for move in try moves(from: folder, to: target) {
          try move.run()
          moved.append(move)
        }
      }
    } catch {
      for move in moved.reversed() { move.takeBack() }
      throw error
    }
    for (_, folder) in folders { PartialFiles.shared.discard(folder) }
    folders = []
  }

  // MARK: - Inside

  /// A file on its way into its place.
  private struct Move {
    let source: String
    let place: String
    /// Where a link to what is replaced is kept.
    let previous: String
    let replaces: Bool

    init(source: String, place: String, previous: String) {
      (self.source, self.place, self.previous) = (source, place, previous)
      replaces = FileManager.default.fileExists(atPath: place)
    }

    func run() throws {
      if replaces { _ = link(place, previous) }
      guard rename(source, place) == 0 else { throw FileError(writing: place, errno) }
    }

    func takeBack() { _ = replaces ? rename(previous, place) : unlink(place) }
  }

  private func moves(from folder: String, to target: String) throws -> [Move] {
    let url = URL(fileURLWithPath: target)
    let place = url.deletingLastPathComponent().path
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    let beside = names.filter { $0 != url.lastPathComponent }.sorted()
    return (beside + [url.lastPathComponent]).map { name in
      Move(
        source: folder + "/" + name, place: place + "/" + name,
        previous: folder + "/." + name + ".previous")
    }
  }

  /// The folder for what belongs at a target, made where there is none: never one that was there already.
  private func folder(for target: String) throws -> String {
    if let known = folders.first(where: { $0.target == target }) { return known.folder }
    let url = URL(fileURLWithPath: target)
    while true {
      let number = String(UInt64.random(in: 0 ... .max), radix: 36)
      let folder =
        url.deletingLastPathComponent().path + "/.\(url.lastPathComponent).\(number).group"
      PartialFiles.shared.add(folder)
      if mkdir(folder, 0o700) == 0 {
        folders.append((target, folder))
        return folder
      }
      let reason = errno
      PartialFiles.shared.remove(folder)
      guard reason == EEXIST else { throw FileError(writing: target, reason) }
    }
  }
}
