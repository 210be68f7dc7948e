import Execution
import NumberFormats
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
    let values = try tensor.asFloat32()
    try values.withElements(of: Float.self) { numbers in
      guard add(numbers, continuesBatch) else {
        let offset = numbers.firstIndex { !$0.isFinite } ?? 0
        throw NumberFormatError.notFinite(numbers[offset], at: offset, in: values.shape)
      }
    }
  }

  /// The same of a value where it lies, in the order in which it lies there.
  mutating func observe(_ value: PlacedValue, continuesBatch: Bool) throws {
    let isAdded = value.withFloats { $0.isEmpty || add($0, continuesBatch) }
    // The error names the index that the number has in the value's shape.
    if isAdded != true { try observe(value.tensor(), continuesBatch: continuesBatch) }
  }

  /// Adds a batch of numbers; false where one is not finite, and nothing is added then.
  private mutating func add(_ values: UnsafeBufferPointer<Float>, _ continuesBatch: Bool) -> Bool {
    guard let batch = ObservedBatch(of: values, needsMoments: moments != nil) else { return false }
    range?.add(batch.min, batch.max)
    if continuesBatch, batchCount > 0 {
      movingAverage?.widenLast(batch.min, batch.max)
    } else {
      movingAverage?.add(batch.min, batch.max)
      batchCount += 1
    }
    moments?.merge(batch.moments)
    histogram?.add(values, maxAbs: max(abs(batch.min), abs(batch.max)))
    count += values.count
    return true
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
