/// The list of range estimators that recipes and the command line know.
public enum RangeEstimators {
  /// An estimator's name, and how it is made.
  public struct Form: Sendable {
    /// The name in recipes.
    public let name: String
    /// What it does, one sentence.
    public let explanation: String
    /// The parameter it takes where none is written; nil where it takes none.
    public let defaultParameter: Double?
    /// The parameters it takes.
    public let parameters: ClosedRange<Double>?
    let make: @Sendable (Double) -> any RangeEstimator

    init(
      _ name: String, _ explanation: String, _ make: @escaping @Sendable () -> any RangeEstimator
    ) {
      (self.name, self.explanation) = (name, explanation)
      (defaultParameter, parameters) = (nil, nil)
      self.make = { _ in make() }
    }

    init(
      _ name: String, _ parameter: Double, in parameters: ClosedRange<Double>,
      _ explanation: String, _ make: @escaping @Sendable (Double) -> any RangeEstimator
    ) {
      (self.name, self.explanation) = (name, explanation)
      (defaultParameter, self.parameters) = (parameter, parameters)
      self.make = make
    }
  }

  /// Every estimator. The one place to register another.
  public static let all: [Form] = [
    Form("minMax", "Covers every number seen.") { MinMaxEstimator() },
    Form("movingAverage", "Averages the ranges of the calibration batches.") {
      MovingAverageEstimator()
    },
    Form(
      "percentile", 99.99, in: 50...100,
      "Covers this percentage of the numbers and clips the rest."
    ) { PercentileEstimator($0) },
    Form(
      "nSigma", 3, in: 0.1...100, "Covers this many standard deviations on both sides of the mean."
    ) { NSigmaEstimator($0) },
    Form("mse", "Makes the expected squared error of rounding and clipping least.") {
      MSEEstimator()
    },
    Form("entropy", "Makes the Kullback-Leibler divergence of the coded distribution least.") {
      EntropyEstimator()
    },
  ]
}

/// An estimator as a recipe names it: `mse`, or `percentile(99.9)` with a parameter.
public struct RangeEstimatorChoice: Sendable {
  /// The name as it was written.
  public let name: String
  /// The estimator.
  public let estimator: any RangeEstimator

  /// The estimator of that name. Throws ``RecipeError`` that lists the names for any other, and for a parameter that the
  /// estimator does not take.
  public init(name: String) throws {
    let parts = name.split(separator: "(", maxSplits: 1, omittingEmptySubsequences: false)
    guard let form = RangeEstimators.all.first(where: { $0.name == parts[0] }) else {
      let names = RangeEstimators.all.map { form in
        form.defaultParameter.map { "\(form.name)(\(shortened($0)))" } ?? form.name
      }
      throw RecipeError(
        .invalidValue,
        "'\(name)' is no range estimator; must be one of \(names.joined(separator: ", "))")
    }
    self.name = name
    guard parts.count == 2 else {
      estimator = form.make(form.defaultParameter ?? 0)
      return
    }
    guard let allowed = form.parameters else {
      throw RecipeError(.invalidValue, "'\(name)': \(form.name) takes no parameter")
    }
    guard parts[1].hasSuffix(")"), let value = Double(parts[1].dropLast()), allowed.contains(value)
    else {
      throw RecipeError(
        .invalidValue,
        "'\(name)': the parameter of \(form.name) must be a number from "
          + "\(shortened(allowed.lowerBound)) to \(shortened(allowed.upperBound))")
    }
    estimator = form.make(value)
  }
}

extension RangeEstimatorChoice: Hashable, CustomStringConvertible {
  /// Whether both are written alike.
  public static func == (one: Self, other: Self) -> Bool { one.name == other.name }

  /// Hashes the name.
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }

  /// The name as it was written.
  public var description: String { name }
}

/// A number without needless decimals.
private func shortened(_ value: Double) -> String {
  value == value.rounded() ? String(Int(value)) : String(value)
}
