import Datasets
import Foundation
import Tensors
import Testing
import _TestSupport

/// NaN and infinities: in data an error that names file and sample, in a network a warning, or an error where it is quantized.
@Suite struct NonFiniteTests {
  @Test func nanInData() throws {
    let place = try Workplace()
    let model = try place.folder.write(SmallModels.product(), to: "net.onnx")
    var numbers = [Float](repeating: 0.5, count: 16)
    numbers[11] = .nan
    numbers[2] = -.infinity
    try writeNumPyArchive(["x": Tensor(numbers, shape: [8, 2])], to: place.samples)
    let listing = try place.listing()
    for command in place.commands(model).filter({ !["run", "benchmark"].contains($0[0]) }) {
      let run = try CommandRun(command + ["--quiet"])
      #expect(run.code == 3)
      #expect(
        run.errors
          == "tessera: \(place.samples) › x: NaN in sample 5, at [5, 1] (1 in all); every value must "
          + "be a number: repair the file or whatever made it\n")
      #expect(try place.listing() == listing)
      #expect(try place.isUntouched())
    }
  }

  @Test func nanAsItIsFed() throws {
    let place = try Workplace()
    let model = try place.folder.write(SmallModels.product(), to: "net.onnx")
    try writeNumPyArchive(["x": Tensor([1, .nan] as [Float], shape: [1, 2])], to: place.inputs)
    let run = try tessera(
      "run", model, "--inputs", place.inputs, "--outputs", place.file("out.npz"))
    #expect(run.code == 0, "\(run.errors)")
    let outputs = try NumPyArchive(contentsOf: place.file("out.npz")).arrays
    #expect(outputs["y"]?.elements(of: Float.self).contains { $0.isNaN } ?? false)
  }

  /// A product, a mask that is added, an operator that makes zeros of it, and another product.
  private func masked(_ place: Workplace, _ operation: String = "Softmax") throws -> String {
    let weights = Wire.bytes(9, Wire.floats([1, 2, 3, 4]))
    let nodes =
      ONNXWire.node("MatMul", ["x", "w"], ["z"], name: "scores")
      + ONNXWire.node("Add", ["z", "mask"], ["s"], name: "masked")
      + ONNXWire.node(operation, ["s"], ["p"], name: "shares")
      + ONNXWire.node("MatMul", ["p", "w"], ["y"], name: "mix")
      + ONNXWire.initializer("w", [2, 2], weights) + ONNXWire.value(11, "mask", [1, 2])
    let samples = [Float](repeating: 0.5, count: 16)
    let masks: [Float] = (0..<16).map { $0 % 4 == 1 ? -.infinity : 0 }
    try writeNumPyArchive(
      ["x": Tensor(samples, shape: [8, 2]), "mask": Tensor(masks, shape: [8, 2])],
      to: place.samples)
    try writeNumPyArchive(
      ["x": Tensor([0.5, 1] as [Float], shape: [1, 2])]
        .merging(["mask": Tensor([0, -.infinity] as [Float], shape: [1, 2])]) { $1 },
      to: place.inputs)
    return try place.folder.write(SmallModels.graph(nodes), to: "net.onnx")
  }

  @Test func infinitiesInInputsAreMeant() throws {
    let place = try Workplace()
    let path = try masked(place)
    for command in place.commands(path).filter({ $0[0] != "quantize" }) {
      let run = try CommandRun(command)
      #expect(run.code == 0, "\(command[0]): \(run.errors)")
    }
    // All weight is on the first of both: exp(-∞) is 0.
    let y = try #require(try NumPyArchive(contentsOf: place.file("out.npz")).arrays["y"])
    #expect(y.elements(of: Float.self) == [1, 2])
  }

  /// Scores before a Softmax stay float; other sums are quantized.
  @Test func infinitiesWhoseRangeIsNeeded() throws {
    let place = try Workplace()
    let softmax = try masked(place)
    let usual = try tessera(
      "quantize", softmax, "--data", place.samples, "-o", place.file("softmax.onnx"))
    #expect(usual.code == 0, "\(usual.errors)")
    let path = try masked(place, "Exp")
    let quantize = ["quantize", path, "--data", place.samples, "-o", place.file("out.onnx")]
    let run = try CommandRun(quantize + ["--quiet"])
    #expect(run.code == 3)
    #expect(
      run.errors
        == "tessera: \(path) › sample 0 of \(place.samples) › mask: an infinity at [0, 1], so "
        + "that it has no range; where it is meant, as in masks, keep what computes with it in float: "
        + "keepFloat: [masked] in a recipe; else repair the samples or the network\n")
    #expect(try place.isUntouched())
    let yaml = try tessera("recipes", "w8a8").output
      .replacingOccurrences(of: "keepFloat: [", with: "keepFloat: [masked, ")
    let recipe = try place.folder.write(Bytes(yaml.utf8), to: "masked.yaml")
    let kept = try CommandRun(quantize + ["--recipe", recipe])
    #expect(kept.code == 0, "\(kept.errors)")
  }

  /// What a network makes too large of finite numbers is told with sample and file.
  @Test func madeByTheNetwork() throws {
    let place = try Workplace()
    let nodes =
      ONNXWire.node("MatMul", ["x", "w"], ["z"], name: "fc")
      + ONNXWire.initializer("w", [2, 2], Wire.bytes(9, Wire.floats([1, 2, 3, 3e37])))
      + ONNXWire.node("Add", ["z", "z"], ["y"], name: "twice")
    let model = try place.folder.write(SmallModels.graph(nodes), to: "net.onnx")
    try writeNumPyArchive(
      ["x": Tensor([1, 1, 1, 1, 1, 9] as [Float], shape: [3, 2])], to: place.samples)
    let run = try tessera(
      "quantize", model, "--data", place.samples, "--quiet", "-o", place.file("out.onnx"))
    #expect(run.code == 3)
    #expect(
      run.errors == "tessera: \(model) › sample 2 of \(place.samples) › y: an infinity at [0, 1], "
        + "so that it has no range; where it is meant, as in masks, keep what computes with it in "
        + "float: keepFloat: [twice] in a recipe; else repair the samples or the network\n")
    #expect(try place.isUntouched())
  }

  /// The network's output has no codes and so no range, but its mean is compared.
  @Test func madeByTheLastLayer() throws {
    let place = try Workplace()
    let nodes =
      ONNXWire.node("Gemm", ["x", "w", "b"], ["y"], name: "fc")
      + ONNXWire.initializer("w", [2, 2], Wire.bytes(9, Wire.floats([1, 2, 3, 3e37])))
      + ONNXWire.initializer("b", [2], Wire.bytes(9, Wire.floats([1, 2])))
    let model = try place.folder.write(SmallModels.graph(nodes), to: "net.onnx")
    try writeNumPyArchive(
      ["x": Tensor([1, 1, 1, 1, 1, 60] as [Float], shape: [3, 2])], to: place.samples)
    let run = try tessera(
      "quantize", model, "--data", place.samples, "--quiet", "-o", place.file("out.onnx"))
    #expect(run.code == 3)
    #expect(
      run.errors
        == "tessera: \(model) › y: has no mean, since it is not finite on the samples; repair "
        + "them or the network, or set biasCorrection: none in the recipe\n")
    #expect(try place.isUntouched())
  }

  @Test func inANetwork() throws {
    let place = try Workplace()
    let path = try place.folder.write(SmallModels.product([1, .nan, .infinity, 4]), to: "net.onnx")
    let warning =
      "warning: \(path) holds numbers that are not finite, so that its outputs hardly are: "
      + "w (1 NaN, 1 infinite)\n"
    for command in place.commands(path).filter({ $0[0] != "quantize" }) {
      let run = try CommandRun(command)
      #expect(run.code == 0, "\(run.errors)")
      #expect(run.errors.contains(warning), "\(command[0]): \(run.errors)")
      #expect(try CommandRun(command + ["--quiet"]).errors.contains(warning))
    }
    let inspected = try tessera("inspect", path)
    #expect(inspected.code == 0)
    #expect(
      inspected.output.split(separator: "\n").contains {
        $0.hasPrefix("w ") && $0.hasSuffix("│ 1 NaN, 1 infinite")
      })
  }

  /// Masks are made of infinities, and bounds that are none.
  @Test func infinitiesThatAreMeant() throws {
    let place = try Workplace()
    let nodes =
      ONNXWire.node("Add", ["x", "mask"], ["y"], name: "a")
      + ONNXWire.initializer("mask", [1, 2], Wire.bytes(9, Wire.floats([0, -.infinity])))
    let path = try place.folder.write(SmallModels.graph(nodes), to: "net.onnx")
    let run = try tessera("run", path, "--inputs", place.inputs, "--outputs", place.file("new.npz"))
    #expect(run.code == 0 && run.errors.isEmpty, "\(run.errors)")
  }
}
