import Datasets
import Foundation
import Graphs
import ModelFiles
import Tensors
import Testing
import _TestSupport

@testable import Execution

/// Products with weights of 4 bits in plans: what their operator's reference function says.
@Suite struct BlockProductTests {
  /// A product and what is given to it.
  struct Case: Sendable, CustomTestStringConvertible {
    var rows = 3
    var inner = 70
    var outputs = 37
    var blockSize = 32
    var level = 0
    var zeroPoints: ElementType?
    var hasBias = false

    var testDescription: String {
      "\(rows)x\(inner)x\(outputs)/\(blockSize) level \(level) \(zeroPoints.map { "\($0)" } ?? "") \(hasBias)"
    }

    static let all: [Case] = [0, 1, 4].flatMap { level in
      [
        Case(level: level), Case(rows: 1, level: level, hasBias: true),
        Case(blockSize: 16, level: level, zeroPoints: .uint8),
        Case(rows: 20, inner: 300, blockSize: 128, level: level, zeroPoints: .uint8),
        Case(inner: 5, outputs: 9, blockSize: 256, level: level, zeroPoints: .uint8, hasBias: true),
        Case(inner: 64, level: level, zeroPoints: .float32),
      ]
    }

    private var blocks: Int { (inner + blockSize - 1) / blockSize }

    private func bytes(_ shape: Shape, seed: UInt64) -> Tensor {
      var generator = SeededGenerator(seed: seed)
      return Tensor((0..<shape.count).map { _ in UInt8(generator.index(below: 256)) }, shape: shape)
    }

    /// The product and a Relu; the weights are an input unless they are constant.
    func model(weightsAreConstant: Bool = true) -> Model {
      var constants: [String: Tensor] = [
        "b": bytes([outputs, blocks, blockSize / 2], seed: 4),
        "s": .random([outputs * blocks], seed: 5, deviation: 0.1),
      ]
      if zeroPoints == .uint8 { constants["z"] = bytes([outputs * ((blocks + 1) / 2)], seed: 6) }
      if zeroPoints == .float32 {
        constants["z"] = .random([outputs * blocks], seed: 6, deviation: 5)
      }
      if hasBias { constants["bias"] = .random([outputs], seed: 7) }
      var inputs = [Graph.Value("x", .init(.float32, [.fixed(1), .fixed(rows), .fixed(inner)]))]
      if !weightsAreConstant, let b = constants.removeValue(forKey: "b") {
        inputs.append(.init("b", .init(.uint8, b.shape.dimensions.map { .fixed($0) })))
      }
      let names = ["x", "b", "s", zeroPoints == nil ? "" : "z", "", hasBias ? "bias" : ""]
      var model = Model(
        Graph(
          nodes: [
            Node(
              .microsoft("MatMulNBits"), name: "product", inputs: names, outputs: ["p"],
              attributes: [
                "K": .int(inner), "N": .int(outputs), "bits": .int(4),
                "block_size": .int(blockSize), "accuracy_level": .int(level),
              ]),
            Node("Relu", inputs: ["p"], outputs: ["y"]),
          ], inputs: inputs, outputs: [.init("y", .init(nil, nil))], constants: constants))
      model.opsets["com.microsoft"] = 1
      return model
    }

    var weights: Tensor { bytes([outputs, blocks, blockSize / 2], seed: 4) }
    var input: Tensor { .random([1, rows, inner], seed: 1) }
  }

  @Test(arguments: Case.all) func equalsTheReferenceFunction(_ test: Case) throws {
    let model = test.model()
    let inputs = ["x": test.input]
    let expected = try #require(try Interpreter(model).run(inputs)["y"])
    let compiled = try CompiledModel(model)
    let found = try #require(try compiled.run(inputs)["y"])
    let isRounded = test.level == 4 && test.zeroPoints != .float32
    if isRounded {
      #expect(found.isIdentical(to: expected))
    } else {
      let (a, b) = (found.elements(of: Float.self), expected.elements(of: Float.self))
      let greatest = b.reduce(0) { max($0, $1) }
      #expect(greatest > 0 && zip(a, b).allSatisfy { abs($0 - $1) <= 1e-5 * greatest })
    }
    let steps = try #require(try compiled.plan(for: inputs)).steps
    #expect(steps.map(\.kind) == [isRounded ? "4-bit int8 product" : "4-bit product"])
    #expect(steps[0].multiplications == test.rows * test.inner * test.outputs)
    #expect(!steps[0].isReference)
  }

  /// Scales and codes of two panels of 32 columns, three groups, the last with one word of eight; and no bias.
  @Test func weightsAreTold() throws {
    let compiled = try CompiledModel(Case().model())
    let steps = try compiled.profile(["x": Case().input], runs: 1)
    #expect(steps.map(\.weightByteCount) == [2 * (3 * 32 * 4 + 9 * 32 * 4)])
  }

  @Test func weightsThatAreComputedStayWithTheReferenceFunction() throws {
    let test = Case()
    let compiled = try CompiledModel(test.model(weightsAreConstant: false))
    let inputs = ["x": test.input, "b": test.weights]
    let found = try #require(try compiled.run(inputs)["y"])
    let expected = try #require(try Interpreter(test.model()).run(["x": test.input])["y"])
    #expect(found.isIdentical(to: expected))
    let steps = try #require(try compiled.plan(for: inputs)).steps
    #expect(!steps.contains { $0.kind.hasPrefix("4-bit") })
  }

  /// A NaN or an infinity leaves other rows alone and is not lost in its own.
  @Test(arguments: [0, 4]) func notANumber(_ level: Int) throws {
    let test = Case(level: level)
    for value in [Float.nan, .infinity] {
      var x = test.input
      x.withMutableElements(of: Float.self) { $0[75] = value }
      let inputs = ["x": x]
      for output in [
        try Interpreter(test.model()).run(inputs)["y"],
        try CompiledModel(test.model()).run(inputs)["y"],
      ] {
        let y = try #require(output).elements(of: Float.self)
        #expect(y[0..<37].allSatisfy { $0.isFinite } && y[74...].allSatisfy { $0.isFinite })
        #expect(y[37..<74].contains { !$0.isFinite })
      }
    }
  }

  static let fixtures = GoldenModelsTests.names.filter {
    $0.hasPrefix("mmnbits_b4") && !$0.hasSuffix("fp16")
  }

  @Test(arguments: fixtures) func equalsONNXRuntime(_ name: String) throws {
    let path = TestSupport.fixture("onnx/\(name)")
    let model = try Model(contentsOf: path + ".onnx")
    let arrays = try NumPyArchive(contentsOf: path + ".npz").arrays
    let inputs = ["A": try #require(arrays["A"])]
    let compiled = try CompiledModel(model)
    let found = try #require(try compiled.run(inputs)["Y"]).elements(of: Float.self)
    let expected = try #require(arrays["ort"]).elements(of: Float.self)
    let greatest = expected.reduce(0) { max($0, $1.magnitude) }
    #expect(found.count == expected.count)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-6 * greatest })
    let steps = try #require(try compiled.plan(for: inputs)).steps
    #expect(steps.map(\.kind) == [name.contains("acc4") ? "4-bit int8 product" : "4-bit product"])
  }
}
