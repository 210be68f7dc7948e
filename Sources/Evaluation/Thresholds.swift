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
    return [
      maxDrop.map {
        Bound("max-drop", $0, isMost: true, .init(scale: 100, digits: 2, unit: " points"))
          .result(drop, missing: "not known without labelled data")
      },
      minSpeedup.map {
        Bound("min-speedup", $0, isMost: false, .init(scale: 1, digits: 2, unit: "×"))
          .result(speedup, missing: "not measured")
      },
      maxSize.map {
        Bound("max-size", $0, isMost: true, .init(scale: 100, digits: 1, unit: " %"))
          .result(size, missing: "not known without a file")
      },
      minSQNR.map {
        Bound("min-sqnr", $0, isMost: false, .init(scale: 1, digits: 2, unit: " dB"))
          .result(sqnr, missing: "not known without data")
      },
      maxLatency.map {
        Bound("max-latency", $0, isMost: true, .time($0))
          .result(latency, missing: "not measured")
      },
    ].compactMap { $0 }
  }
}

/// One threshold: its name, the limit, and how its numbers are written.
private struct Bound {
  struct Form {
    let scale: Double
    let digits: Int
    let unit: String

    /// Milliseconds, in microseconds where the limit is less than one.
    static func time(_ limit: Double) -> Form {
      limit < 1
        ? Form(scale: 1000, digits: timeDigits(limit * 1000), unit: " µs")
        : Form(scale: 1, digits: timeDigits(limit), unit: " ms")
    }
  }

  let name: String
  let limit: Double
  let isMost: Bool
  let form: Form

  /// A drop of exactly 1 % is no more than 1 %, whatever the division made of it.
  private static let slack = 1e-9
  private static let mostDigits = 9

  init(_ name: String, _ limit: Double, isMost: Bool, _ form: Form) {
    (self.name, self.limit, self.isMost, self.form) = (name, limit, isMost, form)
  }

  func result(_ value: Double?, missing: String) -> Thresholds.Result {
    guard let value, !value.isNaN else {
      return result(missing, text(limit, digits(beside: nil)), isMet: false)
    }
    let isMet = isMost ? value <= limit + Self.slack : value >= limit - Self.slack
    let digits = digits(beside: isMet ? nil : value)
    return result(text(value, digits), text(limit, digits), isMet: isMet)
  }

  private func result(_ measured: String, _ limit: String, isMet: Bool) -> Thresholds.Result {
    Thresholds.Result(
      name: name, limit: "\(isMost ? "at most" : "at least") \(limit)", measured: measured,
      isMet: isMet)
  }

  private func text(_ value: Double, _ digits: Int) -> String {
    value == .infinity ? "exact" : signed(value * form.scale, digits) + form.unit
  }

  /// So many digits that the limit is what was asked for, and that what misses it differs from it.
  private func digits(beside missing: Double?) -> Int {
    (form.digits..<Self.mostDigits).first { digits in
      let shown = text(limit, digits)
      let unit = pow(10, Double(digits))
      let whole = limit * form.scale * unit
      return abs(whole - whole.rounded()) <= 1e-6
        && missing.map { text($0, digits) != shown } ?? true
    } ?? Self.mostDigits
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
