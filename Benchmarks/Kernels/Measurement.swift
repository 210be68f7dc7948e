import CKernels
import Foundation

/// Time of this thread alone: what other processes take does not count.
func threadSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// The least time of several runs, at least five and for at least a fifth of a second.
func leastSeconds(_ body: () -> Void) -> Double {
  body()
  var least = Double.infinity
  var total = 0.0
  var runs = 0
  while runs < 5 || (total < 0.2 && runs < 20000) {
    let start = threadSeconds()
    body()
    let seconds = threadSeconds() - start
    least = min(least, seconds)
    total += seconds
    runs += 1
  }
  return least
}

/// 64-byte aligned memory that lasts as long as the program.
func memory<Element>(_ count: Int, _ value: (Int) -> Element) -> UnsafeMutablePointer<Element> {
  let raw = UnsafeMutableRawPointer.allocate(
    byteCount: count * MemoryLayout<Element>.stride + 64, alignment: 64)
  let pointer = raw.bindMemory(to: Element.self, capacity: count)
  for i in 0..<count { (pointer + i).initialize(to: value(i)) }
  return pointer
}

/// The same values in every run.
struct Random {
  private var state: UInt64 = 88_172_645_463_325_252

  mutating func next() -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state >> 33)
  }
}

/// One line of the table.
func report(_ what: String, _ rate: Double, unit: String, peak: Double, right: Bool) {
  let share = peak > 0 ? String(format: "%5.1f %%", rate / peak * 100) : "       "
  let name = what.padding(toLength: 34, withPad: " ", startingAt: 0)
  print(name, String(format: "%8.1f", rate), unit, share, right ? "" : "WRONG")
}
