import NumberFormats
import Tensors
import Testing

@testable import Compression

@Suite struct TensorStatisticsTests {
  static let kinds: Set<StatisticKind> = [
    .range, .movingAverage, .moments, .histogram,
  ]

  static func random(_ shape: Shape, seed: UInt64) -> Tensor {
    var generator = SeededGenerator(seed: seed)
    return Tensor((0..<shape.count).map { _ in Float(generator.normal() * 2 + 1) }, shape: shape)
  }

  @Test func gathersOnlyWhatIsAskedFor() throws {
    var statistics = TensorStatistics([.range])
    try statistics.observe(Tensor([Float(2), -1, 5]))
    #expect(statistics.range?.min == -1 && statistics.range?.max == 5)
    #expect(statistics.histogram == nil && statistics.moments == nil)
    #expect(statistics.movingAverage == nil)
    #expect(statistics.count == 3 && statistics.batchCount == 1)
  }

  @Test func rangesKeepWhatWasSeenAndWidenOnlyToQuantize() throws {
    var statistics = TensorStatistics([.range])
    #expect(statistics.range?.isEmpty == true)
    #expect(statistics.range?.valueRange == ValueRange(0, 0))
    try statistics.observe(Tensor([Float(2), 5]))
    #expect(statistics.range?.min == 2)
    #expect(statistics.range?.valueRange == ValueRange(0, 5))
  }

  @Test func movingAverageOfFewBatchesIsNearlyTheirMean() throws {
    var statistics = TensorStatistics([.movingAverage])
    for batch in [[Float(-1), 1], [-3, 5], [-2, 3]] { try statistics.observe(Tensor(batch)) }
    let weights: [Float] = [0.99 * 0.99, 0.99, 1]
    let sum = weights.reduce(0, +)
    let range = try #require(statistics.movingAverage?.valueRange)
    #expect(abs(range.min - (-weights[0] - 3 * weights[1] - 2) / sum) < 1e-6)
    #expect(abs(range.max - (weights[0] + 5 * weights[1] + 3) / sum) < 1e-6)
  }

  @Test func momentsEqualThoseOfAllNumbers() throws {
    let tensors = (0..<5).map { Self.random([3, 40, 1 + 31 * $0], seed: UInt64($0)) }
    var statistics = TensorStatistics([.moments])
    for tensor in tensors { try statistics.observe(tensor) }
    let all = tensors.flatMap { $0.elements(of: Float.self).map { Double($0) } }
    let mean = all.reduce(0, +) / Double(all.count)
    let variance = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count)
    let moments = try #require(statistics.moments)
    #expect(moments.count == all.count)
    #expect(abs(moments.mean - mean) < 1e-12)
    #expect(abs(moments.variance - variance) < 1e-11)
  }

  @Test func constantsHaveNoVariance() throws {
    var statistics = TensorStatistics([.moments])
    for _ in 0..<10 { try statistics.observe(Tensor([Float](repeating: 0.1, count: 70_000))) }
    #expect(abs((statistics.moments?.standardDeviation ?? 1)) < 1e-8)
  }

  @Test func mergingIsObservingInOrder() throws {
    let tensors = (0..<6).map { Self.random([2, 4, 5], seed: UInt64($0)) }
    var whole = TensorStatistics(Self.kinds)
    var first = TensorStatistics(Self.kinds)
    var second = TensorStatistics(Self.kinds)
    for (index, tensor) in tensors.enumerated() {
      try whole.observe(tensor)
      if index < 3 { try first.observe(tensor) } else { try second.observe(tensor) }
    }
    try first.merge(second)
    #expect(first.range == whole.range)
    #expect(first.histogram == whole.histogram)
    #expect(first.count == whole.count && first.batchCount == whole.batchCount)
    let (a, b) = (try #require(first.moments), try #require(whole.moments))
    #expect(abs(a.mean - b.mean) < 1e-12 && abs(a.variance - b.variance) < 1e-12)
    let (c, d) = (
      try #require(first.movingAverage?.valueRange), try #require(whole.movingAverage?.valueRange)
    )
    #expect(abs(c.min - d.min) < 1e-6 && abs(c.max - d.max) < 1e-6)
  }

  @Test func resultsDoNotDependOnThreads() throws {
    let tensor = Self.random([7, 300, 211], seed: 4)
    let before = Threads.count
    defer { Threads.count = before }
    let results = try [1, 2, 5].map { threads in
      Threads.count = threads
      var statistics = TensorStatistics(Self.kinds)
      try statistics.observe(tensor)
      return statistics
    }
    #expect(results[0] == results[1] && results[0] == results[2])
  }

  @Test func otherFloatsAreWidened() throws {
    let values = (0..<500).map { Float(Float16(Float($0) / 7 - 20)) }
    let halves = Tensor(values.map { Float16($0).bitPattern }).reinterpreted(as: .float16)
    var (wide, narrow) = (
      TensorStatistics([.range, .histogram]), TensorStatistics([.range, .histogram])
    )
    try wide.observe(Tensor(values))
    try narrow.observe(halves)
    #expect(wide == narrow)
  }

  @Test func namesValueAndIndexOfABadNumber() throws {
    var tensor = Self.random([2, 3, 4], seed: 1)
    tensor.withMutableElements(of: Float.self) { $0[17] = -.infinity }
    var statistics = CalibrationStatistics(["conv1_out": [.range, .histogram]])
    #expect {
      try statistics.observe("conv1_out", tensor)
    } throws: {
      "\($0)" == "conv1_out: -infinity at [1, 1, 1]; numbers must be finite: repair the file or "
        + "whatever computed them"
    }
    #expect(statistics["conv1_out"]?.count == 0)
  }

  @Test func valuesThatNobodyAskedForAreLeftOut() throws {
    var statistics = CalibrationStatistics(["a": [.range]])
    try statistics.observe("b", Tensor([Float.nan]))
    #expect(statistics["b"] == nil && statistics["a"]?.count == 0)
    var other = statistics
    try other.observe("a", Tensor([Float(3)]))
    try statistics.merge(other)
    #expect(statistics["a"]?.range?.max == 3)
  }

  @Test func emptyBatchesChangeNothing() throws {
    var statistics = TensorStatistics(Self.kinds)
    try statistics.observe(.zeros([0, 4], .float32))
    #expect(statistics == TensorStatistics(Self.kinds))
  }
}
