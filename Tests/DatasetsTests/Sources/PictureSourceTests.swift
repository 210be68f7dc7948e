import Datasets
import Graphs
import Tensors
import Testing
import _TestSupport

@Suite struct PictureSourceTests {
  private let png: [UInt8]
  private let jpeg: [UInt8]
  private let folder: TemporaryFolder

  init() throws {
    png = try bytes(ofFile: TestSupport.fixture("pictures/rgb.png"))
    jpeg = try bytes(ofFile: TestSupport.fixture("pictures/baseline.jpg"))
    folder = try TemporaryFolder()
  }

  private func open(_ name: String, _ graph: Graph = pictureGraph) throws -> Dataset {
    try Dataset(contentsOf: folder.file(name), for: graph)
  }

  @Test func withoutClasses() throws {
    _ = try folder.write(png, to: "p/b.png")
    _ = try folder.write(jpeg, to: "p/a.JPG")
    _ = try folder.write("".utf8, to: "p/.hidden")
    _ = try folder.write("".utf8, to: "p/README.txt")
    let data = try open("p")
    #expect(data.count == 2 && data.labels == nil)
    let batch = try data.batch(0..<2)["x"]!
    #expect(batch.shape == [2, 3, 4, 4])
    let second = try data.batch([1])["x"]!
    #expect(second.elements(of: Float.self) == Array(batch.elements(of: Float.self)[48...]))
    #expect(
      data.describedPreprocessing
        == "2 pictures in \(folder.file("p")) (left out, no pictures: README.txt); the middle "
        + "resized to 4 × 4 (bilinear); rgb; pixel / 255.0; nchw; assumed from input 'x' "
        + "float32[N, 3, 4, 4]")
    #expect(data.assumesPreprocessing)
  }

  @Test func classesByFolder() throws {
    for name in ["dog/1.png", "cat/deep/2.png", "dog/3.png"] {
      _ = try folder.write(png, to: "p/\(name)")
    }
    let data = try open("p")
    #expect(data.labels == [0, 1, 1] && data.classNames == ["cat", "dog"])
    var network = pictureGraph
    network.outputs = [.init("y", ValueType(.float32, ["N", 2]))]
    try data.checkClasses(for: network)
    network.outputs = [.init("y", ValueType(.float32, ["N", "C"]))]
    try data.checkClasses(for: network)
    network.outputs = [.init("y", ValueType(.float32, ["N", 1000]))]
    #expect(
      message { try data.checkClasses(for: network) }
        == "names 2 classes ('cat' as 0, 'dog' as 1), the network has 1000; names that are numbers "
        + "are class numbers, other names are numbered in sorted order: name the folders by the "
        + "network's class numbers, or give a CSV of file,number")
  }

  @Test func onePicture() throws {
    _ = try folder.write(png, to: "p/a.png")
    let data = try open("p")
    #expect(data.describedPreprocessing.hasPrefix("1 picture in \(folder.file("p")); the middle"))
  }

  @Test func numberedClasses() throws {
    for name in ["0022/1.png", "7/2.png"] { _ = try folder.write(png, to: "p/\(name)") }
    let data = try open("p")
    #expect(data.labels == [22, 7] && data.classNames == nil)
    var network = pictureGraph
    network.outputs = [.init("y", ValueType(.float32, ["N", 1000]))]
    try data.checkClasses(for: network)
  }

  @Test func classesByList() throws {
    for name in ["1.png", "two words.png"] { _ = try folder.write(png, to: "p/\(name)") }
    _ = try folder.write("file,label\r\n\"two words.png\",b\r\n1.png, a\n".utf8, to: "p/labels.csv")
    for path in ["p", "p/labels.csv"] {
      let data = try open(path)
      #expect(data.count == 2 && data.labels == [1, 0] && data.classNames == ["a", "b"])
    }
    _ = try folder.write("1.png,1\nnone.png,2\nno.png,2\n".utf8, to: "p/other.csv")
    let path = folder.file("p/other.csv")
    #expect(
      message { _ = try open("p/other.csv") }
        == "\(path): lists 2 files that are not there: none.png, no.png")
    _ = try folder.write("1.png,1\n2.png\n".utf8, to: "p/other.csv")
    #expect(
      message { _ = try open("p/other.csv") }
        == "\(path): line 2 is not a file and a label; expected file,label")
    _ = try folder.write("1.png,\"1\n".utf8, to: "p/other.csv")
    #expect(
      message { _ = try open("p/other.csv") } == "\(path): line 1 has a quote that does not end")
    _ = try folder.write("file,label\n".utf8, to: "p/other.csv")
    #expect(
      message { _ = try open("p/other.csv") }
        == "\(path): lists no files; expected lines of file,label")
  }

  @Test func allBadFilesAreNamed() throws {
    _ = try folder.write(png, to: "p/good.png")
    _ = try folder.write([], to: "p/empty.png")
    _ = try folder.write(jpeg.prefix(300), to: "p/cut.jpg")
    _ = try folder.write("text".utf8, to: "p/text.jpg")
    let data = try open("p")
    let error = message { _ = try data.batch([0]) }
    let path = folder.file("p")
    #expect(
      error?.hasPrefix(
        "3 of 4 pictures can't be read; replace or remove them: "
          + "\(path)/cut.jpg: is a damaged JPEG file: ") == true, "\(error ?? "")")
    #expect(error?.contains("\(path)/empty.png: is empty; ") == true)
    #expect(error?.hasSuffix("\(path)/text.jpg: is not a JPEG or PNG picture") == true)
    #expect(try data.batch([2])["x"]?.shape == [1, 3, 4, 4])
  }

  @Test func refusedFolders() throws {
    _ = try folder.write("".utf8, to: "none/a.txt")
    #expect(
      message { _ = try open("none") }
        == "\(folder.file("none")): holds no picture; JPEG or PNG files are expected in it or its "
        + "folders")
    _ = try folder.write(png, to: "other/a.png")
    _ = try folder.write([], to: "other/b.webp")
    #expect(
      message { _ = try open("other") }
        == "\(folder.file("other")): holds pictures that are neither JPEG or PNG: b.webp; "
        + "convert or remove them")
    _ = try folder.write(png, to: "mixed/a.png")
    _ = try folder.write(png, to: "mixed/c/a.png")
    #expect(
      message { _ = try open("mixed") }
        == "\(folder.file("mixed")): holds pictures both beside and inside of sub-folders, which "
        + "name classes; move those beside into a folder")
    #expect(
      message { _ = try open("other", pairGraph) } != nil)
  }

  @Test func networksThatTakeLevels() throws {
    _ = try folder.write(png, to: "p/a.png")
    let graph = Graph(inputs: [.init("x", ValueType(.uint8, [1, 22, 31, 3]))])
    let levels = try open("p", graph).batch([0])["x"]!
    #expect(levels.elementType == .uint8 && levels.shape == [1, 22, 31, 3])
    let expected = try NumPyArchive(
      contentsOf: TestSupport.fixture("pictures/expected.npz")
    ).arrays["rgb.png"]!
    #expect(levels.elements(of: UInt8.self) == expected.elements(of: UInt8.self))
    var scaled = Preprocessing()
    scaled.scale = 255
    #expect(
      message {
        _ = try Dataset(contentsOf: folder.file("p"), for: graph, preprocessing: scaled)
      }
        == "\(folder.file("p")) › input x: is uint8[1, 22, 31, 3]; the preprocessing makes other "
        + "numbers than whole ones from 0 to 255: leave mean and std out and give scale: 1")
  }
}
