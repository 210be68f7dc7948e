import Datasets
import Foundation
import Graphs
import Tensors
import Testing
import _TestSupport

@Suite struct IDXFileTests {
  private static let graph = Graph(inputs: [.init("x", ValueType(.float32, ["N", 1, 2, 3]))])

  /// Two pictures of 2 × 3 pixels.
  private static let pictures: [UInt8] =
    [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3] + (0..<12).map { UInt8($0 * 20) }
  private static let labels: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 2, 9, 4]

  /// The pictures packed by gzip.
  private static let packed = Array(
    Data(
      base64Encoded:
        "H4sIAAAAAAACA2Ng4GBmYGBggmJmBhENm4CUip4FW07cAQCmE+RdHAAAAA==")!)

  @Test func picturesAndLabels() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.pictures, to: "some-images.idx3-ubyte")
    let data = try Dataset(contentsOf: path, for: Self.graph)
    #expect(data.count == 2 && data.labels == nil)
    #expect(
      try data.batch([1])["x"]!.elements(of: Float.self)
        == (6..<12).map { Float(Double($0 * 20) / 255) })
    _ = try folder.write(Self.labels, to: "some-labels.idx1-ubyte")
    #expect(try Dataset(contentsOf: path, for: Self.graph).labels == [9, 4])
    #expect(
      message {
        _ = try Dataset(contentsOf: folder.file("some-labels.idx1-ubyte"), for: Self.graph)
      }
        == "\(folder.file("some-labels.idx1-ubyte")): holds an array of shape [2]; pictures of "
        + "[count, rows, columns] are expected: give the file of pictures, its labels are found "
        + "beside it")
    _ = try folder.write([0, 0, 8, 1, 0, 0, 0, 1, 9], to: "some-labels.idx1-ubyte")
    #expect(
      message { _ = try Dataset(contentsOf: path, for: Self.graph) }
        == "\(folder.file("some-labels.idx1-ubyte")): holds labels of shape [1] for 2 pictures in "
        + path)
  }

  @Test func packedByGzip() throws {
    let folder = try TemporaryFolder()
    let plain = try folder.write(Self.pictures, to: "a.idx")
    let packed = try folder.write(Self.packed, to: "b.gz")
    let both = try [plain, packed].map {
      try Dataset(contentsOf: $0, for: Self.graph).batch(0..<2)["x"]!
    }
    #expect(both[0].isIdentical(to: both[1]))
  }

  @Test(arguments: [pictures, packed]) func damaged(_ sound: [UInt8]) throws {
    let findings = try readDamaged(sound) { (path: String) in
      _ = try Dataset(contentsOf: path, for: Self.graph).batch([0])
    }
    #expect(findings.isEmpty)
  }

  @Test func shorterThanItsShape() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.pictures.dropLast(), to: "a.idx")
    #expect(
      message { _ = try Dataset(contentsOf: path, for: Self.graph) }
        == "\(path): holds 11 bytes of data, its shape [2, 2, 3] takes 12; the file is cut short")
    let huge = try folder.write(
      Self.pictures.prefix(4) + [UInt8](repeating: 0x7F, count: 12), to: "b.idx")
    #expect(
      message { _ = try Dataset(contentsOf: huge, for: Self.graph) }?.contains("impossible shape")
        == true)
  }
}
