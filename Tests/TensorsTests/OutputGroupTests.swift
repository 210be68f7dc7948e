import Foundation
import Tensors
import Testing
import _TestSupport

/// Several files appear together or not at all.
@Suite struct OutputGroupTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    _ = try folder.write(Bytes("old".utf8), to: "a.txt")
  }

  private func listing() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  @Test func nothingIsThereBeforeAllIs() throws {
    let (a, b) = (folder.file("a.txt"), folder.file("b.txt"))
    let group = try OutputGroup([a, b])
    #expect(try listing() == ["a.txt"])
    try group.write(a) { path in
      #expect(path.hasSuffix("/a.txt"))
      try writeFile("beside", to: path + ".data")
      try writeFile("new", to: path)
    }
    try group.write(b) { try writeFile("b", to: $0) }
    #expect(try bytes(ofFile: a) == Bytes("old".utf8))
    #expect(!FileManager.default.fileExists(atPath: b))
    try group.commit()
    #expect(try listing() == ["a.txt", "a.txt.data", "b.txt"])
    #expect(try bytes(ofFile: a) == Bytes("new".utf8))
  }

  @Test func whatIsNotCommittedIsRemoved() throws {
    let a = folder.file("a.txt")
    do {
      let group = try OutputGroup([a])
      try group.write(a) { try writeFile("new", to: $0) }
      #expect(try listing().count == 2)
    }
    #expect(try listing() == ["a.txt"])
    #expect(try bytes(ofFile: a) == Bytes("old".utf8))
  }

  @Test func errorsNameTheTarget() throws {
    let error = #expect(throws: FileError.self) {
      try OutputGroup([folder.file("missing/a.txt")])
    }
    #expect(error?.path == [folder.file("missing/a.txt")])
    let a = folder.file("a.txt")
    let group = try OutputGroup([a])
    let inner = #expect(throws: FileError.self) {
      try group.write(a) { path in
        throw FileError(.unwritable, "can't be written: full", path: [path])
      }
    }
    #expect(inner?.description == "\(a): can't be written: full")
  }

  /// What an earlier process of the same number left behind is no file of this one.
  @Test func foldersOfOthersAreLeftAlone() throws {
    let a = folder.file("a.txt")
    let stale = ".a.txt.\(ProcessInfo.processInfo.processIdentifier).group"
    try FileManager.default.createDirectory(
      atPath: folder.file(stale), withIntermediateDirectories: false)
    try writeFile("stale", to: folder.file(stale + "/precious.txt"))
    _ = try folder.write(Bytes("mine".utf8), to: "precious.txt")
    let group = try OutputGroup([a])
    try group.write(a) { try writeFile("new", to: $0) }
    try group.commit()
    #expect(try bytes(ofFile: folder.file("precious.txt")) == Bytes("mine".utf8))
    #expect(try listing() == [stale, "a.txt", "precious.txt"])
  }

  /// Where a file beside the second target can't be moved, the first target is as it was.
  @Test func whatWasMovedIsTakenBack() throws {
    let (a, b) = (folder.file("a.txt"), folder.file("b.txt"))
    let group = try OutputGroup([a, b])
    try group.write(a) { path in
      try writeFile("beside", to: path + ".data")
      try writeFile("new", to: path)
    }
    try group.write(b) { path in
      try writeFile("beside", to: path + ".data")
      try writeFile("new", to: path)
    }
    try FileManager.default.createDirectory(
      atPath: b + ".data", withIntermediateDirectories: false)
    let error = #expect(throws: FileError.self) { try group.commit() }
    #expect(error?.path == [b + ".data"])
    #expect(try bytes(ofFile: a) == Bytes("old".utf8))
    #expect(!FileManager.default.fileExists(atPath: a + ".data"))
    #expect(!FileManager.default.fileExists(atPath: b))
  }

  /// A target that became a folder meanwhile keeps all others from being replaced.
  @Test func aTargetThatCanNotBeReplacedAtTheEnd() throws {
    let (a, b) = (folder.file("a.txt"), folder.file("b.txt"))
    let group = try OutputGroup([a, b])
    for path in [a, b] { try group.write(path) { try writeFile("new", to: $0) } }
    try FileManager.default.createDirectory(atPath: b, withIntermediateDirectories: false)
    #expect(throws: FileError.self) { try group.commit() }
    #expect(try bytes(ofFile: a) == Bytes("old".utf8))
  }
}
