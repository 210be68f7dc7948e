import Execution
public import Tensors

/// What was gathered about the values of a network, by name.
public struct CalibrationStatistics: Hashable, Sendable {
  /// The statistics of each value.
  public private(set) var values: [String: TensorStatistics]

  /// For each name that stands for several values, which ones they are.
  private(set) var members: [String: [String]]

  /// Of no data, to gather what is required of each value.
  public init(_ requirements: [String: Set<StatisticKind>]) {
    values = requirements.mapValues { TensorStatistics($0) }
    members = [:]
  }

  /// Of no data, to gather what is required of each value or of the values that its name stands for.
  init(_ requirements: [String: Set<StatisticKind>], members: [String: [String]]) {
    self.init(requirements)
    self.members = members
  }

  /// Takes over what `other` knows of values that are not known here.
  mutating func add(_ names: some Sequence<String>, from other: CalibrationStatistics) {
    for name in names {
      values[name] = other.values[name]
      members[name] = other.members[name]
    }
  }

  /// The statistics of one value, nil where none were required.
  public subscript(name: String) -> TensorStatistics? { values[name] }

  /// Adds a batch of the value of that name; values of which nothing is required are left out.
  ///
  /// `continuesBatch` as ``TensorStatistics/observe(_:continuesBatch:)`` has it. Throws ``NumberFormatError`` that names the value
  /// and the index of a number that is not finite.
  public mutating func observe(
    _ name: String, _ tensor: Tensor, continuesBatch: Bool = false
  ) throws {
    try located(name) { try values[name]?.observe(tensor, continuesBatch: continuesBatch) }
  }

  /// The same of a value where it lies.
  mutating func observe(_ name: String, _ value: PlacedValue, continuesBatch: Bool) throws {
    try located(name) { try values[name]?.observe(value, continuesBatch: continuesBatch) }
  }

  /// Adds what `other` has seen, as if its batches came after these. Traps where other values or kinds were required.
  public mutating func merge(_ other: CalibrationStatistics) throws {
    precondition(Set(values.keys) == Set(other.values.keys), "statistics of different values")
    for (name, theirs) in other.values {
      try located(name) { try values[name]?.merge(theirs) }
    }
  }
}
