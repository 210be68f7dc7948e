import CKernels

// Range, sums, errors and counts of float arrays.

extension Kernels {
  /// What ``range(_:count:)`` finds.
  package struct Range: Sendable {
    /// The least and greatest finite value; `+inf` and `-inf` where there is none.
    package var min, max: Float
    /// How many values are NaN or infinite.
    package var nonFiniteCount: Int
    /// The index of the first such value, nil where all are finite.
    package var firstNonFinite: Int?
  }

  /// The finite range of an array and where it is not finite.
  package static func range(_ x: UnsafePointer<Float>, count: Int) -> Range {
    let found = table.pointee.min_max(x, count)
    return Range(
      min: found.min, max: found.max, nonFiniteCount: found.non_finite,
      firstNonFinite: found.non_finite == 0 ? nil : found.first_non_finite)
  }

  /// Σx and Σx², accumulated in double.
  package static func sums(
    _ x: UnsafePointer<Float>, count: Int
  ) -> (sum: Double, sumOfSquares: Double) {
    let sums = table.pointee.sums(x, count)
    return (sums.sum, sums.sum_of_squares)
  }

  /// Σ(a − b)², accumulated in double.
  package static func squaredError(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int
  ) -> Double { table.pointee.squared_error(a, b, count) }

  /// Σab, accumulated in double.
  package static func dot(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int
  ) -> Double { table.pointee.dot(a, b, count) }

  /// How far numbers are from what they should be: sums over the pairs that are both finite.
  package struct Errors: Sendable {
    /// Σ expected², Σ value² and Σ value · expected.
    package var signal = 0.0, energy = 0.0, product = 0.0
    /// Σ (value − expected)², Σ |value − expected| and the greatest difference.
    package var noise = 0.0, distance = 0.0, greatest = 0.0
    /// The other pairs, but for those of two NaN or of the same infinity.
    package var nonFiniteCount = 0

    /// Of no pairs.
    package init() {}
  }

  /// How far `values` are from `expected`, pair by pair, accumulated in double.
  package static func errors(
    of values: UnsafePointer<Float>, expected: UnsafePointer<Float>, count: Int
  ) -> Errors {
    let found = table.pointee.errors(values, expected, count)
    var errors = Errors()
    (errors.signal, errors.energy, errors.product) = (found.signal, found.energy, found.product)
    (errors.noise, errors.distance, errors.greatest) = (found.noise, found.distance, found.greatest)
    errors.nonFiniteCount = found.non_finite
    return errors
  }

  /// A sum of clamped numbers, and how many of them were between the bounds.
  package struct ClampedSum: Sendable {
    package var sum = 0.0
    package var inside = 0

    /// Of no numbers.
    package init() {}

    init(_ found: tk_clamped_sum) { (sum, inside) = (found.sum, found.inside) }
  }

  /// Σ clamp(x + shift), accumulated in double.
  package static func clampedSum(
    _ x: UnsafePointer<Float>, count: Int, shift: Float, in bounds: ClosedRange<Float>
  ) -> ClampedSum {
    ClampedSum(
      table.pointee.clamped_sum(x, count, shift, bounds.lowerBound, bounds.upperBound))
  }

  /// Σ clamp(x + shift) over the pixels of each channel of `[pixels, shift.count]`, accumulated in double.
  package static func clampedSums(
    _ x: UnsafePointer<Float>, pixels: Int, shift: [Float], in bounds: ClosedRange<Float>
  ) -> [ClampedSum] {
    var sums = [tk_clamped_sum](repeating: tk_clamped_sum(sum: 0, inside: 0), count: shift.count)
    table.pointee.clamped_channel_sums(
      x, pixels, shift.count, shift, bounds.lowerBound, bounds.upperBound, &sums)
    return sums.map(ClampedSum.init)
  }

  /// Counts numbers by sign and magnitude into `counts`, of 2 · bins elements: those above 0 from the middle on upwards, in bins
  /// of width 1 / scale, those below 0 downwards. Gives the number of zeros, which are in no bin.
  ///
  /// Magnitudes must be less than bins / scale.
  package static func countMagnitudes(
    _ x: UnsafePointer<Float>, count: Int, scale: Float, bins: Int,
    into counts: UnsafeMutablePointer<UInt64>
  ) -> Int {
    precondition(1...(1 << 24) ~= bins, "\(bins) bins")
    return table.pointee.count_magnitudes(x, count, scale, counts, bins)
  }
}
