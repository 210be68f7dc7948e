import Evaluation
import Graphs
import Tensors
import Testing

@Suite struct BenchmarkInputsTests {
  private func graph(_ inputs: [(String, ElementType, [Dimension]?)]) -> Graph {
    Graph(
      name: "g", nodes: [], inputs: inputs.map { .init($0.0, ValueType($0.1, $0.2)) }, outputs: [])
  }

  private var open: Graph {
    graph([
      ("x", .float32, ["N", 3, .unknown]), ("ids", .int64, ["N", "L"]),
      ("mask", .bool, ["N", "L"]),
    ])
  }

  private func shapes(_ random: BenchmarkInputs, _ graph: Graph) throws -> [String: Shape] {
    try random.tensors(for: graph).mapValues(\.shape)
  }

  @Test func openLengths() throws {
    var random = BenchmarkInputs()
    #expect(try shapes(random, open) == ["x": [1, 3, 1], "ids": [1, 1], "mask": [1, 1]])
    random.batch = 4
    #expect(try shapes(random, open) == ["x": [4, 3, 1], "ids": [4, 1], "mask": [4, 1]])
    random.shapes = ["ids": [4, 7]]
    #expect(try shapes(random, open) == ["x": [4, 3, 1], "ids": [4, 7], "mask": [4, 7]])
    random.shapes["x"] = [4, 3, 9]
    random.shapes["mask"] = [4, 7]
    #expect(try shapes(random, open) == ["x": [4, 3, 9], "ids": [4, 7], "mask": [4, 7]])
    (random.batch, random.shapes["mask"]) = (nil, nil)
    #expect(try shapes(random, open) == ["x": [4, 3, 9], "ids": [4, 7], "mask": [4, 7]])
  }

  @Test func values() throws {
    var random = BenchmarkInputs()
    let types: [ElementType] = [
      .float32, .float64, .float16, .bfloat16, .int8, .uint8, .int32, .int64, .uint16, .bool, .int4,
      .float8e4m3fn,
    ]
    let graph = graph(types.map { ($0.rawValue, $0, [1000]) })
    let tensors = try random.tensors(for: graph)
    for type in types { #expect(tensors[type.rawValue]?.elementType == type) }
    let floats = try #require(tensors["float32"]).elements(of: Float.self)
    #expect(abs(floats.reduce(0, +) / 1000) < 0.2 && floats.contains { $0 < -1 })
    for name in ["int32", "int64", "uint16", "bool"] {
      #expect(Set(try #require(tensors[name]).integers()) == [0, 1])
    }
    #expect(Set(try #require(tensors["uint8"]).integers()).count > 200)
    #expect(Set(try #require(tensors["int4"]).integers()) == [0])
    let again = try random.tensors(for: graph)
    #expect(types.allSatisfy { again[$0.rawValue]!.isIdentical(to: tensors[$0.rawValue]!) })
    random.seed = 1
    #expect(try !random.tensors(for: graph)["float32"]!.isIdentical(to: tensors["float32"]!))
  }

  /// Older models list constants as inputs.
  @Test func constantsAreNotFed() throws {
    var graph = graph([("x", .float32, [2]), ("w", .float32, [2])])
    graph.constants["w"] = Tensor([Float(1), 2])
    #expect(try shapes(BenchmarkInputs(), graph) == ["x": [2]])
  }

  @Test(
    arguments: [
      (nil, ["y": [1]], "unknown input 'y'; the network has 'x', 'ids', 'mask'"),
      (nil, ["x": [1, 4, 1]], "x: is given as [1, 4, 1]; the network takes float32[N, 3, ?]"),
      (nil, ["x": [3]], "x: is given as [3]; the network takes float32[N, 3, ?]"),
      (
        nil, ["ids": [2, 5], "mask": [2, 6]],
        "mask: is given as [2, 6], so that L is 6; elsewhere it is 5"
      ),
      (
        3, ["ids": [2, 5]],
        "x: a batch of 3 can't be fed: the shapes that are given make N 2"
      ),
      (
        nil, ["ids": [1 << 20, 1 << 30]],
        "ids: int64[1048576, 1073741824] takes 9007199.25 GB, more than a quarter of this machine's memory; "
          + "give a smaller shape or batch"
      ),
    ] as [(Int?, [String: Shape], String)])
  func refused(_ batch: Int?, _ shapes: [String: Shape], _ message: String) {
    var random = BenchmarkInputs()
    (random.batch, random.shapes) = (batch, shapes)
    let error = #expect(throws: EvaluationError.self) { _ = try random.tensors(for: open) }
    #expect(error.map { "\($0)" } == message)
  }

  @Test func fixedBatch() {
    var random = BenchmarkInputs()
    random.batch = 2
    func message(_ graph: Graph) -> String? {
      let error = #expect(throws: EvaluationError.self) { _ = try random.tensors(for: graph) }
      return error.map { "\($0)" }
    }
    #expect(
      message(graph([("x", .float32, [1, 3])]))
        == "x: a batch of 2 can't be fed: the network takes float32[1, 3]")
    #expect(
      message(graph([("x", .float32, [])]))
        == "a batch of 2 is asked for, but no input has a first axis for it")
    random.shapes = ["x": [3, 3]]
    #expect(
      message(graph([("x", .float32, ["N", 3])]))
        == "x: a batch of 2 is asked for, but its shape is given as [3, 3]; leave one of both out")
    (random.batch, random.shapes) = (nil, [:])
    #expect(
      message(graph([("x", .float32, nil)]))
        == "x: the network does not say its shape; give one")
  }

  @Test func shapesAsText() {
    let images = BenchmarkInputs.shape("images=1,3,224,224")
    #expect(images?.name == "images" && images?.shape == [1, 3, 224, 224])
    let odd = BenchmarkInputs.shape("a=b=2")
    #expect(odd?.name == "a=b" && odd?.shape == [2])
    #expect(BenchmarkInputs.shape("x=")?.shape == [])
    for text in ["", "x", "=1", "x=1,", "x=a", "x=-1", "x=1x2", "x=99999999999999999999"] {
      #expect(BenchmarkInputs.shape(text) == nil, "\(text)")
    }
  }
}
