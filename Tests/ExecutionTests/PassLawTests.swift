import Execution
import Foundation
import Graphs
import Tensors
import Testing

/// The law of every pass: what the network computes stays as it was, up to rounding, and so do the names of its outputs.
@Suite struct PassLawTests {
  static let passes: [any GraphPass] = [any GraphPass].standard + [any GraphPass].runtime

  @Test(arguments: 0..<24) func everyPassAloneAndTogether(seed: Int) throws {
    var network = RandomNetwork(seed: UInt64(seed))
    let model = network.model()
    let inputs = ["x": network.tensor([2, 4, 9, 9])]
    let expected = try Interpreter(model).run(inputs)
    for passes in PassLawTests.passes.map({ [$0] }) + [PassLawTests.passes] {
      let names = passes.map { type(of: $0).name }
      let changed = try model.applying(passes)
      #expect(changed.graph.outputs.map(\.name) == model.graph.outputs.map(\.name))
      let results = try Interpreter(changed).run(inputs)
      for (name, value) in expected {
        let result = try #require(results[name])
        #expect(result.shape == value.shape, "\(names)")
        let error =
          zip(result.elements(of: Float.self), value.elements(of: Float.self))
          .map { abs($0 - $1) / max(1, abs($1)) }.max() ?? 0
        #expect(error < 1e-4, "\(names): \(name) differs by \(error), seed \(seed)")
      }
    }
  }
}

/// A chain of random nodes of the kinds that passes rewrite, with side branches that keep values in use.
struct RandomNetwork {
  private var random: SeededGenerator
  private var nodes: [Node] = []
  private var constants: [String: Tensor] = [:]
  private var outputs: [String] = []
  private var value = "x"
  private var channels = 4
  private var size = 9

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  mutating func tensor(_ shape: Shape, offset: Float = 0) -> Tensor {
    Tensor((0..<shape.count).map { _ in Float(random.normal()) * 0.5 + offset }, shape: shape)
  }

  mutating func model() -> Model {
    for _ in 0..<12 {
      add()
      if random.index(below: 8) == 0 { outputs.append(value) }
    }
    append("GlobalAveragePool", [])
    append("Flatten", [])
    let weight = constant(tensor([channels, 5]))
    append("MatMul", [weight])
    append("Add", [constant(tensor([5]))])
    outputs.append(value)
    return Model(
      Graph(
        nodes: nodes, inputs: [.init("x", ValueType(.float32, ["N", 4, 9, 9]))],
        outputs: Array(Set(outputs)).sorted().map { .init($0, ValueType(.float32, nil)) },
        constants: constants), opset: 17)
  }

  private mutating func constant(_ tensor: Tensor) -> String {
    let name = "c\(constants.count)"
    constants[name] = tensor
    return name
  }

  private mutating func append(
    _ operation: OperatorName, _ inputs: [String], _ attributes: [String: AttributeValue] = [:],
    constantFirst: Bool = false
  ) {
    let output = "v\(nodes.count)"
    let all = constantFirst ? inputs + [value] : [value] + inputs
    nodes.append(Node(operation, inputs: all, outputs: [output], attributes: attributes))
    value = output
  }

  private mutating func add() {
    switch random.index(below: 10) {
    case 0: append("Identity", [])
    case 1: append("Relu", [])
    case 2:
      append("Clip", [constant(Tensor(scalar: Float(0))), constant(Tensor(scalar: Float(0.75)))])
    case 3: normalize()
    case 4, 5: convolve()
    case 6: arithmetic()
    case 7: pad()
    case 8: append("Dropout", [])
    default:
      let one = constant(Tensor([Int64(0), 0, 0, 0]))
      append("Reshape", [one])
    }
  }

  private mutating func normalize() {
    let parameters = [
      constant(tensor([channels], offset: 1)), constant(tensor([channels])),
      constant(tensor([channels])),
      constant(Tensor((0..<channels).map { _ in Float(random.uniform()) + 0.5 })),
    ]
    append("BatchNormalization", parameters, ["epsilon": .float(1e-3)])
  }

  private mutating func convolve() {
    let isDepthwise = random.index(below: 2) == 0
    let count = isDepthwise ? channels : 2 + random.index(below: 4)
    let weight = constant(tensor([count, isDepthwise ? 1 : channels, 3, 3]))
    let bias = random.index(below: 2) == 0 ? [constant(tensor([count]))] : []
    append(
      "Conv", [weight] + bias,
      ["group": .int(isDepthwise ? channels : 1), "pads": .ints([1, 1, 1, 1])])
    channels = count
  }

  private mutating func arithmetic() {
    let operations: [OperatorName] = ["Add", "Sub", "Mul", "Div"]
    let operation = operations[random.index(below: 4)]
    let shapes: [Shape] = [[], [1, channels, 1, 1], [channels, 1, 1], [1]]
    let operand = tensor(shapes[random.index(below: 4)], offset: 3)
    append(
      operation, [constant(operand)],
      constantFirst: operation != "Div" && random.index(below: 2) == 0)
  }

  private mutating func pad() {
    guard size < 16 else { return }
    append("Pad", [constant(Tensor([Int64(0), 0, 1, 0, 0, 0, 0, 1]))])
    size += 1
  }
}
