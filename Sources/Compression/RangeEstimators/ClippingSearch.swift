import Foundation
import NumberFormats

/// Searches the range, inside of the range of all numbers, at which an error is least.
///
/// Errors have one broad minimum as a rule, so a coarse grid of clipping factors is tried, then ever smaller moves of the ends
/// from the best. The grid goes on as long as clipping may still pay: what is clipped can only grow, so that it ends where
/// clipping alone costs more than the best range found. The whole range is always among those tried: the result is never
/// worse.
struct ClippingSearch {
  /// What a range costs.
  struct Cost {
    /// The sum of squared errors.
    var error: Double
    /// The part of it that rounding may have, at most: the rest is clipping.
    var rounding: Double

    /// Of a range that can't be.
    static let infinite = Cost(error: .infinity, rounding: .infinity)
  }

  /// Steps per power of two of the grid.
  private static let gridSteps = 8.0
  /// How many powers of two the grid spans at most.
  private static let gridSpan = 10.0
  /// The first move of two ends, in powers of two.
  private static let greatestMove = 0.5
  /// The last and smallest move, in powers of two.
  private static let smallestMove = 1.0 / 64

  let full: ValueRange
  let isSymmetric: Bool
  let cost: (ValueRange) -> Cost

  /// The logarithms of the factors by which the ends are clipped, ≤ 0.
  private struct Candidate {
    var low = 0.0
    var high = 0.0
  }

  func best() -> ValueRange {
    guard !full.isZero else { return full }
    var best = Candidate()
    var least = cost(full).error
    /// Whether it is better than the best, and whether more clipping may be.
    func attempt(_ candidate: Candidate) -> (isBetter: Bool, mayGoOn: Bool) {
      guard candidate.low <= 0, candidate.high <= 0 else { return (false, false) }
      let found = cost(range(candidate))
      if found.error < least {
        (best, least) = (candidate, found.error)
        return (true, true)
      }
      return (false, !(found.error - found.rounding >= least))
    }
    let directions = hasTwoEnds ? [(1.0, 1.0), (0, 1), (1, 0)] : [(1, 1)]
    for (low, high) in directions {
      for step in 1...Int(Self.gridSpan * Self.gridSteps) {
        let factor = -Double(step) / Self.gridSteps
        guard attempt(Candidate(low: low * factor, high: high * factor)).mayGoOn else { break }
      }
    }
    var move = hasTwoEnds ? Self.greatestMove : 1 / Self.gridSteps / 2
    while move >= Self.smallestMove {
      var improved = true
      while improved { improved = moves(move, from: best).contains { attempt($0).isBetter } }
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
