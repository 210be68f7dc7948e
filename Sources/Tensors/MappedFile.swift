import Glibc

/// A file's bytes, mapped for reading: opening costs no memory, bytes come in when they are touched.
public final class MappedFile: @unchecked Sendable {
  /// The path that the file was opened by.
  public let path: String
  /// The number of bytes at the time of opening.
  public let byteCount: Int
  let start: UnsafeRawPointer

  /// Maps the whole of a regular file. Throws ``FileError`` where it can't be opened, is a folder, or can't be mapped.
  public init(path: String) throws {
    // Opening a pipe that nobody writes to would wait forever.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw FileError(reading: path, errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError(reading: path, errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw FileError(.unreadable, "is not a regular file; give a file", path: [path])
    }
    self.path = path
    byteCount = Int(status.st_size)
    if byteCount == 0 {
      start = MappedFile.emptyBytes
    } else {
      guard let mapped = mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0),
        mapped != MAP_FAILED
      else { throw FileError(reading: path, errno) }
      start = UnsafeRawPointer(mapped)
    }
  }

  deinit {
    if byteCount > 0 { munmap(UnsafeMutableRawPointer(mutating: start), byteCount) }
  }

  /// All bytes; valid while the file is alive.
  public var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: start, count: byteCount)
  }

  /// Tells the system that the bytes in `range` won't be needed soon, so that they stop counting as resident memory.
  ///
  /// They are read anew from the file when touched again.
  public func release(_ range: Range<Int>) {
    let page = 4096
    let first = (range.lowerBound + page - 1) / page * page
    let end = range.upperBound / page * page
    guard first < end else { return }
    madvise(UnsafeMutableRawPointer(mutating: start + first), end - first, MADV_DONTNEED)
  }

  private nonisolated(unsafe) static let emptyBytes = UnsafeRawPointer(
    UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64))
}
