import Tensors

extension Dataset {
  /// Some samples, drawn at random: all where there are fewer than `count`.
  ///
  /// Where there are labels every class has its share. The same seed draws the same samples.
  public func sample(_ count: Int, seed: UInt64) -> Dataset {
    subset(mixedOrder(seed: seed).prefix(count).sorted())
  }

  /// Disjoint random parts with the given numbers of samples, each with its share of every class.
  ///
  /// Throws ``DatasetError`` where there are fewer samples. The same seed gives the same parts.
  public func split(counts: [Int], seed: UInt64) throws -> [Dataset] {
    precondition(counts.allSatisfy { $0 >= 0 }, "parts of \(counts) samples")
    let wanted = counts.reduce(0, +)
    guard wanted <= count else {
      throw DatasetError(
        .empty,
        "parts of \(counts.map(String.init).joined(separator: " + ")) samples are asked for, there "
          + "are \(count); ask for fewer or give more data")
    }
    var order = mixedOrder(seed: seed)[...]
    return counts.map { length in
      defer { order = order.dropFirst(length) }
      return subset(order.prefix(length).sorted())
    }
  }

  /// Disjoint random parts with the given shares of the samples, each with its share of every class.
  ///
  /// The shares are each between 0 and 1 and add up to at most 1. Every part with a share above 0 has at least one sample;
  /// throws ``DatasetError`` where there are too few for that.
  public func split(fractions: [Double], seed: UInt64) throws -> [Dataset] {
    let total = fractions.reduce(0, +)
    precondition(
      fractions.allSatisfy { $0 >= 0 } && total <= 1 + 1e-9, "shares of \(fractions)")
    // Rounded at the borders, so that shares of the whole leave nothing out.
    var borders = [0]
    var sum = 0.0
    for fraction in fractions {
      sum += fraction
      borders.append(Int((sum * Double(count)).rounded()))
    }
    let counts = zip(borders.dropFirst(), borders).map(-)
    for (fraction, length) in zip(fractions, counts) where fraction > 0 && length == 0 {
      throw DatasetError(
        .empty,
        "a share of \(fraction) of \(count) samples is none; give more data or a larger share")
    }
    return try split(counts: counts, seed: seed)
  }

  /// All indices in random order, so mixed that any run of neighbours has its share of each class.
  private func mixedOrder(seed: UInt64) -> [Int] {
    var generator = SeededGenerator(seed: seed)
    let order = generator.permutation(of: count)
    guard let labels else { return order }
    var sizes: [Int: Int] = [:]
    for label in labels { sizes[label, default: 0] += 1 }
    // The k-th of n samples of a class goes to (k + u) / n of the way; u, one a class, keeps classes of one size from
    // standing in the same order throughout.
    var offsets: [Int: Double] = [:]
    for label in sizes.keys.sorted() { offsets[label] = generator.uniform() }
    var seen: [Int: Int] = [:]
    let places = order.enumerated().map { rank, index in
      let label = labels[index]
      defer { seen[label, default: 0] += 1 }
      let place = (Double(seen[label, default: 0]) + offsets[label]!) / Double(sizes[label]!)
      return (place: place, rank: rank, index: index)
    }
    return places.sorted { ($0.place, $0.rank) < ($1.place, $1.rank) }.map(\.index)
  }
}
