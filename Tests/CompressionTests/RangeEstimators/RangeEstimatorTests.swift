import NumberFormats
import Tensors
import Testing

@testable import Compression

@Suite struct RangeEstimatorTests {
  static let schemes: [QuantizationScheme] = [
    CodeType.uint8, .int8, .int4, .uint4, .uint16, .powerOfTwo(bits: 4), .signed(bits: 2),
  ].flatMap { code in
    Mapping.all.compactMap { try? QuantizationScheme(code, .perTensor, $0) }
  }

  static let estimators: [any RangeEstimator] = RangeEstimators.all.map {
    $0.make($0.defaultParameter ?? 0)
  }

  static func statistics(_ batches: [Float]..., for estimator: any RangeEstimator) throws
    -> TensorStatistics
  {
    var statistics = TensorStatistics(estimator.requires)
    for batch in batches { try statistics.observe(Tensor(batch)) }
    return statistics
  }

  static func ranges(
    _ values: [Float], _ estimator: any RangeEstimator, _ scheme: QuantizationScheme
  ) throws -> [ValueRange] {
    [
      estimator.range(from: try statistics(values, for: estimator), for: scheme),
      values.withUnsafeBufferPointer { estimator.range(of: $0, for: scheme) },
    ]
  }

  static func normal(_ count: Int, seed: UInt64 = 1) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in Float(generator.normal()) }
  }

  static let distributions: [[Float]] = [
    normal(5000), normal(5000).map { abs($0) }, normal(5000).map { -max($0, 0) },
    normal(3000) + [200], normal(300).map { $0 + 50 }, (0..<1000).map { Float($0) / 1000 },
    [3], [-0.001], [2, 2, 2, 2], [0, 0, 0, 5], [1e-30, -2e-30], [1e30, -1e25],
    [.leastNonzeroMagnitude], [.greatestFiniteMagnitude, 1],
  ]

  @Test(arguments: distributions.indices)
  func containZeroAndStayInsideOfWhatWasSeen(_ index: Int) throws {
    let values = Self.distributions[index]
    let (least, greatest) = (min(values.min() ?? 0, 0), max(values.max() ?? 0, 0))
    for estimator in Self.estimators {
      for scheme in Self.schemes {
        for range in try Self.ranges(values, estimator, scheme) {
          #expect(range.min <= 0 && range.max >= 0)
          #expect(range.min >= least && range.max <= greatest, "\(estimator) \(scheme) \(range)")
          #expect(!range.isZero, "\(estimator) \(scheme) made nothing of \(values.prefix(5))")
        }
      }
    }
  }

  @Test func nothingAndZerosGiveZero() throws {
    for estimator in Self.estimators {
      for scheme in Self.schemes {
        for range in try Self.ranges([0, 0, -0.0], estimator, scheme) { #expect(range.isZero) }
        for range in try Self.ranges([], estimator, scheme) { #expect(range.isZero) }
      }
    }
  }

  @Test func scalingTheNumbersScalesTheRange() throws {
    let values = Self.normal(4000) + [30, -9]
    for estimator in Self.estimators {
      for scheme in Self.schemes {
        let plain = try Self.ranges(values, estimator, scheme)
        for factor: Float in [0.125, 64] {
          let scaled = try Self.ranges(values.map { $0 * factor }, estimator, scheme)
          for (one, other) in zip(plain, scaled) {
            #expect(abs(one.min * factor - other.min) <= 1e-5 * factor, "\(estimator) \(scheme)")
            #expect(abs(one.max * factor - other.max) <= 1e-5 * factor, "\(estimator) \(scheme)")
          }
        }
      }
    }
  }

  // MARK: One by one

  @Test func minMaxCoversAll() throws {
    for range in try Self.ranges([-2, 7, 3], MinMaxEstimator(), Self.schemes[0]) {
      #expect(range == ValueRange(-2, 7))
    }
  }

  @Test func threeSigmaIsExact() throws {
    // Mean 1, standard deviation 2.
    let values = [Float](repeating: 3, count: 500) + [Float](repeating: -1, count: 500)
    for n in [0.25, 0.5] {
      for range in try Self.ranges(values, NSigmaEstimator(n), Self.schemes[0]) {
        #expect(range == ValueRange(min(Float(1 - n * 2), 0), Float(1 + n * 2)))
      }
    }
    let outlier = values + [1000]
    let moments = try #require(Self.statistics(outlier, for: NSigmaEstimator()).moments)
    for range in try Self.ranges(outlier, NSigmaEstimator(3), Self.schemes[0]) {
      #expect(range.min == -1)
      #expect(abs(range.max - Float(moments.mean + 3 * moments.standardDeviation)) < 1e-3)
      #expect(range.max < 150)
    }
  }

  @Test(
    arguments: [
      (90.0, Mapping.symmetric, -900, 900), (90, .affine, -900, 900), (100, .affine, -1000, 1000),
      (50, .symmetric, -500, 500),
    ] as [(Double, Mapping, Float, Float)])
  func percentilesOfARampAreExact(
    _ percentage: Double, _ mapping: Mapping, _ low: Float, _ high: Float
  ) throws {
    let ramp = (-1000...1000).map { Float($0) }
    let scheme = try QuantizationScheme(.int8, .perTensor, mapping)
    let found = try Self.ranges(ramp, PercentileEstimator(percentage), scheme)
    // A bin of 4096 is 1024 / 4096 wide; each number lies at the start of its bin.
    #expect(abs(found[0].min - low) <= 1.5 && abs(found[0].max - high) <= 1.5)
    #expect(abs(found[1].min - low) <= 1 && abs(found[1].max - high) <= 1)
  }

  @Test func percentilesOfOneSignAreCutAtOneEnd() throws {
    let scheme = try QuantizationScheme(.uint8, .perTensor, .affine)
    let ramp = (0...1000).map { Float($0) }
    for range in try Self.ranges(ramp, PercentileEstimator(99), scheme) {
      #expect(range.min == 0 && abs(range.max - 990) <= 0.5)
    }
    let below = try Self.ranges(ramp.map { -$0 }, PercentileEstimator(99), scheme)
    for range in below { #expect(range.max == 0 && abs(range.min + 990) <= 0.5) }
    // Half of the numbers are zeros, as after a Relu.
    let relu = [Float](repeating: 0, count: 1001) + ramp
    for range in try Self.ranges(relu, PercentileEstimator(90), scheme) {
      #expect(range.min == 0 && abs(range.max - 800) <= 1)
    }
  }

  @Test func percentilesAmongZerosClipNothing() throws {
    let values = [Float](repeating: 0, count: 1000) + [5]
    for scheme in Self.schemes {
      for range in try Self.ranges(values, PercentileEstimator(90), scheme) {
        #expect(range == ValueRange(0, 5))
      }
    }
  }

  @Test func movingAverageIgnoresOneWildBatch() throws {
    let estimator = MovingAverageEstimator()
    let batches = [Float](repeating: 0, count: 9).map { _ in [Float(-1), 1] }
    var statistics = TensorStatistics(estimator.requires)
    for batch in batches { try statistics.observe(Tensor(batch)) }
    try statistics.observe(Tensor([Float(-1), 100]))
    let range = estimator.range(from: statistics, for: Self.schemes[0])
    #expect(range.min == -1 && range.max > 10 && range.max < 12)
  }

  // MARK: Errors and divergences

  static func error(
    _ values: [Float], _ scheme: QuantizationScheme, _ range: ValueRange
  ) throws -> Double {
    let (scale, zeroPoint) = try scheme.parameters(for: range)
    return values.withUnsafeBufferPointer {
      scheme.squaredError(of: $0, scale: scale, zeroPoint: zeroPoint)
    }
  }

  @Test(arguments: distributions.indices) func mseIsNeverWorseThanMinMax(_ index: Int) throws {
    let values = Self.distributions[index]
    let full = ValueRange(values.min() ?? 0, values.max() ?? 0)
    for scheme in Self.schemes {
      // A full range's lowest code may be beyond the greatest float: such a range can't be.
      guard let worst = try? Self.error(values, scheme, full) else { continue }
      let best = values.withUnsafeBufferPointer { MSEEstimator().range(of: $0, for: scheme) }
      #expect(try Self.error(values, scheme, best) <= worst)
    }
  }

  @Test func mseFindsTheBestRangeOfAFineGrid() throws {
    let values = Self.normal(4000)
    for scheme in Self.schemes where scheme.code.bitWidth <= 8 {
      let best = values.withUnsafeBufferPointer { MSEEstimator().range(of: $0, for: scheme) }
      let found = try Self.error(values, scheme, best)
      let full = ValueRange(values.min() ?? 0, values.max() ?? 0)
      for factor in stride(from: Float(0.1), through: 1, by: 0.005) {
        let range = ValueRange(full.min * factor, full.max * factor)
        #expect(found <= (try Self.error(values, scheme, range)) * 1.02, "\(scheme) \(factor)")
      }
    }
  }

  @Test func mseOfStatisticsIsNearlyThatOfTheNumbers() throws {
    for values in [Self.normal(20_000), Self.normal(20_000).map { max($0, 0) }] {
      for scheme in Self.schemes where scheme.code.bitWidth <= 8 {
        let found = try Self.ranges(values, MSEEstimator(), scheme)
        let (one, other) = (
          try Self.error(values, scheme, found[0]), try Self.error(values, scheme, found[1])
        )
        #expect(one <= other * 1.03, "\(scheme) \(found)")
      }
    }
  }

  @Test func mseOfAUniformDistributionIsTheRange() throws {
    let values = (0...4000).map { Float($0) / 2000 - 1 }
    let scheme = try QuantizationScheme(.int8, .perTensor, .symmetric)
    for range in try Self.ranges(values, MSEEstimator(), scheme) {
      #expect(range.max > 0.98 && range.min < -0.98)
    }
  }

  /// With N numbers near 0 and one at x, the error (x − T)² + N (T / 127)² / 12 is least at T = x / (1 + N / (12 · 127²)).
  @Test func mseWeighsOneOutlierAgainstRounding() throws {
    let values = Self.normal(50_000) + [60]
    let scheme = try QuantizationScheme(.int8, .perTensor, .symmetric)
    let expected = 60 / Float(1 + 50_000 / (12 * 127.0 * 127.0))
    for range in try Self.ranges(values, MSEEstimator(), scheme) {
      #expect(abs(range.max - expected) < 0.02 * expected)
    }
    let narrow = try QuantizationScheme(.int4, .perTensor, .symmetric)
    for range in try Self.ranges(values, MSEEstimator(), narrow) { #expect(range.max < 6) }
  }

  @Test(arguments: ["entropy", "percentile(99.9)", "nSigma"])
  func outliersAreClipped(_ name: String) throws {
    let estimator = try RangeEstimatorChoice(name: name).estimator
    let values = Self.normal(50_000) + [60]
    for scheme in Self.schemes where scheme.code.isLinear && scheme.code.bitWidth <= 8 {
      for range in try Self.ranges(values, estimator, scheme) {
        #expect(range.max < 30, "\(name) \(scheme): \(range)")
      }
    }
  }

  @Test func mseClipsTheEndWithTheOutlierAlone() throws {
    let scheme = try QuantizationScheme(.uint4, .perTensor, .affine)
    let values = Self.normal(50_000).map { max($0, -0.2) } + [20]
    for range in try Self.ranges(values, MSEEstimator(), scheme) {
      #expect(range.max < 6 && range.min < 0)
    }
  }

  @Test func entropyKeepsAUniformDistribution() throws {
    let values = (0..<20_000).map { Float($0 % 4001) / 2000 - 1 }
    for code in [CodeType.int8, .int4] {
      let scheme = try QuantizationScheme(code, .perTensor, .symmetric)
      for range in try Self.ranges(values, EntropyEstimator(), scheme) {
        #expect(range.max > 0.9 && range.min < -0.9)
      }
    }
  }

  @Test func entropyTakesNonNegativeNumbersWithAllCodes() throws {
    let values = Self.normal(100_000).map { max($0, 0) } + [50]
    let scheme = try QuantizationScheme(.uint8, .perTensor, .affine)
    for range in try Self.ranges(values, EntropyEstimator(), scheme) {
      #expect(range.min == 0 && range.max < 12 && range.max > 2)
    }
  }

  // MARK: Weights

  @Test func weightsAreEstimatedRegionByRegion() throws {
    let rows = (0..<6).map { row in
      Self.normal(256, seed: UInt64(row)).map { $0 * Float(1 << row) }
    }
    let weight = Tensor(rows.flatMap { $0 }, shape: [6, 256])
    let scheme = try QuantizationScheme(.int4, .perChannel(axis: 0), .symmetric)
    for estimator in Self.estimators {
      let parameters = try estimator.parameters(of: weight, for: scheme)
      for (row, values) in rows.enumerated() {
        let range = values.withUnsafeBufferPointer { estimator.range(of: $0, for: scheme) }
        #expect(parameters.scales[row] == (try scheme.parameters(for: range).scale))
      }
    }
    let groups = try scheme.with(.perGroup(size: 100, axis: 1))
    let parameters = try MSEEstimator().parameters(of: weight, for: groups)
    #expect(parameters.shape == [6, 3])
  }

  @Test func weightsMustBeFinite() {
    let weight = Tensor([Float(1), .nan], shape: [1, 2])
    for estimator in Self.estimators {
      #expect {
        try estimator.parameters(of: weight, for: Self.schemes[0])
      } throws: { "\($0)".hasPrefix("NaN at [0, 1]; ") }
    }
  }
}
