import Foundation

/// What a result must reach for a command to succeed.
public struct Thresholds: Sendable, Equatable {
  /// By how much the accuracy may drop, as a difference of shares: 0.01 is one percentage point.
  public var maxDrop: Double?
  /// How many times faster than float it must be at least.
  public var minSpeedup: Double?
  /// How large the file may be, as a share of the float network's: 0.3 is 30 %.
  public var maxSize: Double?
  /// The least SQNR of the outputs, in decibels.
  public var minSQNR: Double?
  /// How long a run may take, as the median, in milliseconds.
  public var maxLatency: Double?

  /// Nothing is asked for.
  public init(
    maxDrop: Double? = nil, minSpeedup: Double? = nil, maxSize: Double? = nil,
    minSQNR: Double? = nil, maxLatency: Double? = nil
  ) {
    self.maxDrop = maxDrop
    self.minSpeedup = minSpeedup
    self.maxSize = maxSize
    self.minSQNR = minSQNR
    self.maxLatency = maxLatency
  }

  /// The share that a text such as `1%` or `0.01` says. Throws ``EvaluationError`` where it is neither, not within
  /// 0 to 1, or 1 without `%`, which is meant to be one percent as often as all.
  public static func share(_ text: String) throws -> Double {
    let trimmed = text.trimmingCharacters(in: .whitespaces)
    let isPercentage = trimmed.hasSuffix("%")
    let number = Double(
      (isPercentage ? String(trimmed.dropLast()) : trimmed).trimmingCharacters(in: .whitespaces))
    guard let number, case let share = isPercentage ? number / 100 : number,
      (0...1).contains(share), isPercentage || number < 1
    else {
      throw EvaluationError(
        .invalidSetting, "'\(text)' is not a share; give one as in 1% or 0.01, from 0% to 100%")
    }
    return share
  }

  /// Whether one threshold is met.
  public struct Result: Sendable, Equatable, CustomStringConvertible {
    /// The option that set it, without dashes.
    public let name: String
    /// What was asked for, as text.
    public let limit: String
    /// What was reached, as text; why it is not known where it could not be measured.
    public let measured: String
    /// Whether it is met; what could not be measured is not.
    public let isMet: Bool
    /// How far what was reached can be relied on; empty where there is nothing to say.
    public internal(set) var note = ""

    /// As in `FAILED max-drop: 2.50 points, at most 1.00 points`, with the note in parentheses.
    public var description: String {
      "\(isMet ? "passed" : "FAILED") \(name): \(measured), \(limit)"
        + (note.isEmpty ? "" : " (\(note))")
    }
  }

  /// The thresholds that are set, each with what was reached, in a fixed order.
  ///
  /// - Parameters:
  ///   - drop: the float network's accuracy less the quantized one's, as shares.
  ///   - speedup: the float network's median latency over the quantized one's.
  ///   - size: the quantized file's bytes over the float one's.
  ///   - sqnr: of the outputs, in decibels.
  ///   - latency: the median of one run, in milliseconds.
  public func check(
    drop: Double? = nil, speedup: Double? = nil, size: Double? = nil, sqnr: Double? = nil,
    latency: Double? = nil
  ) -> [Result] {
    func result(
      _ name: String, _ limit: Double?, _ value: Double?, isMost: Bool, _ missing: String,
      _ text: (Double) -> String
    ) -> Result? {
      guard let limit else { return nil }
      let bound = "\(isMost ? "at most" : "at least") \(text(limit))"
      guard let value, !value.isNaN else {
        return Result(name: name, limit: bound, measured: missing, isMet: false)
      }
      // A drop of exactly 1 % is no more than 1 %, whatever the division made of it.
      let slack = 1e-9
      return Result(
        name: name, limit: bound, measured: text(value),
        isMet: isMost ? value <= limit + slack : value >= limit - slack)
    }
    return [
      result("max-drop", maxDrop, drop, isMost: true, "not known without labelled data") {
        "\(signed($0 * 100, 2)) points"
      },
      result("min-speedup", minSpeedup, speedup, isMost: false, "not measured") {
        "\(fixed($0, 2))×"
      },
      result("max-size", maxSize, size, isMost: true, "not known without a file") {
        "\(fixed($0 * 100, 1)) %"
      },
      result("min-sqnr", minSQNR, sqnr, isMost: false, "not known without data", decibels),
      result(
        "max-latency", maxLatency, latency, isMost: true, "not measured", milliseconds),
    ].compactMap { $0 }
  }
}

extension Thresholds.Result {
  /// The result as it stands in reports.
  var json: JSON {
    .members([
      "name": .string(name), "limit": .string(limit), "measured": .string(measured),
      "is_met": .bool(isMet),
    ])
  }
}
