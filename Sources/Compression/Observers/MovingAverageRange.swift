public import NumberFormats

/// The exponential moving average of the ranges of batches.
///
/// Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference" (2018),
/// section 3.1. Averages are divided by the sum of their weights, so that a few batches give their plain mean and the first
/// counts no more than the rest.
public struct MovingAverageRange: Hashable, Sendable {
  /// How much of the average stays at each batch, in [0, 1).
  let decay: Double
  private var weight = 0.0
  private var min = 0.0
  private var max = 0.0
  private var batchCount = 0
  private var lastMin: Float = 0
  private var lastMax: Float = 0

  /// Of no batches. 0.99 weighs the last hundred or so: of fewer, as calibration has, it is nearly the mean.
  init(decay: Double = 0.99) {
    precondition(0..<1 ~= decay, "a decay of \(decay)")
    self.decay = decay
  }

  /// Whether no batch was seen.
  public var isEmpty: Bool { batchCount == 0 }

  /// The average, widened to contain 0; 0 alone of no batches.
  public var valueRange: ValueRange {
    isEmpty ? ValueRange(0, 0) : ValueRange(Float(min / weight), Float(max / weight))
  }

  mutating func add(_ min: Float, _ max: Float) {
    self.min = decay * self.min + (1 - decay) * Double(min)
    self.max = decay * self.max + (1 - decay) * Double(max)
    weight = decay * weight + (1 - decay)
    batchCount += 1
    (lastMin, lastMax) = (min, max)
  }

  /// Widens the range of the last batch: another value that shares the range, of the same sample.
  mutating func widenLast(_ min: Float, _ max: Float) {
    let (widerMin, widerMax) = (Swift.min(min, lastMin), Swift.max(max, lastMax))
    self.min += (1 - decay) * (Double(widerMin) - Double(lastMin))
    self.max += (1 - decay) * (Double(widerMax) - Double(lastMax))
    (lastMin, lastMax) = (widerMin, widerMax)
  }

  /// Adds the batches that `other` has seen, as if they came after these. Traps where decays differ.
  public mutating func merge(_ other: MovingAverageRange) {
    precondition(decay == other.decay, "moving averages of different decay")
    var kept = 1.0
    for _ in 0..<other.batchCount { kept *= decay }
    min = kept * min + other.min
    max = kept * max + other.max
    weight = kept * weight + other.weight
    batchCount += other.batchCount
    if !other.isEmpty { (lastMin, lastMax) = (other.lastMin, other.lastMax) }
  }
}
