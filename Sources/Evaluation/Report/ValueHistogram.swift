/// How often numbers fall between edges.
public struct Histogram: Sendable, Equatable {
  /// The bins' edges, ascending, one more than there are bins.
  public let edges: [Double]
  /// How many numbers fell into each bin.
  public let counts: [Int]

  /// Traps where there is not one more edge than counts, or edges don't ascend.
  public init(edges: [Double], counts: [Int]) {
    precondition(edges.count == counts.count + 1, "\(edges.count) edges, \(counts.count) bins")
    precondition(zip(edges, edges.dropFirst()).allSatisfy(<), "edges don't ascend")
    self.edges = edges
    self.counts = counts
  }

  /// The numbers counted in `binCount` bins of one width over their range; numbers that are not finite are left out.
  public init(of values: some Collection<Float>, binCount: Int = 64) {
    let finite = values.lazy.filter(\.isFinite)
    let low = Double(finite.min() ?? 0)
    let high = Double(finite.max() ?? 0)
    let end = high > low ? high : low + max(abs(low), 1) * 1e-3
    self.init(of: values, from: low, to: end, binCount: binCount)
  }

  /// The numbers counted in `binCount` bins of one width between two ends; numbers beyond count in the outermost bins.
  public init(of values: some Collection<Float>, from low: Double, to high: Double, binCount: Int) {
    precondition(low < high && binCount > 0, "\(binCount) bins from \(low) to \(high)")
    let width = (high - low) / Double(binCount)
    var counts = [Int](repeating: 0, count: binCount)
    for value in values where value.isFinite {
      let place = ((Double(value) - low) / width).rounded(.down)
      counts[Int(min(max(place, 0), Double(binCount - 1)))] += 1
    }
    self.init(edges: (0...binCount).map { low + Double($0) * width }, counts: counts)
  }
}

/// How a tensor's numbers are spread before and after quantization.
public struct ValueHistogram: Sendable {
  /// What the numbers are.
  public enum Kind: String, Sendable {
    case weights
    case activations
  }

  /// The tensor's name.
  public let name: String
  /// What the numbers are.
  public let kind: Kind
  /// In the float network.
  public let before: Histogram
  /// In the quantized network, dequantized.
  public let after: Histogram

  /// Histograms of one tensor.
  public init(_ name: String, _ kind: Kind, before: Histogram, after: Histogram) {
    self.name = name
    self.kind = kind
    self.before = before
    self.after = after
  }
}
