import Datasets
import Foundation
import Tensors
import Testing
import _TestSupport

/// How data become inputs: said for each data set, warned of where it was assumed, refused where it can't be meant.
@Suite struct DataTests {
  private let place: Workplace
  private let model = examples + "/model.onnx"

  init() throws { place = try Workplace() }

  /// Pictures at the given paths, and eight arrays as the network takes them.
  private func makeData(_ pictures: String...) throws {
    let picture = try bytes(ofFile: TestSupport.fixture("pictures/grey.png"))
    for path in pictures { _ = try place.folder.write(picture, to: path) }
    let values = (0..<8 * 784).map { Float($0 % 97) / 97 }
    try writeNumPyArchive(
      ["image": Tensor(values, shape: [8, 1, 28, 28])], to: place.file("arrays.npz"))
  }

  private func quantize(_ more: String...) throws -> CommandRun {
    try CommandRun(
      ["quantize", model, "--skip-layers", "-o", place.file("new.onnx")] + more)
  }

  @Test func preprocessingIsForPicturesAlone() throws {
    try makeData("photos/3/a.png", "photos/9/b.png")
    let (arrays, photos) = (place.file("arrays.npz"), place.file("photos"))
    for (data, evaluation) in [(arrays, photos), (photos, arrays)] {
      let run = try quantize(
        "--data", data, "--evaluate", evaluation, "--preprocessing",
        examples + "/preprocessing.yaml")
      #expect(run.code == 0, "\(run.errors)")
      let lines = run.errors.split(separator: "\n").filter { $0.hasPrefix("data: ") }
      #expect(lines.count == 2)
      #expect(lines[0].hasPrefix("data: calibration: ") && lines[1].hasPrefix("data: evaluation: "))
      #expect(lines.count { $0.contains("2 pictures in \(photos) of 2 classes by folder; ") } == 1)
      #expect(lines.count { $0.contains(": 8 samples; used as they are: image float32[8, ") } == 1)
      #expect(
        !run.errors.contains("warning: ") && !run.output.contains("warning: no preprocessing"))
      #expect(run.output.contains("\ninputs: ") && run.output.contains("\nevaluation inputs: "))
    }
    let refused = try quantize("--data", arrays, "--evaluate", arrays, "--preprocessing", "unit")
    #expect(refused.code == 3)
    #expect(
      refused.errors
        == "tessera: \(arrays): holds arrays, which are used as they are; leave the preprocessing "
        + "out\n")
  }

  @Test func anAssumedPreprocessingIsWarnedOf() throws {
    try makeData("photos/a.png")
    let html = place.file("new.html")
    let warning =
      "warning: no preprocessing was given, so it was assumed; where the network was trained with "
      + "another, ranges and accuracy are wrong: give --preprocessing (unit, signed-unit, imagenet, "
    let run = try quantize("--data", place.file("photos"), "--html", html)
    #expect(run.code == 0, "\(run.errors)")
    #expect(run.errors.contains("1 picture in \(place.file("photos")); the middle "))
    #expect(run.errors.contains("\n" + warning) && run.output.contains("\n" + warning))
    let page = try String(contentsOfFile: html, encoding: .utf8)
    #expect(page.contains(">Warning: no preprocessing was given, so it was assumed; "))
  }

  @Test func namesThatAreNoClassesOfTheNetwork() throws {
    try makeData("photos/cat/a.png", "photos/dog/b.png")
    let photos = place.file("photos")
    let message =
      "tessera: \(photos): names 2 classes ('cat' as 0, 'dog' as 1), the network has 10; "
    let run = try quantize("--data", place.file("arrays.npz"), "--evaluate", photos)
    #expect(run.code == 3 && run.errors.hasPrefix(message), "\(run.errors)")
    let evaluated = try tessera("evaluate", model, "--data", photos)
    #expect(evaluated.code == 3 && evaluated.errors.hasPrefix(message), "\(evaluated.errors)")
    // Nobody asks for the classes of what is calibrated on.
    let unasked = try quantize("--data", photos, "--evaluate", place.file("arrays.npz"))
    #expect(unasked.code == 0, "\(unasked.errors)")
  }

  @Test func aDropWithoutLabels() throws {
    try makeData()
    let data = place.file("arrays.npz")
    let run = try quantize("--data", data, "--max-drop", "1%")
    #expect(run.code == 2)
    #expect(
      run.errors.contains("--max-drop needs labels to measure accuracy, '\(data)' has no labels: "))
    #expect(!run.errors.contains("plan: "))
  }

  @Test func accuracyWithoutLabels() throws {
    try makeData()
    let data = place.file("arrays.npz")
    let run = try tessera("evaluate", model, "--data", data)
    #expect(run.code == 2)
    #expect(run.errors.hasPrefix("Error: --metric top1 needs labels, '\(data)' has none: "))
  }

  @Test func aNetworkComparedWithItself() throws {
    try makeData()
    let run = try tessera("compare", model, model, "--data", place.file("arrays.npz"), "--quiet")
    #expect(run.code == 0)
    #expect(run.output.contains("\n\nno layer is quantized: there is nothing to rank\n"))
  }

  @Test func nothingToQuantize() throws {
    try makeData()
    let data = ["--data", place.file("arrays.npz")]
    let written = place.file("new.onnx")
    #expect(try CommandRun(["quantize", model, "--skip-layers", "-o", written] + data).code == 0)
    let again = try CommandRun(
      ["quantize", written, "--quiet", "-o", place.file("out.onnx")] + data)
    #expect(again.code == 3)
    #expect(again.errors.hasPrefix("tessera: \(written): is quantized already, with "))
    let keeping = try tessera("recipes", "w8a8").output
      .replacingOccurrences(of: "keepFloat: []", with: "keepFloat: ['*']")
    let recipe = try place.folder.write(Bytes(keeping.utf8), to: "kept.yaml")
    let none = try CommandRun(
      ["quantize", model, "--recipe", recipe, "--quiet", "-o", place.file("out.onnx")] + data)
    #expect(none.code == 3)
    #expect(none.errors.hasPrefix("tessera: \(model): nothing in it would be quantized by this "))
    #expect(try place.isUntouched())
  }

  @Test func anArrayForRun() throws {
    let array = place.file("a.npy")
    try writeNumPy(.zeros([1, 1, 28, 28], .float32), to: array)
    let run = try tessera("run", model, "--inputs", array, "--outputs", place.file("out.npz"))
    #expect(run.code == 3)
    #expect(
      run.errors
        == "tessera: \(array): is one array; expected an .npz with an array for each input, by name\n"
    )
    #expect(try place.isUntouched())
  }
}
