import Foundation
import Tensors
import Testing

@Suite struct TensorTests {
  @Test func copiesShareUntilChanged() {
    let original = Tensor([Float(1), 2, 3], shape: [3])
    var copy = original
    copy.withMutableElements(of: Float.self) { $0[0] = 9 }
    #expect(original.elements(of: Float.self) == [1, 2, 3])
    #expect(copy.elements(of: Float.self) == [9, 2, 3])
  }

  @Test func rowsShareMemory() {
    let tensor = Tensor((0..<12).map { Int32($0) }, shape: [3, 4])
    #expect(tensor.rows(1..<2).elements(of: Int32.self) == [4, 5, 6, 7])
    #expect(tensor.rows(1..<3).shape == [2, 4])
    #expect(tensor.rows(2..<2).count == 0)
  }

  @Test func changingAViewLeavesTheWholeAlone() {
    let tensor = Tensor((0..<4).map { Float($0) }, shape: [2, 2])
    var row = tensor.rows(1..<2)
    row.withMutableElements(of: Float.self) { $0[0] = -1 }
    #expect(row.elements(of: Float.self) == [-1, 3])
    #expect(tensor.elements(of: Float.self) == [0, 1, 2, 3])
  }

  @Test func readsAMappedFileAtAnyOffset() throws {
    let path = NSTemporaryDirectory() + "tensor-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let values: [Float] = [1.5, -2.25, 3]
    var bytes: [UInt8] = [0xFF]
    for value in values { withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) } }
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let file = try MappedFile(path: path)
    var tensor = Tensor([3], .float32, in: file, byteOffset: 1)
    #expect(tensor.elements(of: Float.self) == values)
    tensor.withMutableElements(of: Float.self) { $0[1] = 0 }
    #expect(tensor.elements(of: Float.self) == [1.5, 0, 3])
    #expect(Tensor([3], .float32, in: file, byteOffset: 1).elements(of: Float.self) == values)
  }

  @Test func integersOfEveryWidth() {
    #expect(Tensor([Int8(-5), 7]).integers() == [-5, 7])
    #expect(Tensor([UInt16(65535)]).integers() == [65535])
    #expect(Tensor([true, false]).integers() == [1, 0])
    let packed = Tensor([UInt8(0xF8), 0x07], shape: [2])
    #expect(packed.integers() == [248, 7])
  }

  @Test(arguments: ElementType.allCases) func byteCountRoundsUp(_ type: ElementType) {
    #expect(type.byteCount(of: 0) == 0)
    #expect(type.byteCount(of: 8) == type.bitWidth)
    #expect(type.byteCount(of: 1) == (type.bitWidth + 7) / 8)
  }
}
