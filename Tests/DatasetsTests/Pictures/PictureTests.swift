import Tensors
import Testing
import _TestSupport

@testable import Datasets

/// What Pillow makes of each fixture.
private let expected = try! NumPyArchive(
  contentsOf: TestSupport.fixture("pictures/expected.npz")
).arrays

private func fixture(_ name: String) throws -> Picture {
  try Picture(contentsOf: TestSupport.fixture("pictures/\(name)"))
}

/// The largest difference between a picture and an array of rows, columns [and channels].
private func difference(_ picture: Picture, _ array: Tensor) -> Int {
  let other = array.elements(of: UInt8.self)
  guard [picture.height, picture.width] == Array(array.shape.dimensions[..<2]),
    other.count == picture.pixels.count
  else { return .max }
  return zip(picture.pixels, other).map { abs(Int($0) - Int($1)) }.max() ?? 0
}

@Suite struct PictureTests {
  static let files = expected.keys.filter { $0.contains(".") }.sorted()

  @Test(arguments: files) func decodesAsPillow(_ name: String) throws {
    #expect(difference(try fixture(name), expected[name]!) == 0)
  }

  static let resized = expected.keys.filter { $0.contains("_") && !$0.contains(".") }.sorted()
    .filter { $0 != "as_grey" }

  @Test(arguments: resized) func resizesAsPillow(_ name: String) throws {
    let parts = name.split(separator: "_")
    let sides = parts[1].split(separator: "x").map { Int($0)! }
    let picture = try fixture("rgb.png").resized(
      width: sides[0], height: sides[1], Interpolation(rawValue: String(parts[0]))!)
    #expect(difference(picture, expected[name]!) == 0)
  }

  @Test func greyAsPillow() throws {
    #expect(difference(try fixture("rgb.png").grey(), expected["as_grey"]!) == 0)
  }

  @Test(arguments: files) func damaged(_ name: String) throws {
    let sound = try bytes(ofFile: TestSupport.fixture("pictures/\(name)"))
    let findings = readDamaged(sound, step: 3) { (bytes: [UInt8]) in
      _ = try bytes.withUnsafeBytes { try Picture(decoding: $0) }
    }
    #expect(findings.isEmpty)
  }

  @Test func notAPicture() throws {
    let folder = try TemporaryFolder()
    let text = try folder.write("hello".utf8, to: "a.jpg")
    let error = #expect(throws: DatasetError.self) { _ = try Picture(contentsOf: text) }
    #expect(error?.description == "\(text): is not a JPEG or PNG picture")
    let empty = try folder.write([], to: "b.png")
    let second = #expect(throws: DatasetError.self) { _ = try Picture(contentsOf: empty) }
    #expect(second?.description == "\(empty): is empty")
  }

  @Test func hugeClaim() throws {
    // A PNG header of 40,000 × 40,000 pixels with nothing behind it.
    var bytes = try bytes(ofFile: TestSupport.fixture("pictures/rgb.png"))
    bytes.replaceSubrange(16..<24, with: [0, 0, 0x9C, 0x40, 0, 0, 0x9C, 0x40])
    let sum = bytes.withUnsafeBytes { checksum($0.part(12..<29)) }
    bytes.replaceSubrange(29..<33, with: withUnsafeBytes(of: sum.bigEndian) { Array($0) })
    let error = #expect(throws: DatasetError.self) {
      _ = try bytes.withUnsafeBytes { try Picture(decoding: $0) }
    }
    #expect(
      error?.message
        == "claims 40000 × 40000 pixels, too many for its \(bytes.count) bytes")
  }
}
