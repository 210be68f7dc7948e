import Tensors
import Testing
import _TestSupport

@testable import Datasets

private func npy(_ name: String) -> String { TestSupport.fixture("npy/\(name)") }

@Suite struct NumPyTests {
  /// The arrays that the fixtures' script made, as NumPy prints them.
  static let expected: [(String, Tensor)] = [
    ("i1", Tensor((-4..<4).map(Int8.init))),
    ("i2", Tensor([0, 1, 2] as [Int16])),
    ("i4", Tensor([0, 1, 2, 3] as [Int32])),
    ("i8", Tensor([0, 1, 2, 3, 4, 5] as [Int64], shape: [2, 3])),
    ("u1", Tensor((0..<8).map(UInt8.init))),
    ("b1", Tensor([true, false])),
    ("scalar", Tensor(scalar: Float(3.5))),
    ("empty", Tensor([] as [Float], shape: [0, 3])),
    ("be_f4", Tensor([1, 2] as [Float])),
  ]

  @Test(arguments: expected) func fixture(_ name: String, _ expected: Tensor) throws {
    let array = try Tensor(contentsOfNumPy: npy("\(name).npy"))
    #expect(array.isIdentical(to: expected), "\(array)")
  }

  @Test func floats() throws {
    let array = try Tensor(contentsOfNumPy: npy("f4.npy"))
    #expect(array.shape == [3, 4])
    #expect(array.elements(of: Float.self).prefix(2) == [0.12573022, -0.13210486])
    let half = try Tensor(contentsOfNumPy: npy("f2.npy"))
    #expect(half.elementType == .float16 && half.shape == [2, 2, 2])
    #expect(try Tensor(contentsOfNumPy: npy("f8.npy")).elementType == .float64)
  }

  @Test(arguments: ["v2.npy", "v3.npy", "fortran.npy"]) func sameArray(_ name: String) throws {
    let array = try Tensor(contentsOfNumPy: npy(name))
    #expect(array.isIdentical(to: try Tensor(contentsOfNumPy: npy("f4.npy"))))
  }

  @Test(arguments: ["stored.npz", "deflated.npz", "plain.npz", "zip64.npz"])
  func archive(_ name: String) throws {
    let arrays = try NumPyArchive(contentsOf: npy(name)).arrays
    #expect(
      arrays.keys.sorted() == (["plain.npz", "zip64.npz"].contains(name) ? ["x"] : ["ids", "x"]))
    #expect(arrays["x"]!.isIdentical(to: try Tensor(contentsOfNumPy: npy("f4.npy"))))
    if let ids = arrays["ids"] {
      #expect(ids.isIdentical(to: try Tensor(contentsOfNumPy: npy("i8.npy"))))
    }
  }

  @Test(arguments: ["f4", "f2", "f8", "i1", "i2", "i4", "i8", "u1", "b1", "scalar", "empty"])
  func writesNumPysBytes(_ name: String) throws {
    let folder = try TemporaryFolder()
    try writeNumPy(try Tensor(contentsOfNumPy: npy("\(name).npy")), to: folder.file("out.npy"))
    #expect(try bytes(ofFile: folder.file("out.npy")) == bytes(ofFile: npy("\(name).npy")))
  }

  static let every: [(String, Shape, ElementType)] = [
    ("a/b:0", [2, 3, 5], .float32), ("größe", [7], .uint16), ("z", [], .uint64),
    ("half", [3], .float16), ("none", [0], .int8), ("flags", [4], .bool), ("d", [1, 1], .float64),
  ]

  @Test func archiveRoundTrip() throws {
    let folder = try TemporaryFolder()
    let arrays = Dictionary(
      uniqueKeysWithValues: Self.every.map { name, shape, type in
        (name, Tensor.zeros(shape, type))
      })
    for name in ["a.npz", "b.npz"] { try writeNumPyArchive(arrays, to: folder.file(name)) }
    #expect(try bytes(ofFile: folder.file("a.npz")) == bytes(ofFile: folder.file("b.npz")))
    let read = try NumPyArchive(contentsOf: folder.file("a.npz")).arrays
    #expect(read.keys.sorted() == arrays.keys.sorted())
    for (name, array) in arrays { #expect(read[name]?.isIdentical(to: array) == true, "\(name)") }
    // Arrays begin at multiples of 64, so that a mapped one needs no copy.
    for array in read.values where array.byteCount > 0 {
      array.withUnsafeBytes { #expect(Int(bitPattern: $0.baseAddress!) % 64 == 0) }
    }
  }

  /// What is said of arrays beyond 4 GB, field by field: such files are too large for a test.
  @Test func largeArchives() {
    let far = ZipRecord(name: "x.npy", [], .zeros([0], .uint8), offset: 5 << 32)
    far.directoryRecord().withUnsafeBytes { bytes in
      #expect(bytes.count == 63)
      #expect(bytes.littleEndian(UInt32.self, at: 42) == 0xFFFF_FFFF)
      #expect(bytes.littleEndian(UInt16.self, at: 51) == 1)
      #expect(bytes.littleEndian(UInt16.self, at: 53) == 8)
      #expect(bytes.littleEndian(UInt64.self, at: 55) == 5 << 32)
    }
    let end = ZipRecord.end(count: 70_000, directory: (5 << 32)..<(5 << 32) + 100)
    end.withUnsafeBytes { bytes in
      #expect(bytes.count == 56 + 20 + 22)
      #expect(bytes.littleEndian(UInt64.self, at: 32) == 70_000)
      #expect(bytes.littleEndian(UInt64.self, at: 40) == 100)
      #expect(bytes.littleEndian(UInt64.self, at: 48) == 5 << 32)
      #expect(bytes.littleEndian(UInt64.self, at: 64) == (5 << 32) + 100)
      #expect(bytes.littleEndian(UInt16.self, at: 86) == 0xFFFF)
    }
  }

  @Test func emptyArchive() throws {
    let folder = try TemporaryFolder()
    try writeNumPyArchive([:], to: folder.file("a.npz"))
    #expect(try NumPyArchive(contentsOf: folder.file("a.npz")).arrays.isEmpty)
  }

  @Test func unnameableType() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.npz")
    let error = #expect(throws: DatasetError.self) {
      try writeNumPyArchive(["w": .zeros([2], .bfloat16)], to: path)
    }
    #expect(
      error?.description
        == "\(path) › w: has bfloat16 elements, which NumPy's format has no name for; "
        + "convert it to float32")
  }
}
