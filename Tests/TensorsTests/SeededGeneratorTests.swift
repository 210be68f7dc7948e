import Tensors
import Testing

@Suite struct SeededGeneratorTests {
  @Test func sameSeedSameNumbers() {
    var a = SeededGenerator(seed: 7)
    var b = SeededGenerator(seed: 7)
    for _ in 0..<100 { #expect(a.next() == b.next()) }
  }

  @Test func momentsOfTheNormalDistribution() {
    var generator = SeededGenerator(seed: 1)
    let values = (0..<100_000).map { _ in generator.normal() }
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
    #expect(abs(mean) < 0.02)
    #expect(abs(variance - 1) < 0.02)
  }

  @Test func permutationHoldsEachOnce() {
    var generator = SeededGenerator(seed: 3)
    #expect(generator.permutation(of: 50).sorted() == Array(0..<50))
  }
}
