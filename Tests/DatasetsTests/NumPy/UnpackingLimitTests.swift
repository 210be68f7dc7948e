import Foundation
import Tensors
import Testing
import _TestSupport

@testable import Datasets

/// Packed data that say little and unpack to much are refused before memory is taken.
@Suite struct UnpackingLimitTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A zip archive with one deflated member, in blocks that are stored (RFC 1951, 3.2.4), and no checksum.
  private func archive(_ name: String, _ content: [UInt8]) -> [UInt8] {
    var packed: [UInt8] = []
    for start in stride(from: 0, to: content.count, by: 0xFFFF) {
      let block = content[start..<min(start + 0xFFFF, content.count)]
      packed.append(start + block.count == content.count ? 1 : 0)
      packed.append(littleEndian: UInt16(block.count))
      packed.append(littleEndian: ~UInt16(block.count))
      packed += block
    }
    var fields: [UInt8] = [20, 0, 0, 0, 8, 0, 0, 0, 0, 0]
    for number in [0, packed.count, content.count] { fields.append(littleEndian: UInt32(number)) }
    fields.append(littleEndian: UInt16(name.utf8.count))
    var bytes: [UInt8] = [0x50, 0x4B, 3, 4] + fields + [0, 0] + Array(name.utf8) + packed
    let directory = bytes.count
    bytes += [0x50, 0x4B, 1, 2, 20, 0] + fields + [UInt8](repeating: 0, count: 16)
    bytes += Array(name.utf8)
    let length = bytes.count - directory
    bytes += [0x50, 0x4B, 5, 6, 0, 0, 0, 0, 1, 0, 1, 0]
    for number in [length, directory] { bytes.append(littleEndian: UInt32(number)) }
    return bytes + [0, 0]
  }

  @Test func moreThanTheHeaderSays() throws {
    let header = try NumPyHeader.encoded([1], .float32)
    let path = try folder.write(
      archive("x.npy", header + [UInt8](repeating: 0, count: 1 << 20)), to: "a.npz")
    #expect(
      message { _ = try NumPyArchive(contentsOf: path) }
        == "\(path) › x: holds 1048576 bytes of data, float32[1] takes 4; the file is damaged: make "
        + "it again")
  }

  @Test func moreThanMemoryCanHold() throws {
    let path = TestSupport.fixture("npy/deflated.npz")
    #expect(throws: Never.self) { try NumPyArchive(contentsOf: path, memoryLimit: 1 << 20) }
    #expect(
      message { _ = try NumPyArchive(contentsOf: path, memoryLimit: 100) }
        == "\(path): unpacks to 0 MiB, of which this machine can hold 0; give fewer samples, or an "
        + ".npz that is not packed (numpy.savez), which is read from the file as needed")
    #expect(throws: DatasetError.self) { try checkUnpacked(byteCount: .max) }
  }
}
