import Datasets
import Foundation
import Tensors

/// What this machine can do at most, measured: the roof that the time of a network's layers stands under.
///
/// Source: Williams, Waterman and Patterson, "Roofline: An Insightful Visual Performance Model for Multicore Architectures",
/// CACM 52 (2009).
public struct MachineLimits: Sendable, Equatable {
  /// The instruction set of the kernels, as in `avx512`.
  public let instructionSet: String
  /// The number of threads that all figures are for.
  public let threadCount: Int
  /// Float operations a second, two for each multiply-add, all between registers.
  public let floatRate: Double
  /// How many times the float peak of one thread that is: less than the threads where they have no processor each.
  public let peakGain: Double
  /// Operations a second of products of 8-bit codes, two for each multiply-add.
  public let byteRate: Double
  /// Bytes a second that are read of arrays far larger than the last cache.
  public let memoryRate: Double
  /// The bytes that one network works on: its weights and the values between its layers.
  public let workingByteCount: Int
  /// Bytes a second that are read of an array of that size again and again, from whatever cache it fits.
  public let workingRate: Double
  /// The seconds that sharing out no work over the threads takes; 0 with one thread.
  public let regionTime: Double

  /// Limits of the given figures.
  public init(
    instructionSet: String, threadCount: Int, floatRate: Double, peakGain: Double,
    byteRate: Double, memoryRate: Double, workingByteCount: Int, workingRate: Double,
    regionTime: Double
  ) {
    self.instructionSet = instructionSet
    self.threadCount = threadCount
    self.floatRate = floatRate
    self.peakGain = peakGain
    self.byteRate = byteRate
    self.memoryRate = memoryRate
    self.workingByteCount = workingByteCount
    self.workingRate = workingRate
    self.regionTime = regionTime
  }
}

extension MachineLimits {
  /// Measures the machine for a network that works on so many bytes, on ``Threads/count`` threads. Takes some tenths of a second,
  /// and memory far larger than the last cache for that time (256 MB to 1 GB).
  public static func measured(workingByteCount: Int) -> MachineLimits {
    var peaks = Peaks()
    let memoryRate = readingRate(over: farLargerThanCaches)
    let workingRate = readingRate(over: min(workingByteCount, farLargerThanCaches))
    // Again, some time apart: on a machine that others use it takes luck to get all processors at once.
    for attempt in 1...peakAttempts where attempt == 1 || !peaks.isWhole { peaks.measure() }
    return MachineLimits(
      instructionSet: Kernels.instructionSet, threadCount: Threads.count, floatRate: peaks.floats,
      peakGain: peaks.gain, byteRate: peaks.bytes, memoryRate: memoryRate,
      workingByteCount: workingByteCount, workingRate: workingRate, regionTime: emptyRegionTime)
  }

  /// How often peaks are measured again while the threads do not have a processor each.
  private static let peakAttempts = 5

  /// The greatest rates so far.
  private struct Peaks {
    var (floats, bytes, single) = (0.0, 0.0, 0.0)

    init() { measure() }

    mutating func measure() {
      single = max(single, greatestRate { Kernels.floatPeak(rounds: peakRounds) })
      floats = max(floats, Threads.count > 1 ? peak(Kernels.floatPeak) : single)
      bytes = max(bytes, peak(Kernels.bytePeak))
    }

    var gain: Double { floats / max(single, .leastNormalMagnitude) }
    var isWhole: Bool { gain >= Benchmark.Run.leastGain * Double(Threads.count) }
  }

  /// How long each figure is measured, in seconds: what is told is the best of many short runs.
  private static let duration = 0.03

  /// The greatest of the rates at which `body` gets amounts of work done.
  private static func greatestRate(_ body: () -> Double) -> Double {
    _ = body()
    var (best, total) = (0.0, 0.0)
    repeat {
      var amount = 0.0
      let time = seconds { amount = body() }
      best = max(best, amount / max(time, .leastNormalMagnitude))
      total += time
    } while total < duration
    return best
  }

  /// A tenth of a millisecond's work.
  private static let peakRounds = 50_000

  private static func peak(_ operations: (_ rounds: Int) -> Double) -> Double {
    let count = Threads.count
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: count) { amounts in
      greatestRate {
        parallelFor(count) { amounts[$0] = operations(peakRounds) }
        return amounts.reduce(0, +)
      }
    }
  }

  /// The bytes of a piece whose reading is timed: about a millisecond's.
  private static let pieceByteCount = 32 << 20

  /// Bytes a second of reading an array again and again, each thread its own part. Large arrays are timed piece by piece, so that
  /// a disturbance spoils no more than a piece.
  private static func readingRate(over byteCount: Int) -> Double {
    let pieces = max(1, byteCount / pieceByteCount)
    let count = max(byteCount / 8 / pieces, 1024)
    let words = UnsafeMutablePointer<UInt64>.allocate(capacity: count * pieces)
    defer { words.deallocate() }
    let parts = 8 * Threads.count
    func range(_ part: Int, of piece: Int) -> Range<Int> {
      let start = count * piece
      return start + count * part / parts..<start + count * (part + 1) / parts
    }
    // Written by the thread that reads it, so that it has pages, and near ones.
    for piece in 0..<pieces {
      parallelFor(parts) { part in
        let range = range(part, of: piece)
        (words + range.lowerBound).initialize(repeating: UInt64(part), count: range.count)
      }
    }
    let passes = pieces > 1 ? 1 : max(1, (4 << 20) / (8 * count))
    var turn = 0
    return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: parts) { sums in
      greatestRate {
        let piece = turn % pieces
        turn += 1
        parallelFor(parts) { part in
          let range = range(part, of: piece)
          sums[part] = 0
          for _ in 0..<passes {
            sums[part] &+= Kernels.sum(words + range.lowerBound, count: range.count)
          }
        }
        return Double(8 * count * passes)
      }
    }
  }

  private static var emptyRegionTime: Double {
    guard Threads.count > 1 else { return 0 }
    let regions = 200.0
    let rate = greatestRate {
      for _ in 0..<Int(regions) { parallelFor(Threads.count) { _ in } }
      return regions
    }
    return 1 / rate
  }

  /// The bytes of an array of which no cache holds much.
  private static var farLargerThanCaches: Int { min(max(4 * lastCacheByteCount, 1 << 28), 1 << 30) }

  /// The bytes of the largest cache that Linux tells of; 0 elsewhere.
  private static var lastCacheByteCount: Int {
    let folder = "/sys/devices/system/cpu/cpu0/cache"
    let sizes = (0..<8).compactMap { index -> Int? in
      guard let text = try? String(contentsOfFile: "\(folder)/index\(index)/size", encoding: .utf8)
      else { return nil }
      return Int(text.prefix { $0.isNumber }).map { text.contains("M") ? $0 << 20 : $0 << 10 }
    }
    return sizes.max() ?? 0
  }
}

extension MachineLimits: CustomStringConvertible {
  /// As in `avx512, 1 thread: float 274 GFLOP/s, u8 × s8 1093 GOP/s; reading 35.0 GB/s from memory, 106 GB/s over this network's
  /// 6.5 MB`.
  public var description: String {
    func giga(_ rate: Double) -> String { fixed(rate / 1e9, rate < 1e11 ? 1 : 0) }
    return
      "\(instructionSet), \(counted(threadCount, "thread")): float \(giga(floatRate)) GFLOP/s, "
      + "u8 × s8 \(giga(byteRate)) GOP/s; reading \(giga(memoryRate)) GB/s from memory, "
      + "\(giga(workingRate)) GB/s over this network's \(bytes(workingByteCount))"
  }
}
