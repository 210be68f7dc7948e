public import Tensors

/// What was gathered about one value: the numbers themselves are never kept.
public struct TensorStatistics: Hashable, Sendable {
  /// What is gathered.
  public let kinds: Set<StatisticKind>
  /// How many numbers were seen.
  public private(set) var count = 0
  /// How many batches were seen.
  public private(set) var batchCount = 0
  /// The least and greatest number, where asked for.
  public private(set) var range: RunningRange?
  /// The average range of batches, where asked for.
  public private(set) var movingAverage: MovingAverageRange?
  /// Mean and variance, where asked for.
  public private(set) var moments: Moments?
  /// The distribution, where asked for.
  public private(set) var histogram: Histogram?

  /// Of no numbers, to gather `kinds`.
  public init(_ kinds: Set<StatisticKind>) {
    self.kinds = kinds
    for kind in kinds {
      switch kind {
      case .range: range = RunningRange()
      case .movingAverage: movingAverage = MovingAverageRange()
      case .moments: moments = Moments()
      case .histogram: histogram = Histogram()
      }
    }
  }

  /// Adds a batch: a floating-point tensor of any shape; one without elements changes nothing.
  ///
  /// Throws ``NumberFormatError`` at a number that is not finite, naming its index, and for other element types; nothing is
  /// added then. O(n) for each kind, on all threads; results do not depend on their number.
  /// - Parameters:
  ///   - tensor: the numbers.
  ///   - continuesBatch: whether it is of the same sample as the last one: another value that shares the range.
  public mutating func observe(_ tensor: Tensor, continuesBatch: Bool = false) throws {
    guard tensor.count > 0 else { return }
    let batch = try ObservedBatch(tensor)
    let (low, high) = (batch.summary.min, batch.summary.max)
    range?.add(low, high)
    if continuesBatch, batchCount > 0 {
      movingAverage?.widenLast(low, high)
    } else {
      movingAverage?.add(low, high)
      batchCount += 1
    }
    moments?.merge(batch.summary.moments)
    if histogram != nil {
      batch.values.withElements(of: Float.self) {
        histogram?.add($0, maxAbs: max(abs(low), abs(high)))
      }
    }
    count += tensor.count
  }

  /// Adds what `other` has seen, as if its batches came after these. Traps where other kinds were gathered; throws
  /// ``NumberFormatError`` where numbers of channels differ.
  public mutating func merge(_ other: TensorStatistics) throws {
    precondition(kinds == other.kinds, "statistics of different kinds")
    if let theirs = other.range { range?.merge(theirs) }
    if let theirs = other.movingAverage { movingAverage?.merge(theirs) }
    if let theirs = other.moments { moments?.merge(theirs) }
    if let theirs = other.histogram { histogram?.merge(theirs) }
    count += other.count
    batchCount += other.batchCount
  }
}
