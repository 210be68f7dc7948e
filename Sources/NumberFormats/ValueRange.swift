/// A range of real numbers that is to be expressed by codes: finite, and never without 0.
public struct ValueRange: Hashable, Sendable {
  /// The lower end, ≤ 0.
  public let min: Float
  /// The upper end, ≥ 0.
  public let max: Float

  /// From the lesser to the greater of the two, widened to contain 0. Traps where one is NaN or infinite.
  public init(_ one: Float, _ other: Float) {
    precondition(one.isFinite && other.isFinite, "a range from \(one) to \(other)")
    // `+ 0` turns −0 into 0.
    min = Swift.min(one, other, 0) + 0
    max = Swift.max(one, other, 0) + 0
  }

  /// The greatest magnitude.
  public var maxAbs: Float { Swift.max(-min, max) }

  /// Whether the range is 0 alone.
  public var isZero: Bool { min == max }

  /// The smallest range that contains both.
  public func union(_ other: ValueRange) -> ValueRange {
    ValueRange(Swift.min(min, other.min), Swift.max(max, other.max))
  }
}

extension ValueRange: CustomStringConvertible {
  /// As in `-1.5 … 2.0`.
  public var description: String { "\(min) … \(max)" }
}
