/// A figure that says how good a network is.
public enum Metric: String, Sendable, CaseIterable {
  /// The share of samples whose label has the highest score.
  case top1
  /// The share of samples whose label is among the five highest scores.
  case top5
  /// The ratio of signal to quantization noise of the outputs, in decibels.
  case sqnr
  /// The cosine between the outputs and the reference's.
  case cosine
  /// The mean magnitude of the outputs' differences from the reference's.
  case meanError = "mean-error"
  /// The largest difference of an output from the reference's.
  case maxError = "max-error"
  /// The share of samples whose highest score is that of the same class as the reference's.
  case agreement

  /// Whether it is told from labels.
  public var needsLabels: Bool { self == .top1 || self == .top5 }

  /// Whether it is told from another network's outputs.
  public var needsReference: Bool { !needsLabels }

  /// Whether it is a share, from 0 to 1, to be shown in percent.
  public var isShare: Bool { needsLabels || self == .agreement }

  /// What it is called in tables.
  public var title: String {
    switch self {
    case .top1: "top-1"
    case .top5: "top-5"
    case .sqnr: "SQNR"
    case .cosine: "cosine"
    case .meanError: "mean error"
    case .maxError: "largest error"
    case .agreement: "same prediction"
    }
  }

  /// The key of its value in JSON, which has the unit.
  public var key: String {
    switch self {
    case .top1: "top1"
    case .top5: "top5"
    case .sqnr: "sqnr_db"
    case .cosine: "cosine"
    case .meanError: "mean_error"
    case .maxError: "max_error"
    case .agreement: "agreement"
    }
  }

  /// A value as text with its unit, as in `94.50 %` or `22.94 dB`.
  public func formatted(_ value: Double) -> String {
    if isShare { return "\(fixed(value * 100, 2)) %" }
    switch self {
    case .sqnr: return decibels(value)
    case .cosine: return fixed(value, 6)
    default: return significant(value, 4)
    }
  }
}
