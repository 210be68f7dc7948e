import Execution
import Graphs
import Tensors
import Testing

@Suite struct WeightOnlyTests {
  private static let settings: [String: AttributeValue] = [
    "K": .int(20), "N": .int(2), "bits": .int(4), "block_size": .int(16),
  ]

  @Test func blocksOfFourBits() throws {
    // Two rows of two blocks of 16 codes, of which the second is 4 long: all codes are 9, the lowest bits first.
    let b = Tensor([UInt8](repeating: 0x99, count: 32), shape: [2, 2, 8])
    let scales = Tensor([Float(1), 10, 2, 20])
    let a = Tensor([Float](repeating: 1, count: 20), shape: [1, 20])
    let y = try applySingle(.microsoft("MatMulNBits"), [a, b, scales], WeightOnlyTests.settings)
    // The middle code, 8, stands for 0.
    #expect(y.elements(of: Float.self) == [16 + 40, 32 + 80])
    let zeros = Tensor([UInt8(0x79), 0x79])
    let shifted = try applySingle(
      .microsoft("MatMulNBits"), [a, b, scales, zeros], WeightOnlyTests.settings)
    #expect(shifted.elements(of: Float.self) == [80, 160])
  }

  @Test func wrongShapesAreNamed() {
    let text = message {
      _ = try applySingle(
        .microsoft("MatMulNBits"),
        [counting([1, 20]), Tensor([UInt8](repeating: 0, count: 32)), Tensor([Float(1)])],
        WeightOnlyTests.settings)
    }
    #expect(text == "node: input 1 is uint8[32]; must be shaped [2, 2, 8]")
  }

  @Test(arguments: [("bits", 5), ("block_size", 8), ("accuracy_level", 9), ("K", 0)])
  func wrongSettings(_ name: String, _ value: Int) {
    var settings = WeightOnlyTests.settings
    settings[name] = .int(value)
    let text = message {
      _ = try applySingle(
        .microsoft("MatMulNBits"), [counting([1, 20]), counting([1]), counting([1])], settings)
    }
    #expect(text.hasPrefix("node: attribute '\(name)' is \(value); must be"))
  }

  @Test func tablesOfWholeBlocksStayWhatTheyAre() throws {
    let data = Tensor([UInt8](repeating: 0x5A, count: 16), shape: [2, 8])
    let scales = Tensor([Float(1), 3], shape: [2, 1])
    let y = try applySingle(
      .microsoft("GatherBlockQuantized"), [data, list(1, 0, -1), scales],
      ["block_size": .int(16)])
    #expect(y.shape == [3, 16])
    #expect(y.elements(of: Float.self).prefix(2) == [6, -9])
    #expect(y.elements(of: Float.self)[16...].prefix(2) == [2, -3])
  }
}
