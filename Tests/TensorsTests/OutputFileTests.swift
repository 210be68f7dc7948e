import Foundation
import Tensors
import Testing

@Suite struct OutputFileTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "output-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  @Test func appearsOnlyWhenCommitted() throws {
    try withFolder { folder in
      let path = folder + "/a.bin"
      let file = try OutputFile(path: path)
      try file.write([1, 2, 3])
      #expect(!FileManager.default.fileExists(atPath: path))
      try file.commit()
      #expect(FileManager.default.contents(atPath: path) == Data([1, 2, 3]))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.bin"])
    }
  }

  @Test func keepsTheOrderOfPartsOfAnySize() throws {
    try withFolder { folder in
      var generator = SeededGenerator(seed: 5)
      let file = try OutputFile(path: folder + "/a.bin")
      var expected: [UInt8] = []
      for size in [3, 600_000, 1, 1 << 20, 7, (1 << 20) + 1, 500_000, 600_000, 2, 3_000_000, 5] {
        let part = (0..<size).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        expected += part
        try file.write(part)
        #expect(file.byteCount == expected.count)
      }
      try file.commit()
      let written = try Data(contentsOf: URL(fileURLWithPath: folder + "/a.bin"))
      #expect(written == Data(expected))
    }
  }

  @Test func leavesTheOldFileWhenDropped() throws {
    try withFolder { folder in
      let path = folder + "/a.txt"
      try writeFile("old", to: path)
      do {
        let file = try OutputFile(path: path)
        try file.write("new")
      }
      #expect(FileManager.default.contents(atPath: path) == Data("old".utf8))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.txt"])
    }
  }

  @Test func saysWhyItCanNotBeWritten() throws {
    try withFolder { folder in
      #expect(throws: FileError.self) { try OutputFile(path: folder) }
      do {
        _ = try OutputFile(path: folder + "/missing/a.txt")
        Issue.record("opened a file in a folder that isn't there")
      } catch let error as FileError {
        #expect(
          error.description
            == "\(folder)/missing/a.txt: can't be written: the folder '\(folder)/missing' does not exist; create it"
        )
      }
    }
  }
}
