import Tensors

/// How often numbers fall between edges.
public struct BinCounts: Sendable, Equatable {
  /// The bins' edges, ascending, one more than there are bins.
  public let edges: [Double]
  /// How many numbers fell into each bin.
  public private(set) var counts: [Int]
  /// How many numbers lie below the first edge or above the last; they are counted in the outermost bins as well.
  public private(set) var outsideCount = 0

  /// Traps where there is not one more edge than counts, or edges don't ascend.
  public init(edges: [Double], counts: [Int]) {
    precondition(edges.count == counts.count + 1, "\(edges.count) edges, \(counts.count) bins")
    precondition(zip(edges, edges.dropFirst()).allSatisfy(<), "edges don't ascend")
    self.edges = edges
    self.counts = counts
  }

  /// No numbers, in `binCount` bins of one width between two ends. Traps where they don't ascend.
  public init(from low: Double, to high: Double, binCount: Int) {
    precondition(low < high && binCount > 0, "\(binCount) bins from \(low) to \(high)")
    let width = (high - low) / Double(binCount)
    self.init(
      edges: (0...binCount).map { low + Double($0) * width },
      counts: [Int](repeating: 0, count: binCount))
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
    self.init(from: low, to: high, binCount: binCount)
    add(values)
  }

  /// How many numbers were counted.
  public var count: Int { counts.reduce(0, +) }

  /// Counts more numbers; those that are not finite are left out. Complexity: O(n).
  public mutating func add(_ values: some Sequence<Float>) {
    let (low, high) = (edges[0], edges[edges.count - 1])
    let perUnit = Double(counts.count) / (high - low)
    let last = Double(counts.count - 1)
    var outside = 0
    counts.withUnsafeMutableBufferPointer { counts in
      for value in values where value.isFinite {
        let number = Double(value)
        if number < low || number > high { outside += 1 }
        // Truncation is rounding down, since what is negative becomes 0.
        counts[Int(min(max((number - low) * perUnit, 0), last))] += 1
      }
    }
    outsideCount += outside
  }
}
