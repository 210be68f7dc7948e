/// What can be gathered about a value while data runs through a network.
public enum StatisticKind: Hashable, Sendable {
  /// The least and the greatest number.
  case range
  /// The moving average of each batch's least and greatest number.
  case movingAverage
  /// Mean and variance.
  case moments
  /// How often numbers of each size occur.
  case histogram
}
