import Foundation
import Testing
import _TestSupport

/// Networks with loops that do not end: they can be stopped, and what grows without bound is refused.
@Suite struct EndlessLoopTests {
  private let place: Workplace

  init() throws { place = try Workplace() }

  private static let most: [Bytes] = [
    ONNXWire.initializer("m", [], type: 7, Wire.bytes(7, Wire.varint(UInt64(Int64.max))))
  ]

  /// A loop of 2⁶³ − 1 rounds over a body of the given nodes, which carries `v` to `w`.
  private func loop(
    _ body: Bytes, input: String = "x", _ outputs: [String] = ["y"], name: String,
    bodyOutputs: [String] = ["more", "w"]
  ) -> Bytes {
    let graph =
      body + Wire.text(2, "body") + ["i", "c", "v"].flatMap { Wire.bytes(11, Wire.text(1, $0)) }
      + bodyOutputs.flatMap { Wire.bytes(12, Wire.text(1, $0)) }
    return ONNXWire.node(
      "Loop", ["m", "", input], outputs, name: name,
      [ONNXWire.attribute("body", type: 5, Wire.bytes(6, graph))])
  }

  private var again: Bytes { ONNXWire.node("Identity", ["c"], ["more"], name: "again") }

  private func write(_ nodes: Bytes) throws -> String {
    try place.folder.write(
      SmallModels.graph(nodes + Self.most.flatMap { $0 }), to: "net.onnx")
  }

  @Test(arguments: ["run", "quantize"]) func canBeStopped(_ command: String) throws {
    let inner = ONNXWire.node("Identity", ["v"], ["w"], name: "copy") + again
    let product =
      ONNXWire.node("MatMul", ["x", "k"], ["z"], name: "fc")
      + ONNXWire.initializer("k", [2, 2], Wire.bytes(9, Wire.floats([1, 2, 3, 4])))
    let outer =
      ONNXWire.node("Relu", ["v"], ["r"], name: "relu")
      + loop(inner, input: "r", ["w"], name: "inner") + again
    let path = try write(product + loop(outer, input: "z", name: "outer"))
    let arguments = try #require(place.commands(path).first { $0[0] == command })
    let listing = try place.listing()
    let started = try CommandRun.start(arguments)
    // Long enough to be in the loop on any machine; too short a time would only test less.
    Thread.sleep(forTimeInterval: 0.5)
    #expect(started.process.isRunning)
    kill(started.process.processIdentifier, SIGINT)
    let errors = started.errors.fileHandleForReading.readDataToEndOfFile()
    started.waitUntilExit()
    #expect(started.terminationStatus == 128 + SIGINT)
    #expect(
      String(decoding: errors, as: UTF8.self).hasSuffix(
        "tessera: stopped; no file is left half-written\n"))
    #expect(try place.listing() == listing)
    #expect(try place.isUntouched())
  }

  @Test func stacksThatGrowWithoutBound() throws {
    // 64 MiB a round, all of them the same memory until they would be joined.
    let big =
      ONNXWire.node("Expand", ["x", "s"], ["b"], name: "expand")
      + ONNXWire.initializer(
        "s", [2], type: 7, Wire.bytes(7, Wire.varint(1 << 23) + Wire.varint(2)))
    let body =
      ONNXWire.node("Identity", ["v"], ["w"], name: "copy")
      + ONNXWire.node("Identity", ["b"], ["part"], name: "part") + again
    let path = try write(
      big + loop(body, ["y", "stack"], name: "loop", bodyOutputs: ["more", "w", "part"]))
    let run = try tessera(
      "run", path, "--inputs", place.inputs, "--outputs", place.file("out.npz"))
    #expect(run.code == 3)
    #expect(
      run.errors.hasPrefix("tessera: \(path) › loop: the values that are needed at once take "),
      "\(run.errors)")
    #expect(run.errors.filter { $0 == "\n" }.count == 1)
    #expect(try place.isUntouched())
  }
}
