import Foundation
import Graphs
import ModelFiles
import Tensors
import Testing
import _TestSupport

@Suite struct ONNXWriterTests {
  private func model(constants: [String: Tensor], opset: Int = 17) -> Model {
    let nodes = constants.keys.sorted().reversed().map {
      Node("Identity", name: "read \($0)", inputs: [$0], outputs: ["out_" + $0])
    }
    return Model(
      Graph(
        nodes: nodes, outputs: nodes.map { .init($0.outputs[0], ValueType(nil, nil)) },
        constants: constants), opset: opset)
  }

  @Test func theSameModelGivesTheSameBytes() throws {
    let folder = try TemporaryFolder()
    let constants = Dictionary(
      uniqueKeysWithValues: (0..<50).map { ("c\($0)", Tensor(scalar: Float($0))) })
    for name in ["a.onnx", "b.onnx"] {
      var model = self.model(constants: constants)
      for key in (0..<20).shuffled() { model.metadata["k\(key)"] = "v" }
      try model.write(to: folder.file(name), as: .onnx)
    }
    #expect(try bytes(ofFile: folder.file("a.onnx")) == bytes(ofFile: folder.file("b.onnx")))
  }

  @Test(arguments: ElementType.allCases) func everyElementTypeSurvives(_ type: ElementType) throws {
    let folder = try TemporaryFolder()
    let bytes = Tensor(
      (0..<type.byteCount(of: 8)).map { type == .bool ? UInt8($0 % 2) : UInt8($0 * 29 % 251) })
    let path = try folder.write(bytes.elements(of: UInt8.self), to: "bytes")
    let tensor = Tensor([2, 4], type, in: try MappedFile(path: path), byteOffset: 0)
    try model(constants: ["c": tensor]).write(to: folder.file("m.onnx"), as: .onnx)
    let again = try Model(contentsOf: folder.file("m.onnx"))
    #expect(again.graph.constants["c"]?.isIdentical(to: tensor) == true)
  }

  /// The IR version is the file's first field.
  @Test(
    arguments: [
      (7, .float32, 8), (13, .float32, 8), (18, .int8, 8), (19, .float32, 9), (20, .float32, 9),
      (21, .float32, 10), (22, .float32, 10), (23, .float32, 11), (24, .float32, 12),
      (25, .float32, 13), (26, .float32, 13), (17, .int4, 10), (17, .uint4, 10),
      (17, .float8e4m3fn, 9), (17, .uint2, 13), (24, .float4e2m1, 12), (17, .float4e2m1, 11),
    ] as [(Int, ElementType, UInt8)])
  func theIRVersionIsTheLeastThatFits(
    _ opset: Int, _ type: ElementType, _ expected: UInt8
  ) throws {
    let folder = try TemporaryFolder()
    let model = model(constants: ["c": .zeros([2], type)], opset: opset)
    try model.write(to: folder.file("m.onnx"), as: .onnx)
    #expect(try bytes(ofFile: folder.file("m.onnx")).prefix(2) == [0x08, expected])
  }

  @Test func attributesOfEveryKindSurvive() throws {
    let folder = try TemporaryFolder()
    let inner = Graph(
      name: "inner", nodes: [Node("Relu", inputs: ["c"], outputs: ["i"])],
      outputs: [.init("i", ValueType(.float32, [.named("N"), .unknown, 3]))],
      constants: ["own": Tensor([1, 2] as [Int64])])
    let tensor = Tensor([1.5] as [Double])
    var model = model(constants: ["c": Tensor(scalar: 1 as Float)])
    model.graph.nodes[0].attributes = [
      "a": .int(-1), "b": .float(-0.0), "c": .string("ä"), "d": .tensor(tensor),
      "e": .graph(inner), "f": .ints([]), "g": .floats([.nan, 1]), "h": .strings(["", "x"]),
      "i": .tensors([tensor, tensor]), "j": .graphs([inner]), "k": .ints([.min, .max, 0]),
    ]
    model.producer = .init(name: "p", version: "v", documentation: "d")
    try model.write(to: folder.file("m.onnx"), as: .onnx)
    #expect(differences(model, try Model(contentsOf: folder.file("m.onnx"))) == [])
  }

