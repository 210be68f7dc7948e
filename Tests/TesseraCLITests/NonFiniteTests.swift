import Datasets
import Foundation
import Tensors
import Testing
import _TestSupport

/// NaN and infinities: in data an error that names file and sample, in a network a warning, or an error where it is quantized.
@Suite struct NonFiniteTests {
  @Test(arguments: [(Float.nan, "NaN"), (.infinity, "infinity"), (-.infinity, "infinity")])
  func inData(_ value: Float, _ name: String) throws {
    let place = try Workplace()
    let model = try place.folder.write(SmallModels.product(), to: "net.onnx")
    var numbers = [Float](repeating: 0.5, count: 16)
    numbers[11] = value
    try writeNumPyArchive(["x": Tensor(numbers, shape: [8, 2])], to: place.samples)
    let listing = try place.listing()
    for command in place.commands(model).filter({ $0[0] != "run" }) {
      let run = try CommandRun(command + ["--quiet"])
      #expect(run.code == 3)
      #expect(
        run.errors
          == "tessera: \(place.samples) › x: \(name) in sample 5, at [5, 1] "
          + "(1 \(value.isNaN ? "NaN" : "infinite") in all); numbers must be finite: "
          + "repair the file or whatever made it\n")
      #expect(try place.listing() == listing)
      #expect(try place.isUntouched())
    }
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
      run.errors == "tessera: \(model) › sample 2 of \(place.samples) › y: infinity at [0, 1]; "
        + "numbers must be finite: repair the file or whatever computed them\n")
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
      #expect(try CommandRun(command + ["--quiet"]).errors.isEmpty)
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
