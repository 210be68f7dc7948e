import Foundation
import Graphs
import Tensors
import Testing
import _TestSupport

@testable import Datasets

/// Packed data that say little and unpack to much are refused before memory is taken.
@Suite struct UnpackingLimitTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func moreThanTheHeaderSays() throws {
    let header = try NumPyHeader.encoded([1], .float32)
    let path = try folder.write(
      ZipWire.archive(
        "x.npy", packed: ZipWire.stored(header + [UInt8](repeating: 0, count: 1 << 20)),
        byteCount: header.count + 1 << 20), to: "a.npz")
    #expect(
      message { _ = try NumPyArchive(contentsOf: path) }
        == "\(path) › x: holds 1048576 bytes of data, float32[1] takes 4; the file is damaged: make "
        + "it again")
  }

  struct Case: CustomTestStringConvertible {
    let name: String
    var type = "<f4"
    let shape: [Int]
    let message: String
    var testDescription: String { "\(name) \(type) \(shape)" }
  }

  /// Arrays of 256 MiB of which nothing but the header can be unpacked: who read on would say so.
  @Test(arguments: [
    Case(
      name: "wrong", shape: [1 << 24, 4],
      message:
        ": lacks 'x' and has 'wrong', which the network does not know; expected one array for "
        + "each of the inputs 'x', and 'labels' if you like"),
    Case(
      name: "x", type: "<i4", shape: [1 << 24, 4],
      message: " › x: is int32[16777216, 4]; the network takes float32, convert the array to it"),
    Case(
      name: "x", shape: [1 << 26],
      message:
        " › x: is float32[67108864]; the network takes float32[N, 4], the first axis the sample"),
    Case(
      name: "x", shape: [1 << 23, 8],
      message:
        " › x: is float32[8388608, 8]; the network takes float32[N, 4], the first axis the sample"
    ),
    Case(
      name: "x", shape: [1 << 24, 4],
      message: " › x: the packed data is damaged; fetch or make the file again"),
  ])
  func whatDoesNotFitIsNotUnpacked(_ bad: Case) throws {
    let path = try folder.write(
      ZipWire.unreadableArray(bad.name, bad.shape, type: bad.type), to: "a.npz")
    let graph = Graph(inputs: [.init("x", .init(.float32, [.named("N"), .fixed(4)]))], outputs: [])
    #expect(message { _ = try Dataset(contentsOf: path, for: graph) } == path + bad.message)
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
