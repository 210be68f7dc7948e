import CKernels
import Foundation

/// Time of this thread alone: what other processes take does not count.
func threadSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// The least time of several runs, at least three and for at least a fifth of a second.
func leastSeconds(_ body: () -> Void) -> Double {
  body()
  var least = Double.infinity
  var total = 0.0
  var runs = 0
  while runs < 3 || (total < 0.2 && runs < 20000) {
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

/// A row for a kernel that `body` runs from the given table; `results` are what it leaves behind.
///
/// `work` is in thousand millions of `unit`'s, `peak` a second of them.
func measured(
  _ name: String, _ table: UnsafePointer<tk_kernels>, work: Double, unit: String,
  peak: Double? = nil,
  tolerance: Float = 0, results: [Results], _ body: (UnsafePointer<tk_kernels>) -> Void
) -> KernelRow {
  let scalar = tk_table_for(TK_SCALAR)!
  for result in results { result.clear() }
  let seconds = leastSeconds { body(table) }
  let found = results.map(\.copy)
  for result in results { result.clear() }
  let scalarSeconds = leastSeconds { body(scalar) }
  let isSame = zip(results, found).allSatisfy { $0.isNear($1, tolerance) }
  let rate = work / seconds
  return KernelRow(
    name: name, rate: rate, unit: unit, share: peak.map { rate / $0 },
    scalar: (scalarSeconds / seconds, isSame))
}

/// Memory that a kernel writes.
enum Results {
  case bytes(UnsafeMutablePointer<UInt8>, Int)
  case floats(UnsafeMutablePointer<Float>, Int)

  private var numbers: [Float] {
    switch self {
    case .bytes(let start, let count): (0..<count).map { Float(start[$0]) }
    case .floats(let start, let count): (0..<count).map { start[$0] }
    }
  }

  var copy: [Float] { numbers }

  func clear() {
    switch self {
    case .bytes(let start, let count): start.update(repeating: 0, count: count)
    case .floats(let start, let count): start.update(repeating: 0, count: count)
    }
  }

  func isNear(_ others: [Float], _ tolerance: Float) -> Bool {
    zip(numbers, others).allSatisfy { abs($0 - $1) <= tolerance }
  }
}
