import Datasets
import Foundation
import Tensors
import Testing
import _TestSupport

/// Data, recipes and inputs that can't be used: one line, exit code 3, and nothing written.
@Suite struct BadDataTests {
  struct Case: CustomTestStringConvertible {
    let testDescription: String
    /// Makes the data in a folder and returns its path.
    let make: @Sendable (TemporaryFolder) throws -> String
    /// What follows the data's path.
    let message: String

    init(
      _ name: String, _ message: String,
      _ make: @escaping @Sendable (TemporaryFolder) throws -> String
    ) {
      (testDescription, self.message, self.make) = (name, message, make)
    }

    init(array name: String, _ arrays: [String: Tensor], _ message: String) {
      self.init(name, message) { folder in
        try writeNumPyArchive(arrays, to: folder.file("data.npz"))
        return folder.file("data.npz")
      }
    }
  }

  @Test(arguments: cases)
  func isRefused(_ bad: Case) throws {
    let place = try Workplace()
    let path = try place.folder.write(SmallModels.product(), to: "net.onnx")
    let data = try bad.make(place.folder)
    let listing = try place.listing()
    let commands = [
      ["quantize", path, "--data", data, "-o", place.file("out.onnx")],
      ["evaluate", path, "--data", data, "--json", place.file("out.json")],
      ["compare", path, path, "--data", data, "--json", place.file("out.json")],
    ]
    for command in commands {
      let run = try CommandRun(command + ["--quiet"])
      #expect(run.code == 3)
      #expect(run.errors == "tessera: \(data)\(bad.message)\n")
      #expect(try place.listing() == listing)
      #expect(try place.isUntouched())
    }
  }

  private static let cases = [
    Case(
      "missing", ": can't be read: no such file or directory; check the path and its permissions"
    ) {
      $0.file("nowhere.npz")
    },
    Case(
      "no archive",
      ": is no zip archive, or cut short (it has no end record); fetch or make it again"
    ) { try $0.write([0x50, 0x4b], to: "data.npz") },
    Case(
      array: "no samples", ["x": Tensor.zeros([0, 2], .float32)],
      ": holds no samples; the first axis is the sample"),
    Case(
      array: "another name", ["z": Tensor([Float(1), 2], shape: [1, 2])],
      ": lacks 'x' and has 'z', which the network does not know; expected one array for each of the "
        + "inputs 'x', and 'labels' if you like"),
    Case(
      array: "another shape", ["x": Tensor([Float(1), 2, 3], shape: [1, 3])],
      " › x: is float32[1, 3]; the network takes float32[1, 2], the first axis the sample"),
  ]

