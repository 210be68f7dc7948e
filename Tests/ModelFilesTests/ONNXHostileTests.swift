import Foundation
import Graphs
import ModelFiles
import Tensors
import Testing
import _TestSupport

@Suite struct ONNXHostileTests {
  /// Reads a file and everything that it holds: views must lie within the mapping.
  private func readAll(_ path: String) throws {
    let model = try Model(contentsOf: path)
    for constant in model.graph.constants.values {
      #expect(constant.withUnsafeBytes { $0.reduce(0) { $0 &+ Int($1) } } >= 0)
    }
    if let upgraded = try? model.applying([UpgradeOldOperators()]) { try? upgraded.verify() }
  }

  @Test(arguments: try onnxFixtures())
  func cutsAndFlipsAreErrors(_ name: String) throws {
    let sound = try bytes(ofFile: TestSupport.fixture("onnx/" + name))
    let folder = try TemporaryFolder()
    let path = folder.file("m.onnx")
    func attempt(_ bytes: Bytes, _ what: String) throws {
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      do {
        try readAll(path)
      } catch let error as any LocatedError {
        #expect(error.description.hasPrefix(path) && !error.description.contains("\n"), "\(what)")
      }
    }
    for length in sound.indices { try attempt(Bytes(sound[..<length]), "cut to \(length)") }
    var random = SeededGenerator(seed: 1)
    for _ in 0..<200 {
      var flipped = sound
      let bit = Int.random(in: 0..<sound.count * 8, using: &random)
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      try attempt(flipped, "bit \(bit) flipped")
    }
  }

  @Test func formerCrashersAreErrors() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("FailCases").path
    for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    where name.hasSuffix(".onnx") {
      do {
        try readAll(folder + "/" + name)
      } catch let error as any LocatedError {
        #expect(!error.description.contains("\n"), "\(name)")
      }
    }
  }

  struct Case: CustomTestStringConvertible {
    let name: String
    let bytes: Bytes
    /// The message without the file's path.
    let message: String
    var testDescription: String { name }

    init(_ name: String, _ bytes: Bytes, _ message: String) {
      (self.name, self.bytes, self.message) = (name, bytes, message)
    }

    init(graph name: String, _ more: Bytes, _ message: String) {
      self.init(name, ONNXWire.model(ONNXWire.graph(more)), message)
    }

    init(constant name: String, _ lengths: [Int], type: Int = 1, _ data: Bytes, _ message: String) {
      self.init(
        graph: name, ONNXWire.initializer("w", lengths, type: type, data), " › 'w': " + message)
    }
  }

  @Test(arguments: ONNXHostileCases.all)
  func saysWhatIsWrong(_ hostile: Case) throws {
    let folder = try TemporaryFolder()
    _ = try folder.write([1, 2, 3, 4], to: "w.bin")
    let elsewhere = try TemporaryFolder()
    let outside = try elsewhere.write([1, 2, 3, 4], to: "other.bin")
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link.bin"), withDestinationPath: outside)
    let path = try folder.write(hostile.bytes, to: "m.onnx")
    let error = #expect(throws: (any Error).self) { try Model(contentsOf: path) }
    #expect((error as? any LocatedError)?.description == "\(path)\(hostile.message)")
  }

  /// Parts that take hundreds of bytes in memory and a few in the file.
  @Test(arguments: [
    ("nodes", ONNXWire.node("A", [], []), 2_000_000),
    ("value infos", Wire.bytes(13, []), 3_000_000),
  ])
  func refusesToFillTheMemory(_ what: String, _ part: Bytes, _ count: Int) throws {
    try refuses(many(part, count), ": ")
  }

  @Test func refusesToFillTheMemoryWithGraphs() throws {
    let attribute = ONNXWire.attribute("a", type: 10, many(Wire.bytes(11, []), 900_000))
    try refuses(
      ONNXWire.node("A", [], ["z"], name: "n", [attribute]), " › n › attribute 'a': ")
  }

  @Test func refusesToFillTheMemoryWithNumbers() throws {
    let numbers = Wire.bytes(8, Bytes(repeating: 1, count: 24_000_000))
    let attribute = ONNXWire.attribute("a", type: 7, numbers)
    try refuses(ONNXWire.node("A", [], ["z"], name: "n", [attribute]), " › n: ")
  }

  private func many(_ part: Bytes, _ count: Int) -> Bytes {
    var bytes = Bytes()
    bytes.reserveCapacity(part.count * count)
    for _ in 0..<count { bytes += part }
    return bytes
  }

  private func refuses(_ content: Bytes, _ place: String) throws {
    let folder = try TemporaryFolder()
    let bytes = ONNXWire.model(ONNXWire.graph(content))
    let path = try folder.write(bytes, to: "m.onnx")
    let error = #expect(throws: ModelFileError.self) { try Model(contentsOf: path) }
    #expect(error?.code == .unsupported)
    #expect(
      error?.description == "\(path)\(place)describes so many nodes, names and settings that they "
        + "would take more than \(((512 << 20) + bytes.count) >> 20) MiB of memory; no network in "
        + "use comes near: export it again")
  }

  @Test func aFolderIsNoModel() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: FileError.self) { try Model(contentsOf: folder.path) }
    #expect(error?.description == "\(folder.path): is not a regular file; give a file")
  }

  @Test func aPipeDoesNotHang() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("pipe")
    #expect(mkfifo(path, 0o600) == 0)
    #expect(throws: FileError.self) { try Model(contentsOf: path) }
  }

  @Test func aMissingFile() {
    let error = #expect(throws: FileError.self) { try Model(contentsOf: "nothing.onnx") }
    #expect(error?.code == .missing)
  }

  @Test(arguments: [
    ("photo.png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a] as Bytes, "89 50 4e 47 0d 0a"),
    ("notes.txt", Bytes("Notes".utf8), "4e 6f 74 65 73"),
    ("data.zip", [0x50, 0x4b, 3, 4], "50 4b 03 04"),
    (
      "net.pt", [0x50, 0x4b, 3, 4],
      "50 4b 03 04, as PyTorch's do; export the network to ONNX first"
    ),
    (
      "net.pth", [0x80, 0x02, 0x8a, 0x0a],
      "80 02 8a 0a, as PyTorch's do; export the network to ONNX first"
    ),
  ])
  func otherFilesAreNoModels(_ name: String, _ bytes: Bytes, _ start: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(bytes, to: name)
    let error = #expect(throws: ModelFileError.self) { try Model(contentsOf: path) }
    #expect(error?.code == .unknownFormat)
    #expect(
      error?.message
        == "is not a model file of a known format (onnx): it begins with the bytes \(start)")
  }

  @Test func aNameLessModelIsRecognizedByItsBytes() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(ONNXWire.model(ONNXWire.graph()), to: "model")
    #expect(try Model(contentsOf: path).graph.nodes.count == 1)
  }
}
