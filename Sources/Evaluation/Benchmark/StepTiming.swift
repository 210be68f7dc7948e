public import Execution

/// How long one step of a plan takes beside what the machine could do.
public struct StepTiming: Sendable {
  /// What there is more of than the machine gets done in the time.
  public enum Limit: String, Sendable {
    /// Operations, at the measured peak of multiply-adds.
    case computation
    /// Bytes, at the measured rate of reading.
    case memory
  }

  /// The step.
  public let step: StepProfile
  /// Its part of the time of all steps, from 0 to 1.
  public let share: Double
  /// Two for each multiply-add.
  public let operations: Int
  /// What the step can't be faster than: whichever of both takes longer.
  public let limit: Limit
  /// The seconds that the limit allows.
  public let limitTime: Double
  /// Why it takes the time it takes, in words.
  public let reason: String

  /// The seconds that the step takes.
  public var time: Double { step.duration / .seconds(1) }

  /// The time that the limit allows as a share of the time it takes; more than 1 where bytes come from a nearer cache than the
  /// rate of reading was measured in.
  public var reachedShare: Double { time > 0 ? limitTime / time : 0 }

  /// The bytes of values and weights that are read or written.
  public var byteCount: Int { step.valueByteCount + step.weightByteCount }

  /// Operations a second.
  public var operationRate: Double { time > 0 ? Double(operations) / time : 0 }

  /// Bytes a second.
  public var byteRate: Double { time > 0 ? Double(byteCount) / time : 0 }

  /// Judges each step of a plan by the machine's limits.
  ///
  /// - Parameters:
  ///   - steps: all steps of the plan, in order.
  ///   - limits: what the machine can do.
  ///   - multiplications: those of nodes which run as reference functions, by label.
  ///   - isQuantized: whether the network has codes, so that a step in float is worth a word.
  public static func judged(
    _ steps: [StepProfile], by limits: MachineLimits, multiplications: [String: Int] = [:],
    isQuantized: Bool
  ) -> [StepTiming] {
    let total = steps.reduce(0) { $0 + $1.duration / .seconds(1) }
    return steps.indices.map { index in
      let step = steps[index]
      let operations =
        2 * (step.isReference ? multiplications[step.label] ?? 0 : step.multiplications)
      let computing =
        Double(operations) / (step.computesWithCodes ? limits.byteRate : limits.floatRate)
      let moving = Double(step.valueByteCount + step.weightByteCount) / limits.workingRate
      let limit: Limit = computing > moving ? .computation : .memory
      let judge = StepJudge(
        steps: steps, index: index, limits: limits, isQuantized: isQuantized, limit: limit,
        limitTime: max(computing, moving))
      return StepTiming(
        step: step, share: total > 0 ? step.duration / .seconds(1) / total : 0,
        operations: operations, limit: limit, limitTime: max(computing, moving),
        reason: judge.reason)
    }
  }
}

extension StepProfile {
  /// Whether its products are of codes rather than of numbers.
  var computesWithCodes: Bool { kind.hasPrefix("int8 ") || kind == "4-bit int8 product" }
}