  /// Every picture that can't be read is named.
  @Test func unreadablePictures() throws {
    let place = try Workplace()
    let model = examples + "/model.onnx"
    for (index, name) in ["grey.jpg", "grey.png", "full444.jpg"].enumerated() {
      let sound = try bytes(ofFile: TestSupport.fixture("pictures/" + name))
      _ = try place.folder.write(sound, to: "pictures/sound-\(name)")
      _ = try place.folder.write(sound.prefix(index * 30), to: "pictures/\(name)")
    }
    let run = try tessera(
      "quantize", model, "--data", place.file("pictures"), "--quiet", "-o", place.file("out.onnx"))
    #expect(run.code == 3)
    #expect(
      run.errors.hasPrefix("tessera: 3 of 6 pictures can't be read; replace or remove them: "))
    #expect(run.errors.filter { $0 == "\n" }.count == 1)
    for name in ["grey.jpg", "grey.png", "full444.jpg"] {
      #expect(run.errors.contains("\(place.file("pictures"))/\(name): "))
    }
    #expect(try place.isUntouched())
  }

  @Test func aFolderWithoutPictures() throws {
    let place = try Workplace()
    let data = place.file("empty")
    try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
    let run = try tessera(
      "quantize", examples + "/model.onnx", "--data", data, "-o", place.file("out.onnx"))
    #expect(run.code == 3)
    #expect(
      run.errors
        == "tessera: \(data): holds no picture; JPEG or PNG files are expected in it or its "
        + "folders\n")
    #expect(try place.isUntouched())
  }

  /// The file that a label is from is named, and the line where it has lines.
  @Test(arguments: [
    ("list", "line 3 of labels.csv"), ("folder", "12/b.png"), ("data.npz", "sample 1"),
  ])
  func labelsOfNoClass(_ name: String, _ found: String) throws {
    let place = try Workplace()
    let picture = try bytes(ofFile: TestSupport.fixture("pictures/grey.png"))
    for file in ["list/a.png", "list/b.png", "folder/3/a.png", "folder/12/b.png"] {
      _ = try place.folder.write(picture, to: file)
    }
    _ = try place.folder.write(Bytes("file,label\na.png,3\nb.png,12\n".utf8), to: "list/labels.csv")
    try writeNumPyArchive(
      ["image": .zeros([2, 1, 28, 28], .float32), "labels": Tensor([Int64(3), 12])],
      to: place.file("data.npz"))
    let (model, data) = (examples + "/model.onnx", place.file(name))
    for command in [
      ["evaluate", model, "--data", data],
      ["quantize", model, "--recipe", "w8", "--evaluate", data, "-o", place.file("out.onnx")],
    ] {
      let run = try CommandRun(command + ["--quiet"])
      #expect(run.code == 3)
      #expect(
        run.errors == "tessera: \(data): \(found) has the label 12, the network has 10 classes; "
          + "number the classes from 0 as the network does\n")
      #expect(try place.isUntouched())
    }
  }

  /// Names that match nothing: where they stand, and what they are likely to mean.
  @Test func patternsThatMatchNothing() throws {
    let place = try Workplace()
    let nodes =
      ONNXWire.node("MatMul", ["x", "w"], ["h"], name: "fc1")
      + ONNXWire.node("Identity", ["h"], ["i"], name: "same")
      + ONNXWire.node("Relu", ["i"], ["y"], name: "last_relu")
      + ONNXWire.initializer("w", [2, 2], Wire.bytes(9, Wire.floats([1, 2, 3, 4])))
    let path = try place.folder.write(SmallModels.graph(nodes), to: "net.onnx")
    let yaml = """
      name: mine
      method: weightOnly
      keepFloat: [fc2, same, "operator:Matmul", last]
      overrides: [{match: MatMul, keepFloat: true}, {match: last_, keepFloat: true}]
      """
    let recipe = try place.folder.write(Bytes(yaml.utf8), to: "recipe.yaml")
    let run = try tessera("quantize", path, "--recipe", recipe, "-o", place.file("out.onnx"))
    #expect(run.code == 3)
    #expect(
      run.errors == "tessera: \(path) › \(recipe) › mine: no node matches keepFloat 'fc2' (did you "
        + "mean 'fc1'?), keepFloat 'same' (is in the file, but the standard passes folded it), "
        + "keepFloat 'operator:Matmul' (did you mean 'operator:MatMul'?), overrides[0] 'MatMul' (for "
        + "the operator write operator:MatMul), overrides[1] 'last_' (did you mean 'last_relu'?); "
        + "correct the pattern or remove it (tessera inspect --nodes lists them)\n")
    #expect(try place.isUntouched())
  }

  @Test(arguments: [
    ("weigths: int8\n", " › line 1: unknown key 'weigths'; must be one of "),
    (": : [", " › line 1: is no YAML: "),
  ])
  func recipesThatAreWrong(_ yaml: String, _ message: String) throws {
    let place = try Workplace()
    let path = try place.folder.write(SmallModels.product(), to: "net.onnx")
    let recipe = try place.folder.write(Bytes(yaml.utf8), to: "recipe.yaml")
    let run = try tessera(
      "quantize", path, "--recipe", recipe, "--data", place.samples, "-o", place.file("out.onnx"))
    #expect(run.code == 3)
    #expect(run.errors.hasPrefix("tessera: \(recipe)\(message)"))
    #expect(run.errors.filter { $0 == "\n" }.count == 1)
    #expect(try place.isUntouched())
  }

  @Test(
    arguments: [
      (["z": [1, 2]], ": unknown input 'z'; the network has 'x'"),
      (["x": [1, 2, 3]], " › x: is float32[1, 3]; the network takes float32[1, 2]"),
    ] as [([String: [Float]], String)])
  func inputsOfRun(_ arrays: [String: [Float]], _ message: String) throws {
    let place = try Workplace()
    let path = try place.folder.write(SmallModels.product(), to: "net.onnx")
    try writeNumPyArchive(
      arrays.mapValues { Tensor($0, shape: [1, $0.count]) }, to: place.inputs)
    let run = try tessera(
      "run", path, "--inputs", place.inputs, "--outputs", place.file("out.npz"))
    #expect(run.code == 3)
    #expect(run.errors == "tessera: \(place.inputs)\(message)\n")
    #expect(try place.isUntouched())
  }
}

/// The folder of the embedded example.
let examples = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent()
  .appendingPathComponent("Examples/FashionMNIST").path
