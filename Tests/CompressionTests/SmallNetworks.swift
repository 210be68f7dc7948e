import Graphs
import NumberFormats
import Tensors

@testable import Compression

/// Networks that are built in code, with weights drawn from a seeded generator.
struct SmallNetwork {
  private var random: SeededGenerator
  private(set) var nodes: [Node] = []
  private(set) var constants: [String: Tensor] = [:]
  /// How much the weights of channels differ in size.
  var spread: Double = 0

  init(seed: UInt64 = 1) { random = SeededGenerator(seed: seed) }

  mutating func tensor(_ shape: Shape, scale: Double = 0.4) -> Tensor {
    Tensor((0..<shape.count).map { _ in Float(random.normal() * scale) }, shape: shape)
  }

  /// Adds a node whose name and output are the same.
  mutating func add(
    _ operation: OperatorName, _ name: String, _ inputs: [String],
    _ attributes: [String: AttributeValue] = [:]
  ) {
    nodes.append(
      Node(operation, name: name, inputs: inputs, outputs: [name], attributes: attributes))
  }

  mutating func constant(_ name: String, _ tensor: Tensor) -> String {
    constants[name] = tensor
    return name
  }

  mutating func convolution(
    _ name: String, _ input: String, _ shape: Shape, groups: Int = 1, bias: Bool = true
  ) {
    let factors = (0..<shape[0]).map { _ in Float((random.normal() * spread).exponential) }
    let inner = shape.count(in: 1..<shape.rank)
    let weight = tensor(shape).elements(of: Float.self).enumerated().map {
      $1 * factors[$0 / inner]
    }
    var inputs = [input, constant(name + "_w", Tensor(weight, shape: shape))]
    if bias { inputs.append(constant(name + "_b", tensor([shape[0]]))) }
    let padding = shape[2] / 2
    add(
      "Conv", name, inputs,
      [
        "group": .int(groups), "pads": .ints([padding, padding, padding, padding]),
        "kernel_shape": .ints([shape[2], shape[3]]),
      ])
  }

  func model(
    x: ValueType = ValueType(.float32, ["N", 3, 8, 8]), outputs: [String], opset: Int = 17
  ) -> Model {
    Model(
      Graph(
        nodes: nodes, inputs: [.init("x", x)],
        outputs: outputs.map { .init($0, ValueType(.float32, nil)) }, constants: constants),
      opset: opset)
  }

  /// Seeded inputs for the networks.
  mutating func samples(_ count: Int, _ shape: Shape = [1, 3, 8, 8]) -> [[String: Tensor]] {
    (0..<count).map { _ in ["x": tensor(shape, scale: 1)] }
  }

  /// A network of the shape of MobileNet's blocks: expansion, depthwise, projection, a residual, and a classifier.
  static func mobile(seed: UInt64 = 1, spread: Double = 0, clip: Bool = true) -> Self {
    var network = SmallNetwork(seed: seed)
    network.spread = spread
    let zero = network.constant("zero", Tensor(scalar: Float(0)))
    let six = network.constant("six", Tensor(scalar: Float(1.5)))
    func activate(_ network: inout SmallNetwork, _ name: String, _ input: String) {
      network.add(clip ? "Clip" : "Relu", name, clip ? [input, zero, six] : [input])
    }
    network.convolution("stem", "x", [8, 3, 3, 3])
    activate(&network, "stem_a", "stem")
    network.convolution("expand", "stem_a", [12, 8, 1, 1])
    activate(&network, "expand_a", "expand")
    network.convolution("depthwise", "expand_a", [12, 1, 3, 3], groups: 12)
    activate(&network, "depthwise_a", "depthwise")
    network.convolution("project", "depthwise_a", [8, 12, 1, 1], bias: false)
    network.add("Add", "sum", ["project", "stem_a"])
    network.add("GlobalAveragePool", "pool", ["sum"])
    network.add("Flatten", "flat", ["pool"])
    let weight = network.constant("fc_w", network.tensor([5, 8]))
    let bias = network.constant("fc_b", network.tensor([5]))
    network.add("Gemm", "y", ["flat", weight, bias], ["transB": .int(1)])
    return network
  }
}

extension Double {
  fileprivate var exponential: Double {
    var (sum, term) = (1.0, 1.0)
    for n in 1..<40 {
      term *= self / Double(n)
      sum += term
    }
    return sum
  }
}

extension Model {
  /// The nodes as text, for comparing: `y = Conv(x, W)`.
  var lines: [String] {
    graph.nodes.map {
      "\($0.outputs.joined(separator: ", ")) = \($0.operation)(\($0.inputs.joined(separator: ", ")))"
    }
  }
}

extension Recipe {
  /// A preset with changes.
  static func named(_ name: String, _ change: (inout Recipe) throws -> Void = { _ in }) throws
    -> Recipe
  {
    var recipe = try Recipe(named: name)
    recipe.activations?.estimator = try RangeEstimatorChoice(name: "minMax")
    try change(&recipe)
    return recipe
  }
}

/// The greatest difference of two tensors, relative to the greatest magnitude of the second.
func relativeError(_ result: Tensor?, _ expected: Tensor?) -> Float {
  guard let result, let expected, result.shape == expected.shape else { return .infinity }
  let pairs = zip(result.elements(of: Float.self), expected.elements(of: Float.self))
  let largest = expected.elements(of: Float.self).map { abs($0) }.max() ?? 0
  return (pairs.map { abs($0 - $1) }.max() ?? 0) / max(largest, 1e-6)
}
