public import NumberFormats

/// The least and greatest of numbers that are seen part by part.
public struct RunningRange: Hashable, Sendable {
  /// The least number, +infinity of none.
  public private(set) var min = Float.infinity
  /// The greatest number, −infinity of none.
  public private(set) var max = -Float.infinity

  /// Of no numbers.
  public init() {}

  /// Whether no number was seen.
  public var isEmpty: Bool { min > max }

  /// The range as it is quantized, widened to contain 0; 0 alone of no numbers.
  public var valueRange: ValueRange { isEmpty ? ValueRange(0, 0) : ValueRange(min, max) }

  mutating func add(_ min: Float, _ max: Float) {
    self.min = Swift.min(self.min, min)
    self.max = Swift.max(self.max, max)
  }

  /// Adds the numbers that `other` has seen.
  public mutating func merge(_ other: RunningRange) { add(other.min, other.max) }
}
