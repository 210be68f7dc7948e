import Datasets

/// What was done to a network, what it cost and what it gained, to be shown as text, JSON or a page.
public struct Report: Sendable {
  /// One network's figures; what was not measured is nil.
  public struct Network: Sendable {
    /// What it is called, as in `float32`.
    public var name: String
    /// The file it lies in.
    public var file: String?
    /// The file's bytes, those of external data included.
    public var byteCount: Int?
    /// The number of nodes.
    public var nodeCount: Int?
    /// The number of elements of all constants.
    public var parameterCount: Int?
    /// How long one run takes.
    public var latency: Latency?
    /// The most memory that loading and running it took, in bytes.
    public var peakMemory: Int?
    /// What it reached on the evaluation data.
    public var metrics: [Metric: Double] = [:]

    /// A network of which nothing is known yet.
    public init(_ name: String) { self.name = name }
  }

  /// What became of one node.
  public struct PlanRow: Sendable {
    /// The node, its operator, how it is computed, how weights and activations are stored, and why.
    public let node, operation, treatment, weights, activations, note: String

    /// A row of the given cells.
    public init(
      node: String, operation: String, treatment: String, weights: String, activations: String,
      note: String
    ) {
      self.node = node
      self.operation = operation
      self.treatment = treatment
      self.weights = weights
      self.activations = activations
      self.note = note
    }
  }

  /// A line about how the result came about, as in `recipe: w8a8`.
  public struct Fact: Sendable {
    /// What it is about.
    public let name: String
    /// What there is to say.
    public let text: String

    /// A line of the two.
    public init(_ name: String, _ text: String) {
      self.name = name
      self.text = text
    }
  }

  /// What the report is about, as in `efficientnet-lite0`.
  public var title: String
  /// The network before.
  public var float: Network
  /// The network afterwards.
  public var quantized: Network
  /// How the result came about: recipe, data, seed, processor.
  public var facts: [Fact] = []
  /// What may spoil the figures, to be told before anything else.
  public var warnings: [String] = []
  /// The median of the ratios of runs that took turns, see ``LatencyComparison/speedup``; nil where they did not.
  public var pairedSpeedup: Double?
  /// How many nodes were treated how, in one line.
  public var planSummary = ""
  /// What the words of ``planSummary`` mean, in one line.
  public var planLegend = ""
  /// How much of the weights became codes; nil where that is not known.
  public var weights: WeightShare?
  /// What became of each node.
  public var plan: [PlanRow] = []
  /// The number of samples that metrics were measured on.
  public var sampleCount: Int?
  /// The layers' errors.
  public var comparison: NetworkComparison?
  /// What keeping layers in float brings; nil where it was not measured.
  public var floatLayers: FloatLayers?
  /// How weights and activations are spread, those of the most damaged layer first.
  public var histograms: [ValueHistogram] = []
  /// What had to be reached.
  public var limits = Thresholds()

  /// A report on two networks.
  public init(title: String, float: Network, quantized: Network) {
    self.title = title
    self.float = float
    self.quantized = quantized
  }
}

// MARK: - Figures that follow

extension Report {
  /// The quantized file's size as a share of the float one's.
  public var sizeShare: Double? {
    guard let before = float.byteCount, let after = quantized.byteCount, before > 0 else {
      return nil
    }
    return Double(after) / Double(before)
  }

  /// How many times faster than float the quantized network is: the median of ratios of runs that took turns where there were
  /// such, else the ratio of medians.
  public var speedup: Double? {
    if let pairedSpeedup { return pairedSpeedup }
    guard let before = float.latency, let after = quantized.latency else { return nil }
    return before.median / after.median
  }

  /// By how much top-1 dropped, as a difference of shares; negative where it rose.
  public var drop: Double? {
    guard let before = float.metrics[.top1], let after = quantized.metrics[.top1] else {
      return nil
    }
    return before - after
  }

  /// The outputs' SQNR in decibels: the metric where it was measured, else the comparison's first output.
  public var sqnr: Double? {
    quantized.metrics[.sqnr] ?? comparison?.outputs.first?.error.sqnr
  }

  /// Each threshold that is set, and whether it is met; a drop with a note where samples are few. Both accuracies are of the
  /// same samples, so that their difference is surer than each: the note begins at an uncertainty of twice what may be lost.
  public var thresholds: [Thresholds.Result] {
    var results = limits.check(drop: drop, speedup: speedup, size: sizeShare, sqnr: sqnr)
    if let index = results.firstIndex(where: { $0.name == "max-drop" }), let limit = limits.maxDrop,
      let count = sampleCount, let accuracyInterval, accuracyInterval > 2 * limit
    {
      results[index].note =
        "\(counted(count, "sample")) \(count == 1 ? "tells" : "tell") ±\(fixed(accuracyInterval * 100, 1)) points only"
    }
    return results
  }

  /// How far the quantized network's top-1 may be from that on all data, as a share: half the 95 % interval of the normal
  /// approximation of the binomial; where all samples are right or all wrong 3 / n, since that says nothing then (Hanley and
  /// Lippman-Hand, 1983).
  var accuracyInterval: Double? {
    guard let count = sampleCount, count > 0, let share = quantized.metrics[.top1] else {
      return nil
    }
    guard share > 0, share < 1 else { return min(3 / Double(count), 1) }
    return 1.96 * (share * (1 - share) / Double(count)).squareRoot()
  }

  /// Whether every threshold is met.
  public var isMet: Bool { thresholds.allSatisfy(\.isMet) }
}
