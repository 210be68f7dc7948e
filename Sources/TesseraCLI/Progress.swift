import Foundation

/// How far a long step is: a line that is overwritten on a terminal, nothing in a pipe.
final class Progress {
  private let title: String
  private let isShown: Bool
  private let start = ContinuousClock.now
  private var lastShown: ContinuousClock.Instant?

  init(_ title: String, isQuiet: Bool) {
    self.title = title
    isShown = !isQuiet && Terminal.isInteractive
  }

  /// Shows that `done` of `count` are done, with the rate and the time that is left.
  func update(_ done: Int, _ count: Int) {
    guard isShown, done > 0 else { return }
    let now = ContinuousClock.now
    if let lastShown, now - lastShown < .milliseconds(100), done < count { return }
    lastShown = now
    let elapsed =
      Double((now - start).components.seconds) + 1e-18
      * Double((now - start).components.attoseconds)
    let rate = Double(done) / max(elapsed, 1e-9)
    let left = Double(count - done) / max(rate, 1e-9)
    let text = String(
      format: "\r\u{1B}[K%@ %d/%d  %.1f/s  %.0f s left", title, done, count, rate, left)
    FileHandle.standardError.write(Data(text.utf8))
  }

  /// Removes the line.
  func finish() {
    guard isShown, lastShown != nil else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
  }
}
