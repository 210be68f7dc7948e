import Testing

@testable import Tensors

@Suite struct WeightMemoryTests {
  @Test func piecesAreAlignedAndApart() throws {
    let memory = WeightMemory()
    var end = 0
    for count in [1, 64, 65, 0, 4096, 1 << 20, 3] {
      let (bytes, _) = try #require(memory.allocate(count))
      #expect(Int(bitPattern: bytes) % 64 == 0)
      #expect(Int(bitPattern: bytes) >= end)
      bytes.initializeMemory(as: UInt8.self, repeating: 0xA5, count: count)
      end = Int(bitPattern: bytes) + count
    }
  }

  @Test func whatIsTooLargeForOneStretchBeginsAnother() throws {
    let memory = WeightMemory()
    let (first, owner) = try #require(memory.allocate(100))
    let (_, large) = try #require(memory.allocate(200 << 20))
    #expect(ObjectIdentifier(owner) != ObjectIdentifier(large))
    let (third, last) = try #require(memory.allocate(10))
    #expect(third != first)
    #expect(ObjectIdentifier(last) != ObjectIdentifier(owner))
  }

  /// A matrix keeps its memory alive, whatever becomes of the rest.
  @Test func matricesOutliveTheMemory() {
    var memory: WeightMemory? = WeightMemory()
    let source = (0..<64).map { Float($0) }
    let alone = PackedFloatMatrix(source, rows: 8, columns: 8, stride: 8, transposed: true)
    let shared = PackedFloatMatrix(
      source, rows: 8, columns: 8, stride: 8, transposed: true, in: memory)
    memory = nil
    let count = shared.byteCount / 4
    #expect((0..<count).allSatisfy { shared.memory[$0] == alone.memory[$0] })
  }
}
