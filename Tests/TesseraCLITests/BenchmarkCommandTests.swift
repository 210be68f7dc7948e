import Datasets
import Foundation
import Tensors
import Testing
import _TestSupport

/// `tessera benchmark` as a user runs it; no time is asserted.
@Suite struct BenchmarkCommandTests {
  private let place: Workplace
  private let model: String

  init() throws {
    place = try Workplace()
    model = try place.folder.write(SmallModels.product(), to: "net.onnx")
  }

  /// A few runs only.
  private static let short = ["--rounds", "3", "--warm-up", "0"]

  @Test func writesAllReports() throws {
    let run = try CommandRun(
      ["benchmark", model, "--against", model, "--threads", "1", "2", "--profile"]
        + Self.short + ["--json", place.file("out.json"), "--html", place.file("out.html")])
    #expect(run.code == 0, "\(run.errors)")
    #expect(
      run.output.hasPrefix("net.onnx beside net.onnx\ntessera "))
    #expect(run.output.contains("\ninputs: random, seed 0; x float32[1, 2]\n"))
    for words in ["\n1 thread\n", "\n2 threads\n", "\nmachine: ", "\nwhy\n  fc (float product): "] {
      #expect(run.output.contains(words), "\(words)")
    }
    #expect(run.errors.hasPrefix("1 thread: measuring the machine\n1 thread: measuring latency\n"))
    let json = try JSONSerialization.jsonObject(
      with: Data(try bytes(ofFile: place.file("out.json"))))
    let object = try #require(json as? [String: Any])
    #expect(object["schema"] as? String == "tessera.benchmark/2")
    let runs = try #require(object["runs"] as? [[String: Any]])
    #expect(runs.map { $0["thread_count"] as? Int } == [1, 2])
    let steps = try #require(runs[0]["steps"] as? [[String: Any]])
    #expect(steps.map { $0["operation_count"] as? Int } == [8])
    #expect((runs[0]["latency"] as? [String: Any])?["run_count"] as? Int == 3)
    let page = String(decoding: try bytes(ofFile: place.file("out.html")), as: UTF8.self)
    #expect(page.hasPrefix("<!DOCTYPE html>"))
  }

  @Test func givenInputs() throws {
    let run = try CommandRun(["benchmark", model, "--inputs", place.inputs, "-q"] + Self.short)
    #expect(run.code == 0 && run.errors.isEmpty)
    #expect(run.output.contains("\ninputs: \(place.inputs); x float32[1, 2]\n"))
  }

  /// JSON takes the place of the text.
  @Test func toStandardOutput() throws {
    let listing = try place.listing()
    let run = try CommandRun(["benchmark", model, "-q", "--json", "-"] + Self.short)
    #expect(run.code == 0 && run.errors.isEmpty)
    let json = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
    #expect(json?["schema"] as? String == "tessera.benchmark/2")
    let runs = try #require(json?["runs"] as? [[String: Any]])
    let warnings = try #require(runs[0]["warnings"] as? [String])
    #expect(warnings.contains { $0.hasPrefix("3 runs only: ") })
    #expect(try place.listing() == listing)
  }

  @Test(arguments: [
    (["--max-latency", "3600000"], 0, "  passed max-latency: "),
    (["--max-latency", "1e-9"], 1, "  FAILED max-latency: "),
    (["--against", "net.onnx", "--min-speedup", "1e9"], 1, "  FAILED min-speedup: "),
  ])
  func thresholds(_ options: [String], _ code: Int32, _ words: String) throws {
    let options = options.map { $0 == "net.onnx" ? model : $0 }
    let run = try CommandRun(
      ["benchmark", model, "--json", place.file("out.json")] + Self.short + options)
    #expect(run.code == code, "\(run.errors)")
    #expect(run.output.contains("\nthresholds\n\(words)"))
    // The figures are written all the same.
    let json = String(decoding: try bytes(ofFile: place.file("out.json")), as: UTF8.self)
    #expect(json.contains("\"thresholds_met\": \(code == 0)"))
  }

  @Test(arguments: [
    (["--shape", "y=1,2"], "unknown input 'y'; the network has 'x'; see --shape and --batch"),
    (
      ["--shape", "x=1,3"],
      "x: is given as [1, 3]; the network takes float32[1, 2]; see --shape and --batch"
    ),
    (
      ["--batch", "2"],
      "x: a batch of 2 can't be fed: the network takes float32[1, 2]; see --shape and --batch"
    ),
    (["--shape", "x=1,2", "--shape", "x=1,2"], "--shape gives 'x' twice; give it once"),
    (
      ["--shape", "x=1x2"],
      "--shape is 'x=1x2'; give an input and its lengths, as in images=1,3,224,224"
    ),
    (
      ["--inputs", "in.npz", "--batch", "1"],
      "--inputs has shapes of its own; leave --batch and --shape out"
    ),
    (
      ["--min-speedup", "2"],
      "--min-speedup compares with another network; name it with --against"
    ),
    (["--steps", "5"], "--steps lists the steps of --profile; give it too"),
    (["--seconds", "0"], "--seconds is 0.0; must be more than 0, or give --rounds"),
    (["--html", "-"], "--html is '-'; only --json goes to standard output, name a file"),
    // Negative numbers are no options.
    (["--batch", "-1"], "--batch is -1; must be 1 or more"),
    (["--threads", "-2"], "--threads is -2; must be 1 or more"),
    (["--rounds", "-3"], "--rounds is -3; must be 1 or more"),
    (["--seconds", "-.5"], "--seconds is -0.5; must be from 0 to 3600 seconds"),
    (["--max-latency", "-3"], "--max-latency is -3.0; must be more than 0, as in 1.5"),
    (
      ["--rounds", "2", "--seconds", "1"],
      "--rounds and --seconds both say how long to measure; give one"
    ),
  ])
  func wrongUsage(_ options: [String], _ message: String) throws {
    let run = try CommandRun(["benchmark", model, "--json", place.file("out.json")] + options)
    #expect(run.code == 2)
    let line = run.errors.split(separator: "\n").first ?? ""
    #expect(line.hasPrefix("Error: ") && line.hasSuffix(message), "\(run.errors)")
    #expect(run.output.isEmpty)
    #expect(try place.isUntouched())
  }

  @Test func badFiles() throws {
    let other = try place.folder.write(
      SmallModels.graph(ONNXWire.node("Relu", ["x"], ["y"], name: "r"), input: [1, 3]),
      to: "other.onnx")
    let text = try place.folder.write(Bytes("PK\u{3}\u{4}".utf8), to: "text.onnx")
    try writeNumPyArchive(["z": Tensor([Float(1)])], to: place.file("z.npz"))
    let listing = try place.listing()
    for (arguments, message) in [
      (
        ["/nowhere/net.onnx"],
        "/nowhere/net.onnx: can't be read: no such file or directory; check the path and its permissions"
      ),
      (
        [model, "--against", "/nowhere/net.onnx"],
        "/nowhere/net.onnx: can't be read: no such file or directory; check the path and its permissions"
      ),
      (
        [model, "--against", other],
        "\(other) › x: is float32[1, 2]; the network takes float32[1, 3]"
      ),
      (
        [model, "--inputs", place.file("z.npz")],
        "\(place.file("z.npz")): unknown input 'z'; the network has 'x'"
      ),
      (
        [model, "--inputs", "x.npy"],
        "x.npy: is one array; expected an .npz with an array for each input, by name"
      ),
    ] {
      let run = try CommandRun(["benchmark", "--json", place.file("out.json")] + arguments)
      #expect(run.code == 3)
      #expect(run.errors == "tessera: \(message)\n")
      #expect(run.output.isEmpty)
    }
    let run = try CommandRun(["benchmark", text])
    #expect(run.code == 3 && run.errors.hasPrefix("tessera: \(text): "))
    #expect(try place.listing() == listing)
    #expect(try place.isUntouched())
  }
}
