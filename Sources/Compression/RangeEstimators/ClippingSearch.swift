import Foundation
import NumberFormats

/// Searches the range, inside of the range of all numbers, at which an error is least.
///
/// Errors have one broad minimum as a rule, so a coarse grid of clipping factors over ten powers of two is tried, then ever
/// smaller moves of the ends from the best. The whole range is always among those tried: the result is never worse.
struct ClippingSearch {
  /// Steps per power of two of the grid.
  private static let gridSteps = 8.0
  /// How many powers of two the grid spans.
  private static let gridSpan = 10.0
  /// The last and smallest move, in powers of two.
  private static let smallestMove = 1.0 / 64

  let full: ValueRange
  let isSymmetric: Bool
  let error: (ValueRange) -> Double

  /// The logarithms of the factors by which the ends are clipped, ≤ 0.
  private struct Candidate {
    var low = 0.0
    var high = 0.0
  }

  func best() -> ValueRange {
    guard !full.isZero else { return full }
    var best = Candidate()
    var least = error(full)
    func attempt(_ candidate: Candidate) -> Bool {
      guard candidate.low <= 0, candidate.high <= 0 else { return false }
      let found = error(range(candidate))
      guard found < least else { return false }
      (best, least) = (candidate, found)
      return true
    }
    for step in 1...Int(Self.gridSpan * Self.gridSteps) {
      let factor = -Double(step) / Self.gridSteps
      _ = attempt(Candidate(low: factor, high: factor))
      if hasTwoEnds {
        _ = attempt(Candidate(low: 0, high: factor))
        _ = attempt(Candidate(low: factor, high: 0))
      }
    }
    var move = hasTwoEnds ? 1.0 : 1 / Self.gridSteps / 2
    while move >= Self.smallestMove {
      var improved = true
      while improved { improved = moves(move, from: best).contains(where: attempt) }
      move /= 2
    }
    return range(best)
  }

  /// Whether both ends can be clipped on their own.
  private var hasTwoEnds: Bool { !isSymmetric && full.min < 0 && full.max > 0 }

  private func moves(_ size: Double, from best: Candidate) -> [Candidate] {
    guard hasTwoEnds else {
      return [-size, size].map { Candidate(low: best.low + $0, high: best.high + $0) }
    }
    return [(-size, 0), (size, 0), (0, -size), (0, size)].map {
      Candidate(low: best.low + $0.0, high: best.high + $0.1)
    }
  }

  private func range(_ candidate: Candidate) -> ValueRange {
    if isSymmetric {
      let limit = Float(Double(full.maxAbs) * exp2(candidate.high))
      return ValueRange(max(full.min, -limit), min(full.max, limit))
    }
    return ValueRange(
      Float(Double(full.min) * exp2(candidate.low)), Float(Double(full.max) * exp2(candidate.high)))
  }
}
