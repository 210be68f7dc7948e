import Foundation

/// A file that appears whole or not at all: written beside its target, moved over it by ``commit()``.
///
/// Where it is not committed, the part written so far is removed when the value goes away. A process that is killed leaves
/// at most a file named `.<name>.<process>.partial` beside the target, and the target as it was.
public final class OutputFile {
  /// The file that will be there after ``commit()``.
  public let path: String
  /// The number of bytes written so far.
  public private(set) var byteCount = 0
  private let partialPath: String
  private var descriptor: Int32
  private var buffer: [UInt8] = []

  private static let bufferSize = 1 << 20

  /// Opens the file to be written. Throws ``FileError`` where the folder is missing or can't be written to.
  public init(path: String) throws {
    self.path = path
    let url = URL(fileURLWithPath: path)
    partialPath =
      url.deletingLastPathComponent().path
      + "/.\(url.lastPathComponent).\(ProcessInfo.processInfo.processIdentifier).partial"
    // Renaming over a device would put a file into its place.
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      let what = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "not a regular file"
      throw FileError(.unwritable, "is \(what); name a file to write", path: [path])
    }
    // In the list before it is there, so that no interrupt can leave it behind.
    PartialFiles.shared.add(partialPath)
    descriptor = open(partialPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      let reason = errno
      PartialFiles.shared.remove(partialPath)
      let folder = url.deletingLastPathComponent().relativePath
      if reason == ENOENT, !FileManager.default.fileExists(atPath: folder) {
        throw FileError(
          .unwritable, "can't be written: the folder '\(folder)' does not exist; create it",
          path: [path])
      }
      throw FileError(writing: path, reason)
    }
  }

  /// Checks that a file can be written there, before the work that makes it; leaves nothing behind.
  ///
  /// Throws ``FileError`` as ``init(path:)`` does.
  public static func check(path: String) throws { _ = try OutputFile(path: path) }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(partialPath)
    PartialFiles.shared.remove(partialPath)
  }

  /// Appends bytes. Throws ``FileError`` where the disk is full or fails.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    if buffer.count + bytes.count > Self.bufferSize { try flush() }
    if bytes.count > Self.bufferSize {
      try writeThrough(bytes)
    } else {
      buffer.append(contentsOf: bytes)
    }
    byteCount += bytes.count
  }

  /// Appends bytes; see ``write(_:)-(UnsafeRawBufferPointer)``.
  public func write(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try write($0) }
  }

  /// Appends text as UTF-8; see ``write(_:)-(UnsafeRawBufferPointer)``.
  public func write(_ text: String) throws { try write(Array(text.utf8)) }

  /// Puts the file into its place, over what was there.
  public func commit() throws {
    try flush()
    guard fsync(descriptor) == 0 || errno == EINVAL, close(descriptor) == 0 else {
      throw FileError(writing: path, errno)
    }
    descriptor = -1
    defer { PartialFiles.shared.remove(partialPath) }
    guard rename(partialPath, path) == 0 else {
      let reason = errno
      unlink(partialPath)
      throw FileError(writing: path, reason)
    }
  }

  private func flush() throws {
    try buffer.withUnsafeBytes { try writeThrough($0) }
    buffer.removeAll(keepingCapacity: true)
  }

  private func writeThrough(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      guard written > 0 || errno == EINTR else { throw FileError(writing: path, errno) }
      rest = rest.dropFirst(max(written, 0))
    }
  }
}

/// Writes a whole file at once, in the way of ``OutputFile``.
public func writeFile(_ text: String, to path: String) throws {
  let file = try OutputFile(path: path)
  try file.write(text)
  try file.commit()
}
