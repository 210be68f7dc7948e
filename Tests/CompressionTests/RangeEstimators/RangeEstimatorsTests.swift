import Testing

@testable import Compression

@Suite struct RangeEstimatorsTests {
  @Test func namesAreUnique() {
    #expect(Set(RangeEstimators.all.map(\.name)).count == RangeEstimators.all.count)
  }

  @Test(arguments: RangeEstimators.all.map(\.name)) func everyNameMakesOne(_ name: String) throws {
    #expect(try RangeEstimatorChoice(name: name).description == name)
  }

  @Test func parametersAreRead() throws {
    let percentile = try RangeEstimatorChoice(name: "percentile(99.5)")
    #expect((percentile.estimator as? PercentileEstimator)?.percentage == 99.5)
    let sigma = try RangeEstimatorChoice(name: "nSigma(2.5)")
    #expect((sigma.estimator as? NSigmaEstimator)?.n == 2.5)
    #expect((try RangeEstimatorChoice(name: "nSigma").estimator as? NSigmaEstimator)?.n == 3)
  }

  @Test(arguments: [
    (
      "kl",
      "'kl' is no range estimator; must be one of minMax, movingAverage, percentile(99.99), "
        + "nSigma(3), mse, entropy"
    ),
    ("mse(3)", "'mse(3)': mse takes no parameter"),
    (
      "percentile(30)",
      "'percentile(30)': the parameter of percentile must be a number from 50 to 100"
    ),
    (
      "percentile(nan)",
      "'percentile(nan)': the parameter of percentile must be a number from 50 to 100"
    ),
    ("nSigma()", "'nSigma()': the parameter of nSigma must be a number from 0.1 to 100"),
    ("nSigma(3", "'nSigma(3': the parameter of nSigma must be a number from 0.1 to 100"),
  ])
  func refusesOtherNames(_ name: String, _ message: String) {
    #expect {
      try RangeEstimatorChoice(name: name)
    } throws: { "\($0)" == message }
  }
}
