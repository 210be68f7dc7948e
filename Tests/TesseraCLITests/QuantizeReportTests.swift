import Datasets
import Foundation
import Tensors
import Testing
import _TestSupport

/// What `quantize` says of how its figures came about, and of the files that it wrote.
@Suite struct QuantizeReportTests {
  private let place: Workplace
  private let model: String

  init() throws {
    place = try Workplace()
    model = try place.folder.write(SmallModels.product(), to: "net.onnx")
  }

  private func quantize(_ more: String...) throws -> CommandRun {
    try CommandRun(
      [
        "quantize", model, "-o", place.file("out.onnx"), "--json", place.file("out.json"), "--html",
        place.file("out.html"), "--quiet",
      ] + more)
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: place.file(name), encoding: .utf8)
  }

  @Test func nothingIsMeasuredWithoutData() throws {
    let run = try quantize("--recipe", "w8")
    #expect(run.code == 0, "\(run.errors)")
    let warning = "nothing was measured: give --data or --evaluate to learn what it cost"
    #expect(run.output.contains("\nwarning: \(warning)\n"))
    #expect(try text("out.json").contains("\"\(warning)\""))
    #expect(try text("out.html").contains(">Warning: \(warning)<"))
  }

  @Test func measuredOnWhatWasCalibratedOn() throws {
    let run = try quantize("--data", place.inputs)
    #expect(run.code == 0, "\(run.errors)")
    let warning =
      "measured on the calibration samples themselves, since 1 sample can't spare any: others may "
      + "lose more; give --evaluate, or 5 samples or more"
    #expect(run.output.contains("\ncalibration: \(place.inputs), 1 sample\n"))
    #expect(run.output.contains("\nevaluation: the calibration samples themselves, 1 sample\n"))
    #expect(run.output.contains("\nwarning: \(warning)\n") && !run.output.contains("1 samples"))
    #expect(try text("out.json").contains("\"\(warning)\""))
    let page = try text("out.html")
    #expect(page.contains("measured on the calibration samples themselves, "))
    #expect(!page.contains("1 samples"))
    let apart = try quantize("--data", place.samples)
    #expect(!apart.output.contains("calibration samples themselves"))
  }

  @Test(arguments: [["--min-sqnr", "20"], ["--min-speedup", "1.5"]])
  func aThresholdThatCannotBeMeasured(_ threshold: [String]) throws {
    for recipe in ["w8", "w8a8"] {
      // No work is done: even the model is not looked for.
      let run = try CommandRun(
        ["quantize", "/nowhere.onnx", "--recipe", recipe, "-o", place.file("out.onnx")] + threshold)
      #expect(run.code == 2)
      #expect(
        run.errors.hasPrefix(
          "Error: \(threshold[0]) is measured on data, and there is none: give --data or --evaluate\n"
        ))
    }
    #expect(try place.isUntouched())
  }

  /// A file's size needs no data.
  @Test func tellsWhatWasWritten() throws {
    for (limit, verb, code) in [
      ("100%", "written", 0),
      ("1%", "written nevertheless, since a missed threshold only sets the exit code", 1),
    ] {
      let run = try CommandRun(
        [
          "quantize", examples + "/model.onnx", "--recipe", "w8", "--max-size", limit, "--quiet",
          "-o", place.file("out.onnx"), "--json", place.file("out.json"),
        ])
      #expect(run.code == code, "\(run.errors)")
      let lines = run.output.split(separator: "\n").suffix(2)
      for (line, name) in zip(lines, ["out.onnx", "out.json"]) {
        #expect(line.hasPrefix("\(verb): \(place.file(name)) ("))
        let size = try bytes(ofFile: place.file(name)).count
        #expect(line.hasSuffix(" (\(String(format: "%.1f", Double(size) / 1000)) kB)"))
      }
    }
  }

  /// Few pictures say little about accuracy.
  @Test func theUncertaintyOfFewPictures() throws {
    let picture = try bytes(ofFile: TestSupport.fixture("pictures/grey.png"))
    for path in ["photos/3/a.png", "photos/9/b.png"] {
      _ = try place.folder.write(picture, to: path)
    }
    let run = try tessera(
      "quantize", examples + "/model.onnx", "--data", place.file("photos"), "--preprocessing",
      examples + "/preprocessing.yaml", "--max-drop", "1%", "-o", place.file("out.onnx"))
    #expect(run.output.contains(" points, at most 1.00 points (2 samples tell ±"), "\(run.output)")
  }
}