  // MARK: External data

  @Test func largeConstantsGoIntoAFileBeside() throws {
    let folder = try TemporaryFolder()
    let large = Tensor((0..<1000).map(Float.init))
    let huge = Tensor((0..<3000).map { -Float($0) })
    let model = model(constants: ["a": huge, "b": large, "small": Tensor(scalar: 1 as Float)])
    var writer = ONNXWriter(model)
    writer.inlineLimit = 2000
    try writer.write(to: folder.file("m.onnx"))
    let data = try bytes(ofFile: folder.file("m.onnx.data"))
    // In the order of the nodes that read them: b from 0, a from the next multiple of 4096.
    #expect(data.count == 4096 + huge.byteCount)
    #expect(large.withUnsafeBytes { data.prefix(4000).elementsEqual($0) })
    #expect(huge.withUnsafeBytes { data.dropFirst(4096).elementsEqual($0) })
    // Only what the model names counts.
    _ = try folder.write([1, 2, 3], to: "m.onnx.other")
    #expect(
      try Model.byteCount(ofFile: folder.file("m.onnx"))
        == data.count + bytes(ofFile: folder.file("m.onnx")).count)
    #expect(differences(model, try Model(contentsOf: folder.file("m.onnx"))) == [])
  }

  @Test func aFileCanBeWrittenOverTheOneThatItIsReadFrom() throws {
    let folder = try TemporaryFolder()
    let model = model(constants: ["a": Tensor((0..<1000).map(Float.init))])
    for _ in 0..<2 {
      var writer = ONNXWriter(
        (try? Model(contentsOf: folder.file("m.onnx"))) ?? model)
      writer.inlineLimit = 2000
      try writer.write(to: folder.file("m.onnx"))
    }
    #expect(differences(model, try Model(contentsOf: folder.file("m.onnx"))) == [])
  }

  // MARK: What can't be written

  @Test func tooLargeWithoutItsConstants() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("m.onnx")
    var writer = ONNXWriter(model(constants: ["a": Tensor((0..<100).map(Float.init))]))
    try writer.write(to: path)
    let size = try bytes(ofFile: path).count
    try FileManager.default.removeItem(atPath: path)
    writer.inlineLimit = size - 1
    let error = #expect(throws: ModelFileError.self) { try writer.write(to: path) }
    #expect(
      error?.message
        == "takes \(size) bytes even with its large constants in another file; "
        + "an ONNX file holds at most \(size - 1)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
  }

  @Test func saysWhatIsMissing() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("m.onnx")
    var model = model(constants: ["a": Tensor(scalar: 1 as Float)], opset: 27)
    var error = #expect(throws: ModelFileError.self) { try model.write(to: path, as: .onnx) }
    #expect(
      error?.description == "\(path): opset 27 can't be written; supported are 7 to 26")
    model.opset = 17
    model.graph.nodes[0].operation = .microsoft("QuantizeLinear")
    error = #expect(throws: ModelFileError.self) { try model.write(to: path, as: .onnx) }
    #expect(
      error?.description
        == "\(path) › read a: com.microsoft.QuantizeLinear is of a domain whose version the model "
        + "does not state; set opsets[\"com.microsoft\"]")
  }

  @Test func anOldFileStaysWhereTheNewOneCanNotBeWritten() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Bytes("old".utf8), to: "m.onnx")
    #expect(throws: ModelFileError.self) {
      try model(constants: [:], opset: 6).write(to: path, as: .onnx)
    }
    #expect(try bytes(ofFile: path) == Bytes("old".utf8))
  }
}
