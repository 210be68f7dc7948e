import Foundation
import Testing
import _TestSupport

/// The embedded example through the command, end to end.
@Suite struct QuantizeCommandTests {
  private func quantize(_ output: String, _ more: String...) throws -> CommandRun {
    try CommandRun(
      [
        "quantize", examples + "/model.onnx", "--preprocessing", examples + "/preprocessing.yaml",
        "--data", examples + "/calibration-images.idx3-ubyte.gz", "--samples", "16", "--quiet",
        "--seed", "7", "-o", output,
      ] + more)
  }

  private func object(_ path: String) throws -> [String: Any] {
    let value = try JSONSerialization.jsonObject(with: Data(bytes(ofFile: path)))
    return try #require(value as? [String: Any])
  }

  @Test func writesTheSameBytesOnAnyNumberOfThreads() throws {
    let place = try Workplace()
    let (one, two) = (place.file("one.onnx"), place.file("two.onnx"))
    let (json, html) = (place.file("out.json"), place.file("out.html"))
    let passed = try quantize(
      one, "--threads", "1", "--max-size", "50%", "--min-sqnr", "20", "--json", json, "--html", html
    )
    #expect(passed.code == 0, "\(passed.errors)")
    #expect(passed.errors.isEmpty)
    #expect(
      passed.output.contains(
        "plan: 24 static, 13 absorbed, 1 sharing\n  static: integers, scales measured before; "
          + "absorbed: a clamp that became the range of what is before it; sharing: passes codes on unchanged\n"
      ))
    let report = try object(json)
    #expect(report["schema"] as? String == "tessera.report/1")
    let size = try #require((report["quantized"] as? [String: Any])?["size_bytes"] as? Int)
    #expect(size == (try bytes(ofFile: one).count))
    #expect(try String(contentsOfFile: html, encoding: .utf8).hasPrefix("<!DOCTYPE html>"))

    // Missing a threshold is told by the exit code; the file is there all the same.
    let missed = try quantize(two, "--threads", "2", "--max-size", "10%", "--skip-layers")
    #expect(missed.code == 1)
    #expect(missed.errors.isEmpty)
    #expect(missed.output.contains("FAILED max-size: 32.6 %, at most 10.0 %"))
    #expect(try bytes(ofFile: one) == bytes(ofFile: two))
  }

  @Test func evaluatesAndComparesWhatItWrote() throws {
    let place = try Workplace()
    let model = examples + "/model.onnx"
    let (small, json) = (place.file("small.onnx"), place.file("out.json"))
    #expect(try tessera("quantize", model, "--recipe", "w8", "-o", small).code == 0)
    let data = [
      "--data", examples + "/calibration-images.idx3-ubyte.gz", "--preprocessing",
      examples + "/preprocessing.yaml", "--quiet", "--json", json,
    ]
    let evaluated = try CommandRun(
      ["evaluate", small, "--metric", "top1,sqnr", "--against", model] + data)
    #expect(evaluated.code == 0, "\(evaluated.errors)")
    #expect(evaluated.errors.isEmpty)
    let figures = try object(json)
    #expect(figures["sample_count"] as? Int == 500)
    #expect(try #require(figures["top1"] as? Double) > 0.9)
    // Nothing is lost, which JSON has no number for.
    let same = try CommandRun(["evaluate", model, "--metric", "sqnr", "--against", model] + data)
    #expect(same.code == 0)
    #expect(try object(json)["sqnr_db"] is NSNull)
    let compared = try CommandRun(["compare", model, small, "--samples", "4"] + data)
    #expect(compared.code == 0, "\(compared.errors)")
    #expect(try object(json)["schema"] as? String == "tessera.report/1")
    let swapped = try CommandRun(["compare", small, model] + data)
    #expect(swapped.code == 2)
    #expect(
      swapped.errors.contains(
        "'\(small)' is quantized, '\(model)' is not; give the float model first"))
    let inspected = try tessera("inspect", small, "--json", json)
    #expect(inspected.code == 0)
    #expect(inspected.output.hasPrefix("graph "))
    _ = try object(json)
  }

  /// Layers without names are tried in float under what the plan calls them, which a recipe may name too.
  @Test func layersWithoutNames() throws {
    let place = try Workplace()
    let nodes =
      ONNXWire.node("MatMul", ["x", "w"], ["h"]) + ONNXWire.node("Relu", ["h"], ["r"])
      + ONNXWire.node("MatMul", ["r", "v"], ["y"])
    let weights = ["w", "v"].flatMap {
      ONNXWire.initializer($0, [2, 2], Wire.bytes(9, Wire.floats([0.31, -0.2, 0.77, 0.13])))
    }
    let model = try place.folder.write(SmallModels.graph(nodes + weights), to: "nameless.onnx")
    let out = place.file("out.onnx")
    let run = try tessera("quantize", model, "--data", place.samples, "-o", out)
    #expect(run.code == 0, "\(run.errors)")
    #expect(run.errors.contains("MatMul → h"))
    #expect(!run.errors.contains("warning: no layers were tried"))
    #expect(!run.output.contains("no layers were tried"))
    let recipe = try place.folder.write(
      Bytes("name: kept\nmethod: weightOnly\nkeepFloat: [MatMul → h]\n".utf8), to: "kept.yaml")
    let kept = try tessera("quantize", model, "--recipe", recipe, "-o", out)
    #expect(kept.code == 0, "\(kept.errors)")
    #expect(kept.errors.contains("keepFloat 'MatMul → h'"))
  }

  /// A network of float16 is compared with its quantized form, which computes in float32.
  @Test(arguments: ["w8a8", "w8"]) func comparesFloat16(_ recipe: String) throws {
    let place = try Workplace()
    let cast = ONNXWire.attribute("to", type: 2, Wire.int(3, 10))
    let nodes =
      ONNXWire.node("Cast", ["x"], ["c"], [cast]) + ONNXWire.node("MatMul", ["c", "w"], ["h"])
      + ONNXWire.node("Relu", ["h"], ["r"]) + ONNXWire.node("MatMul", ["r", "v"], ["y"])
    // 0.5, -0.25, 0.75 and 0.125.
    let halves: Bytes = [0x00, 0x38, 0x00, 0xB4, 0x00, 0x3A, 0x00, 0x30]
    let weights = ["w", "v"].flatMap {
      ONNXWire.initializer($0, [2, 2], type: 10, Wire.bytes(9, halves))
    }
    let model = try place.folder.write(SmallModels.graph(nodes + weights), to: "half.onnx")
    let out = place.file("out.onnx")
    let run = try tessera(
      "quantize", model, "--recipe", recipe, "--data", place.samples, "-o", out)
    #expect(run.code == 0, "\(run.errors)")
    let compared = try tessera("compare", model, out, "--data", place.samples)
    #expect(compared.code == 0, "\(compared.errors)")
    #expect(compared.output.contains("MatMul → h"))
    #expect(compared.output.components(separatedBy: "8 samples").count == 3, "\(compared.output)")
  }

  @Test(arguments: ["quantize", "evaluate", "compare", "inspect", "run", "recipes"])
  func helpOpensWithAnExample(_ command: String) throws {
    let run = try tessera(command, "--help")
    #expect(run.code == 0)
    let paragraphs = run.output.components(separatedBy: "\n\n")
    #expect(paragraphs[0].hasPrefix("OVERVIEW: "))
    #expect(paragraphs[1].hasPrefix("EXAMPLE: tessera \(command)"))
  }
}
