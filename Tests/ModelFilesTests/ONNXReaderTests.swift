import Graphs
import ModelFiles
import Tensors
import Testing
import _TestSupport

@Suite struct ONNXReaderTests {
  private func read(_ bytes: Bytes) throws -> Model {
    let folder = try TemporaryFolder()
    return try Model(contentsOf: folder.write(bytes, to: "m.onnx"))
  }

  private func constant(_ tensor: Bytes) throws -> Tensor? {
    try read(ONNXWire.model(ONNXWire.graph(tensor))).graph.constants["w"]
  }

  // MARK: Models

  @Test func keepsWhatTheFileSays() throws {
    let entry = Wire.bytes(14, Wire.text(1, "key") + Wire.text(2, "value"))
    let bytes =
      Wire.text(2, "maker") + Wire.text(3, "1.2") + Wire.text(6, "about")
      + ONNXWire.model(ONNXWire.graph()) + ONNXWire.opset(1, "com.microsoft") + entry
    let model = try read(bytes)
    #expect(model.producer == .init(name: "maker", version: "1.2", documentation: "about"))
    #expect(model.opsets == ["": 17, "com.microsoft": 1])
    #expect(model.metadata == ["key": "value"])
    #expect(model.graph.name == "g")
    #expect(model.graph.inputs == [.init("x", ValueType(.float32, [2]))])
  }

  @Test func skipsFieldsThatItDoesNotKnow() throws {
    let unknown =
      Wire.int(1000, 5) + Wire.text(99, "?") + Wire.float(98, 1)
      + Wire.varint(97 << 3 | 1) + Bytes(repeating: 0, count: 8)
    let model = try read(unknown + ONNXWire.model(ONNXWire.graph(unknown)) + unknown)
    #expect(model.graph.nodes.count == 1)
  }

  @Test func aiOnnxIsOnnxsOwnDomain() throws {
    let node = Wire.bytes(
      1, Wire.text(1, "x") + Wire.text(2, "y") + Wire.text(4, "Relu") + Wire.text(7, "ai.onnx"))
    let graph = node + ONNXWire.value(11, "x", [1]) + ONNXWire.value(12, "y", [1])
    let model = try read(Wire.bytes(7, graph) + ONNXWire.opset(13, "ai.onnx"))
    #expect(model.opset == 13)
    #expect(model.graph.nodes[0].operation == "Relu")
  }

  @Test func putsNodesInOrder() throws {
    let graph =
      ONNXWire.node("Neg", ["b"], ["y"]) + ONNXWire.node("Abs", ["a"], ["b"])
      + ONNXWire.node("Relu", ["x"], ["a"]) + ONNXWire.value(11, "x", [1])
      + ONNXWire.value(12, "y", [1])
    let model = try read(ONNXWire.model(graph))
    #expect(model.graph.nodes.map(\.operation) == ["Relu", "Abs", "Neg"])
  }

  @Test func initializersAreNoInputs() throws {
    let more =
      ONNXWire.value(11, "w", [1]) + ONNXWire.initializer("w", [1], Wire.bytes(9, [0, 0, 128, 63]))
    let model = try read(ONNXWire.model(ONNXWire.graph(more)))
    #expect(model.graph.inputs.map(\.name) == ["x"])
    #expect(model.graph.constants["w"]?.elements(of: Float.self) == [1])
  }

