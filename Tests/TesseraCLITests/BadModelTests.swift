import Foundation
import Testing
import _TestSupport

/// Models that can't be used: one line that says what and where, exit code 3, and nothing written.
@Suite struct BadModelTests {
  struct Case: CustomTestStringConvertible {
    let testDescription: String
    let bytes: Bytes
    /// What follows the file's path.
    let message: String
    /// Whether `inspect` shows it: what can be read but not run.
    let isReadable: Bool

    init(_ name: String, _ bytes: Bytes, isReadable: Bool = false, _ message: String) {
      (testDescription, self.bytes, self.message) = (name, bytes, message)
      self.isReadable = isReadable
    }
  }

  @Test(arguments: cases)
  func writesNothing(_ bad: Case) throws {
    let place = try Workplace()
    _ = try place.folder.write([1, 2, 3, 4], to: "short.bin")
    try FileManager.default.createSymbolicLink(
      atPath: place.file("link.bin"), withDestinationPath: "/etc/hostname")
    let path = try place.folder.write(bad.bytes, to: "net.onnx")
    let listing = try place.listing()
    var commands = place.commands(path).map { $0 + ["--quiet"] }
    if !bad.isReadable { commands.append(["inspect", path, "--json", place.file("out.json")]) }
    for command in commands {
      let run = try CommandRun(command)
      #expect(run.code == 3, "\(command[0])")
      #expect(run.errors == "tessera: \(path)\(bad.message)\n", "\(command[0])")
      #expect(run.output.isEmpty, "\(command[0])")
      #expect(try place.listing() == listing, "\(command[0])")
      #expect(try place.isUntouched(), "\(command[0])")
    }
  }

  private static func damaged(_ found: String) -> String {
    ": \(found): the file is cut off, changed, or not an ONNX model; copy or export it again"
  }

  private static func relu(_ input: String, _ output: String, _ name: String) -> Bytes {
    ONNXWire.node("Relu", [input], [output], name: name)
  }

  static let cases = files + graphs + shapes + externalData

  private static let files = [
    Case("empty", [], ": is empty; copy or export it again"),
    Case(
      "cut off", Bytes(SmallModels.product().prefix(60)),
      damaged("a field of 81 bytes where 56 are left at byte 3")),
    Case(
      "another magic", Bytes("PK\u{3}\u{4}".utf8) + SmallModels.product().dropFirst(4),
      damaged("a field numbered 0 at byte 2")),
    Case(
      "opset 6", SmallModels.graph(relu("x", "y", "r"), opset: 6),
      ": is written in opset 6; supported are 7 to 26: export it in opset 17, or convert it with "
        + "onnx.version_converter"),
    Case(
      "opset 27", SmallModels.graph(relu("x", "y", "r"), opset: 27),
      ": is written in opset 27; supported are 7 to 26: export it in opset 17, or convert it with "
        + "onnx.version_converter"),
  ]

  private static let graphs = [
    Case(
      "unsupported operators",
      SmallModels.graph(
        ONNXWire.node("Foo", ["x"], ["a"], name: "first") + relu("a", "b", "r")
          + ONNXWire.node("Bar", ["b"], ["c"], name: "second")
          + ONNXWire.node("Foo", ["c"], ["y"], name: "third")),
      isReadable: true,
      ": unsupported operators: Bar (second), Foo (first, third); "
        + "replace these nodes or leave the part out"),
    Case(
      "a cycle",
      SmallModels.graph(
        ONNXWire.node("Add", ["x", "b"], ["a"], name: "n1") + relu("a", "b", "n2")
          + relu("a", "y", "n3")),
      ": nodes wait for each other: n2 → n1 → n2; the graph must have no cycle"),
    Case(
      "a name twice", SmallModels.graph(relu("x", "y", "n1") + relu("x", "y", "n2")),
      " › n2: computes 'y', which another node computes too or which is an input or constant"),
    Case(
      "a dangling input", SmallModels.graph(ONNXWire.node("Add", ["x", "z"], ["y"], name: "n")),
      " › n: reads 'z', which no node computes and which is neither input nor constant"),
    Case(
      "a dangling output", SmallModels.graph(relu("x", "a", "n")),
      ": the output 'y' is computed by no node"),
  ]

