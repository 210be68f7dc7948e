import Foundation

/// The most memory that `body` made resident at any time, in bytes beyond what was resident before it; nil where the system
/// does not tell.
///
/// Linux's mark of the greatest resident set is reset first, so that several networks can be measured one after the other in one
/// process. `body` should do all that belongs to the network, reading the file included. Mapped pages of files count.
public func measurePeakMemory(_ body: () throws -> Void) rethrows -> Int? {
  // Memory that was given back but is kept for later would otherwise be used without being counted.
  giveBackFreedMemory()
  guard resetPeak(), let before = residentBytes("VmRSS") else {
    try body()
    return nil
  }
  try body()
  return residentBytes("VmHWM").map { max($0 - before, 0) }
}

/// Calls glibc's `malloc_trim`, which Swift does not import; where there is none, nothing.
private func giveBackFreedMemory() {
  guard let symbol = dlsym(nil, "malloc_trim") else { return }
  typealias Trim = @convention(c) (Int) -> Int32
  _ = unsafeBitCast(symbol, to: Trim.self)(0)
}

private func resetPeak() -> Bool {
  guard let file = fopen("/proc/self/clear_refs", "w") else { return false }
  let isWritten = fputs("5", file) >= 0
  return fclose(file) == 0 && isWritten
}

private func residentBytes(_ key: String) -> Int? {
  guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else {
    return nil
  }
  let line = text.split(separator: "\n").first { $0.hasPrefix(key + ":") }
  return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
    .map { $0 * 1024 }
}
