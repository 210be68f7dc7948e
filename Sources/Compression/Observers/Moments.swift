import Tensors

/// The number, mean and variance of numbers that are seen part by part.
///
/// Parts are joined by the formula of Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing
/// Sample Variances" (1979), equation 2.1, in double.
public struct Moments: Hashable, Sendable {
  /// How many numbers.
  public private(set) var count = 0
  /// Their mean, 0 of none.
  public private(set) var mean = 0.0
  /// The sum of squared distances from the mean.
  private var squares = 0.0

  /// Of no numbers.
  public init() {}

  init(of x: UnsafePointer<Float>, count: Int) {
    guard count > 0 else { return }
    let sums = Kernels.sums(x, count: count)
    self.count = count
    mean = sums.sum / Double(count)
    squares = max(sums.sumOfSquares - sums.sum * mean, 0)
  }

  /// The mean squared distance from the mean (divided by n, not n − 1), 0 of none.
  public var variance: Double { count == 0 ? 0 : squares / Double(count) }

  /// The square root of the variance.
  public var standardDeviation: Double { variance.squareRoot() }

  /// Adds the numbers that `other` has seen.
  public mutating func merge(_ other: Moments) {
    guard other.count > 0 else { return }
    let total = Double(count + other.count)
    let difference = other.mean - mean
    let share = Double(other.count) / total
    squares += other.squares + difference * difference * Double(count) * share
    mean += difference * share
    count += other.count
  }
}