  private static func expand(_ lengths: [Int], thenProduct: Bool = false) -> Bytes {
    let product =
      ONNXWire.node("MatMul", ["z", "w"], ["y"], name: "fc")
      + ONNXWire.initializer("w", [2, 2], Wire.bytes(9, Wire.floats([1, 2, 3, 4])))
    return SmallModels.graph(
      ONNXWire.node("Expand", ["x", "s"], [thenProduct ? "z" : "y"], name: "e")
        + (thenProduct ? product : [])
        + ONNXWire.initializer(
          "s", [lengths.count], type: 7, Wire.bytes(7, lengths.flatMap { Wire.varint(UInt64($0)) }))
    )
  }

  private static let shapes = [
    Case(
      "a constant whose size overflows",
      SmallModels.graph(
        ONNXWire.node("MatMul", ["x", "w"], ["y"], name: "fc")
          + ONNXWire.initializer("w", [1 << 40, 1 << 40], Wire.bytes(9, [0, 0, 0, 0]))),
      " › 'w': has the impossible shape [1099511627776, 1099511627776]; the file is damaged, "
        + "export it again"),
    Case(
      "a result whose size overflows", expand([1 << 40, 1 << 40, 2]), isReadable: true,
      " › e: shape [1099511627776, 1099511627776, 2] has more elements than can be counted"),
  ]

  private static func outside(_ location: String) -> Case {
    Case(
      "external data in \(location)", SmallModels.external(location),
      " › 'w': lies in '\(location)', outside the model's folder, which is not opened; put the file "
        + "beside the model and name it without '..', '/' in front or a link that leads out")
  }

  private static let externalData = [
    Case(
      "external data missing", SmallModels.external("no.bin"),
      " › 'w': lies in 'no.bin', which is not in the model's folder; put that file beside the model"
    ),
    Case(
      "external data too short", SmallModels.external("short.bin"),
      " › 'w': takes 16 bytes from byte 0 of 'short.bin', which has 4; copy that file again"),
    outside("../other.bin"), outside("/etc/hostname"), outside("link.bin"),
  ]

  /// A size that can be counted but not held is no crash.
  @Test func aValueLargerThanMemory() throws {
    let place = try Workplace()
    // The product is there to be quantized: nothing is computed of a network without.
    let model = Self.expand([1 << 20, 1 << 20, 2], thenProduct: true)
    let path = try place.folder.write(model, to: "net.onnx")
    for command in place.commands(path) {
      let run = try CommandRun(command + ["--quiet"])
      #expect(run.code == 3)
      #expect(
        run.errors.hasPrefix(
          "tessera: \(path)\(command[0] == "quantize" ? " › sample 0 of \(place.samples)" : "") › e: the result would be "
            + "float32[1048576, 1048576, 2], more than the "))
      #expect(try place.isUntouched())
    }
  }

  @Test(arguments: ["w8a8", "w8a8-per-tensor", "w8a8-dynamic", "w8a16", "w8", "w4"])
  func weightsThatAreNotFinite(_ recipe: String) throws {
    let place = try Workplace()
    for (value, name) in [(Float.nan, "NaN"), (.infinity, "infinity")] {
      let path = try place.folder.write(SmallModels.product([1, 2, value, 4]), to: "net.onnx")
      let run = try tessera(
        "quantize", path, "--data", place.samples, "--recipe", recipe, "--quiet", "-o",
        place.file("out.onnx"))
      #expect(run.code == 3)
      #expect(
        run.errors == "tessera: \(path) › fc › w: \(name) at [1, 0]; numbers must be finite: "
          + "repair the file or whatever computed them\n")
      #expect(try place.isUntouched())
    }
  }

  /// Whatever is damaged in a real network, no command crashes or writes.
  @Test func aRealNetworkCutAndFlipped() throws {
    let place = try Workplace()
    let sound = try bytes(ofFile: TestSupport.fixture("onnx/qdq_conv_pc_uint8.onnx"))
    for position in stride(from: 3, to: sound.count, by: max(sound.count / 12, 1)) {
      var flipped = sound
      flipped[position] ^= 0x55
      for damaged in [Bytes(sound[..<position]), flipped] {
        let path = try place.folder.write(damaged, to: "net.onnx")
        let run = try tessera(
          "run", path, "--inputs", place.inputs, "--outputs", place.file("out.npz"))
        // The input fits none of them.
        #expect(
          run.code == 3 && run.errors.hasPrefix("tessera: ")
            && run.errors.filter { $0 == "\n" }.count == 1)
        #expect(try place.isUntouched())
      }
    }
  }
}