  @Test func typesOfValuesBetweenNodes() throws {
    let named = Wire.bytes(1, Wire.text(2, "N"))
    let shape = named + Wire.bytes(1, []) + Wire.bytes(1, Wire.int(1, -1))
    let type = Wire.bytes(2, Wire.bytes(1, Wire.int(1, 7) + Wire.bytes(2, shape)))
    let graph =
      ONNXWire.node("Relu", ["x"], ["a"]) + ONNXWire.node("Relu", ["a"], ["y"])
      + ONNXWire.value(11, "x", [1]) + Wire.bytes(12, Wire.text(1, "y"))
      + Wire.bytes(13, Wire.text(1, "a") + type) + ONNXWire.value(13, "y", [3])
      + ONNXWire.value(13, "nobody", [3])
    let model = try read(ONNXWire.model(graph))
    #expect(
      model.graph.valueTypes == ["a": ValueType(.int64, [.named("N"), .unknown, .unknown])])
    #expect(model.graph.outputs[0].type == ValueType(.float32, [3]))
  }

  // MARK: Constants

  struct Stored: CustomTestStringConvertible {
    let type: Int
    let data: Bytes
    let tensor: Tensor
    var testDescription: String { "\(tensor.elementType) in \(data.count) bytes" }

    init(_ type: Int, _ data: Bytes..., is tensor: Tensor) {
      (self.type, self.data, self.tensor) = (type, Bytes(data.joined()), tensor)
    }
  }

  static let stored: [Stored] = {
    let floats = Tensor([1.5, -2] as [Float])
    let doubles = [1.5, -2].flatMap { Wire.littleEndian(($0 as Double).bitPattern) }
    let halves = Tensor([0x3c00, 0xc000] as [UInt16]).reinterpreted(as: .float16)
    let brains = Tensor([0x3f80, 0xc000] as [UInt16]).reinterpreted(as: .bfloat16)
    let bytes = Tensor([0x38, 0x40] as [UInt8]).reinterpreted(as: .float8e4m3fn)
    let longs = Tensor([5, -1] as [Int64])
    let minusOne = Wire.varint(.max)
    return [
      Stored(1, Wire.bytes(9, Wire.floats([1.5, -2])), is: floats),
      Stored(1, Wire.bytes(4, Wire.floats([1.5, -2])), is: floats),
      Stored(1, Wire.float(4, 1.5), Wire.float(4, -2), is: floats),
      Stored(11, Wire.bytes(10, doubles), is: Tensor([1.5, -2] as [Double])),
      Stored(7, Wire.bytes(7, [5] + minusOne), is: longs),
      Stored(7, Wire.int(7, 5), Wire.int(7, -1), is: longs),
      Stored(7, Wire.int(7, 5), Wire.bytes(7, minusOne), is: longs),
      Stored(6, Wire.bytes(5, [5] + minusOne), is: Tensor([5, -1] as [Int32])),
      Stored(6, Wire.int(5, 7), Wire.int(5, 0xffff_ffff), is: Tensor([7, -1] as [Int32])),
      Stored(2, Wire.bytes(5, [0xff, 1, 1]), is: Tensor([255, 1] as [UInt8])),
      Stored(3, Wire.int(5, -128), Wire.int(5, 127), is: Tensor([-128, 127] as [Int8])),
      Stored(4, Wire.int(5, 65535), Wire.int(5, 1), is: Tensor([65535, 1] as [UInt16])),
      Stored(5, Wire.int(5, -32768), Wire.int(5, 1), is: Tensor([-32768, 1] as [Int16])),
      Stored(9, Wire.bytes(5, [1, 0]), is: Tensor([true, false])),
      Stored(9, Wire.bytes(9, [1, 0]), is: Tensor([true, false])),
      Stored(12, Wire.int(11, 0xffff_ffff), Wire.int(11, 3), is: Tensor([.max, 3] as [UInt32])),
      Stored(13, Wire.bytes(11, minusOne + [3]), is: Tensor([.max, 3] as [UInt64])),
      Stored(10, Wire.int(5, 0x3c00), Wire.int(5, 0xc000), is: halves),
      Stored(16, Wire.bytes(9, [0x80, 0x3f, 0, 0xc0]), is: brains),
      Stored(17, Wire.bytes(5, [0x38, 0x40]), is: bytes),
    ]
  }()

  @Test(arguments: stored) func typedAndRawData(_ stored: Stored) throws {
    let found = try constant(ONNXWire.initializer("w", [2], type: stored.type, stored.data))
    #expect(found?.isIdentical(to: stored.tensor) == true)
  }

  @Test(arguments: [Wire.bytes(9, [0x21, 0xf3]), Wire.bytes(5, [0x21] + Wire.varint(0xf3))])
  func unusedBitsAreZero(_ data: Bytes) throws {
    let tensor = try constant(ONNXWire.initializer("w", [3], type: 21, data))
    #expect(tensor?.elementType == .uint4)
    #expect(tensor?.withUnsafeBytes { Array($0) } == [0x21, 0x03])
    #expect(tensor?.integers() == [1, 2, 3])
  }

  @Test(arguments: [[], [0], [2, 0, 3], [0, 1 << 50]])
  func shapesWithoutElements(_ lengths: [Int]) throws {
    let data = Wire.bytes(9, lengths.isEmpty ? [0, 0, 0, 0] : [])
    let tensor = try constant(ONNXWire.initializer("w", lengths, data))
    #expect(tensor?.shape.dimensions == lengths)
  }

  @Test func dimensionsMayBePacked() throws {
    let message =
      Wire.bytes(1, [2, 1]) + Wire.int(2, 1) + Wire.text(8, "w")
      + Wire.bytes(9, Wire.floats([1, 2]))
    #expect(try constant(Wire.bytes(5, message))?.shape == [2, 1])
  }

  static let constantNodes: [(String, Int, Bytes, Tensor)] = [
    ("value", 4, Wire.bytes(5, ONNXWire.tensor("", [1], Wire.float(4, 3))), Tensor([3 as Float])),
    ("value_int", 2, Wire.int(3, -4), Tensor(scalar: -4 as Int64)),
    ("value_ints", 7, Wire.bytes(8, [1, 2]), Tensor([1, 2] as [Int64])),
    ("value_ints", 7, [], Tensor([] as [Int64])),
    ("value_float", 1, Wire.float(2, 2.5), Tensor(scalar: 2.5 as Float)),
    ("value_floats", 6, Wire.float(7, 2.5), Tensor([2.5 as Float])),
  ]

  @Test(arguments: constantNodes)
  func constantNodesBecomeConstants(
    _ name: String, _ type: Int, _ value: Bytes, _ expected: Tensor
  ) throws {
    let node = ONNXWire.node("Constant", [], ["w"], [ONNXWire.attribute(name, type: type, value)])
    #expect(try constant(node)?.isIdentical(to: expected) == true)
  }

  @Test func textsAreAnErrorOnlyWhereTheyAreUsed() throws {
    let texts = ONNXWire.initializer("w", [1], type: 8, Wire.text(6, "a"))
    #expect(try constant(texts) == nil)
    let reader = ONNXWire.node("Identity", ["w"], ["z"], name: "reader")
    let error = #expect(throws: ModelFileError.self) { try constant(texts + reader) }
    #expect(error?.code == .unsupported)
    #expect(
      error?.description.hasSuffix(
        "m.onnx › reader: the constant 'w' holds texts, which is not supported") == true)
  }

  // MARK: Attributes

  @Test(arguments: [1, 0])
  func attributesOfEveryKind(_ stated: Int) throws {
    let tensor = ONNXWire.tensor("", [1], Wire.bytes(9, Wire.floats([3])))
    let graph = ONNXWire.node("Neg", ["x"], ["b"]) + ONNXWire.value(12, "b", [2])
    let attributes: [(String, Int, Bytes)] = [
      ("f", 1, Wire.float(2, 0.5)), ("i", 2, Wire.int(3, -7)), ("s", 3, Wire.text(4, "text")),
      ("t", 4, Wire.bytes(5, tensor)), ("g", 5, Wire.bytes(6, graph)),
      ("fs", 6, Wire.float(7, 1) + Wire.bytes(7, Wire.floats([2]))),
      ("is", 7, Wire.int(8, 1) + Wire.bytes(8, [2, 3])),
      ("ss", 8, Wire.text(9, "a") + Wire.text(9, "")),
      ("ts", 9, Wire.bytes(10, tensor)), ("gs", 10, Wire.bytes(11, graph)),
    ]
    let node = ONNXWire.node(
      "Custom", ["x"], ["z"],
      attributes.map { ONNXWire.attribute($0, type: $1 * stated, $2) })
    let found = try read(ONNXWire.model(ONNXWire.graph(node))).graph.nodes[1].attributes
    #expect(found.count == attributes.count)
    guard case .float(0.5)? = found["f"], case .int(-7)? = found["i"],
      case .string("text")? = found["s"], case .tensor(let t)? = found["t"],
      case .graph(let g)? = found["g"], case .floats([1, 2])? = found["fs"],
      case .ints([1, 2, 3])? = found["is"], case .strings(["a", ""])? = found["ss"],
      case .tensors(let ts)? = found["ts"], case .graphs(let gs)? = found["gs"]
    else {
      Issue.record("\(found)")
      return
    }
    #expect(t.elements(of: Float.self) == [3] && ts.count == 1)
    #expect(g.nodes.count == 1 && gs.count == 1)
  }

  @Test func listsMayBeEmpty() throws {
    let node = ONNXWire.node(
      "Custom", ["x"], ["z"],
      [
        ONNXWire.attribute("is", type: 7), ONNXWire.attribute("fs", type: 6),
        ONNXWire.attribute("ss", type: 8), ONNXWire.attribute("i", type: 2),
      ])
    let found = try read(ONNXWire.model(ONNXWire.graph(node))).graph.nodes[1].attributes
    guard case .ints([])? = found["is"], case .floats([])? = found["fs"],
      case .strings([])? = found["ss"], case .int(0)? = found["i"]
    else {
      Issue.record("\(found)")
      return
    }
  }

  // MARK: External data

  @Test func externalDataIsAView() throws {
    let folder = try TemporaryFolder()
    _ = try folder.write([9, 9] + Wire.floats([1, 2]), to: "data/w.bin")
    let data = ONNXWire.external([
      ("location", "data/w.bin"), ("offset", "2"), ("length", "8"), ("checksum", "?"),
    ])
    let bytes = ONNXWire.model(ONNXWire.graph(ONNXWire.initializer("w", [2], data)))
    let model = try Model(contentsOf: folder.write(bytes, to: "m.onnx"))
    #expect(model.graph.constants["w"]?.elements(of: Float.self) == [1, 2])
  }
}
