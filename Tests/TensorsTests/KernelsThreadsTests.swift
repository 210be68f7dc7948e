import Foundation
import Synchronization
import Tensors
import Testing

private let threadCount = NSLock()

/// Runs with a number of threads that no other test changes meanwhile.
func withThreads<Result>(_ count: Int, _ body: () -> Result) -> Result {
  threadCount.lock()
  let before = Threads.count
  Threads.count = count
  defer {
    Threads.count = before
    threadCount.unlock()
  }
  return body()
}

@Suite struct KernelsThreadsTests {
  /// How often each index was visited.
  private func visits(_ n: Int) -> [Int] {
    let counts = UnsafeMutablePointer<Int>.allocate(capacity: n + 1)
    defer { counts.deallocate() }
    counts.initialize(repeating: 0, count: n + 1)
    parallelFor(n) { counts[$0] += 1 }
    return Array(UnsafeBufferPointer(start: counts, count: n))
  }

  @Test(arguments: [1, 2, 3, 8]) func everyIndexIsVisitedOnce(_ threads: Int) {
    withThreads(threads) {
      #expect(Threads.count == threads)
      for n in [0, 1, 2, 3, 7, 100, 5000] {
        for _ in 0..<20 { #expect(visits(n) == [Int](repeating: 1, count: n)) }
      }
    }
  }

  /// Many short regions with and without time to fall asleep in between.
  @Test func regionsFollowEachOther() {
    withThreads(3) {
      let total = Atomic(0)
      for round in 0..<3000 {
        parallelFor(4) { total.add($0, ordering: .relaxed) }
        if round % 1000 == 0 { usleep(2000) }
      }
      #expect(total.load(ordering: .relaxed) == 3000 * 6)
    }
  }

  @Test func nestedRegionsRunSerially() {
    withThreads(3) {
      let total = Atomic(0)
      parallelFor(8) { _ in
        let mine = pthread_self()
        parallelFor(5) { inner in
          #expect(pthread_equal(mine, pthread_self()) != 0)
          total.add(inner, ordering: .relaxed)
        }
      }
      #expect(total.load(ordering: .relaxed) == 80)
    }
  }

  @Test func severalCallersAtOnce() {
    withThreads(3) {
      let total = Atomic(0)
      DispatchQueue.concurrentPerform(iterations: 6) { _ in
        for _ in 0..<200 { parallelFor(10) { total.add($0, ordering: .relaxed) } }
      }
      #expect(total.load(ordering: .relaxed) == 6 * 200 * 45)
    }
  }

  @Test func theNumberOfThreadsIsClamped() {
    withThreads(1000) { #expect(Threads.count == 256) }
    withThreads(-3) { #expect(Threads.count == 1) }
  }

  @Test func theNumberCannotChangeInsideOfARegion() {
    withThreads(2) {
      parallelFor(2) { _ in Threads.count = 5 }
      #expect(Threads.count == 2)
    }
  }
}
