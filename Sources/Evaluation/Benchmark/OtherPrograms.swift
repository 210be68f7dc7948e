import Foundation

/// Watches how much of the machine other programs use while something is measured.
///
/// What all programs used of all processors, less what this process used. Linux only; time that a virtual machine's host gave to
/// others counts as theirs.
struct OtherPrograms {
  private let start: (total: Double, own: Double, time: ContinuousClock.Instant)?

  /// Less time than that says nothing: the system counts in hundredths of a second.
  private static let leastTime = Duration.milliseconds(200)

  /// Begins now.
  init() { start = Self.used.map { ($0.total, $0.own, ContinuousClock.now) } }

  /// The share of all processors that others used since the beginning, from 0 to 1; nil where the system does not tell or the time
  /// was too short.
  var share: Double? {
    guard let start, let now = Self.used else { return nil }
    let time = ContinuousClock.now - start.time
    guard time >= Self.leastTime else { return nil }
    let used = (now.total - start.total) - (now.own - start.own)
    let all = (time / .seconds(1)) * Double(ProcessInfo.processInfo.activeProcessorCount)
    return min(max(0, used / all), 1)
  }

  /// The seconds of processors that all programs and this one used since they were started.
  private static var used: (total: Double, own: Double)? {
    var own = timespec()
    guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8),
      let ticks = busyTicks(text), case let rate = sysconf(Int32(_SC_CLK_TCK)), rate > 0,
      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own) == 0
    else { return nil }
    return (
      Double(ticks) / Double(rate), Double(own.tv_sec) + Double(own.tv_nsec) * 1e-9
    )
  }

  /// The ticks of all processors that were neither idle nor waiting, from the text of `/proc/stat`; nil where it has none.
  static func busyTicks(_ text: String) -> Int? {
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("cpu ") }) else {
      return nil
    }
    // user, nice, system, idle, waiting, interrupts, soft interrupts, stolen; guests are in the first two.
    let numbers = line.split(separator: " ").dropFirst().prefix(8).compactMap { Int($0) }
    guard numbers.count >= 4, numbers.contains(where: { $0 != 0 }) else { return nil }
    return numbers.enumerated().reduce(0) { $0 + ([3, 4].contains($1.offset) ? 0 : $1.element) }
  }
}
