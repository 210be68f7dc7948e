import Graphs
import Tensors
import Testing

@Suite struct UpgradeOldOperatorsTests {
  @Test(arguments: [13, 17, 26])
  func leavesNewModelsAlone(_ opset: Int) throws {
    let softmax = Node("Softmax", inputs: ["x"], outputs: ["y"])
    let model = try upgraded([softmax], opset: opset)
    #expect(model.opset == opset)
    #expect(text(model) == ["Softmax(x) → y"])
  }

  @Test func refusesOperatorsOlderThanItKnows() {
    #expect(throws: GraphError.self) { try upgraded([], opset: 6) }
  }

  // MARK: Attributes that became inputs

  struct Moved: CustomTestStringConvertible {
    let name: OperatorName
    var opset = 12
    var attributes: [String: AttributeValue] = [:]
    var inputs = ["x"]
    let result: String
    var testDescription: String { "\(name)-\(opset) \(attributes.keys.sorted())" }
  }

  @Test(arguments: [
    Moved(
      name: "Squeeze", attributes: ["axes": .ints([0, 2])], result: "Squeeze(x, int64[0, 2]) → y"),
    Moved(name: "Squeeze", result: "Squeeze(x) → y"),
    Moved(
      name: "Unsqueeze", attributes: ["axes": .ints([1])], result: "Unsqueeze(x, int64[1]) → y"),
    Moved(
      name: "ReduceSum", attributes: ["axes": .ints([-1]), "keepdims": .int(0)],
      result: "ReduceSum(x, int64[-1]) keepdims=0 → y"),
    Moved(
      name: "Split", attributes: ["split": .ints([1, 3]), "axis": .int(1)],
      result: "Split(x, int64[1, 3]) axis=1 → y"),
    Moved(
      name: "Clip", opset: 10, attributes: ["min": .float(0), "max": .float(6)],
      result: "Clip(x, float32[0.0], float32[6.0]) → y"),
    Moved(
      name: "Clip", opset: 8, attributes: ["max": .float(6)],
      result: "Clip(x, , float32[6.0]) → y"),
    Moved(
      name: "Clip", opset: 8,
      attributes: ["min": .float(-.greatestFiniteMagnitude), "max": .float(.infinity)],
      result: "Clip(x) → y"),
    Moved(
      name: "Clip", opset: 11, inputs: ["x", "low"], result: "Clip(x, low) → y"),
    Moved(
      name: "Pad", opset: 10,
      attributes: ["pads": .ints([0, 1, 0, 2]), "value": .float(3), "mode": .string("constant")],
      result: "Pad(x, int64[0, 1, 0, 2], float32[3.0]) mode=constant → y"),
    Moved(
      name: "Pad", opset: 7, attributes: ["pads": .ints([1, 1]), "mode": .string("edge")],
      result: "Pad(x, int64[1, 1]) mode=edge → y"),
    Moved(
      name: "Slice", opset: 9,
      attributes: ["starts": .ints([1]), "ends": .ints([-1]), "axes": .ints([2])],
      result: "Slice(x, int64[1], int64[-1], int64[2]) → y"),
    Moved(
      name: "Slice", opset: 9, attributes: ["starts": .ints([1]), "ends": .ints([5])],
      result: "Slice(x, int64[1], int64[5]) → y"),
    Moved(
      name: "Slice", opset: 10, inputs: ["x", "a", "b"], result: "Slice(x, a, b) → y"),
    Moved(
      name: "TopK", opset: 9, attributes: ["k": .int(3), "axis": .int(1)],
      result: "TopK(x, int64[3]) axis=1 → y"),
    Moved(
      name: "Dropout", opset: 10, attributes: ["ratio": .float(0.25)],
      result: "Dropout(x, float32[0.25]) → y"),
    Moved(
      name: "Scatter", opset: 10, attributes: ["axis": .int(1)], inputs: ["x", "i", "u"],
      result: "ScatterElements(x, i, u) axis=1 → y"),
    Moved(
      name: "BatchNormalization", opset: 8, attributes: ["spatial": .int(1)],
      result: "BatchNormalization(x) → y"),
    Moved(
      name: "Upsample", opset: 7,
      attributes: ["mode": .string("linear"), "scales": .floats([1, 2])],
      result: "Resize(x, , float32[1.0, 2.0]) coordinate_transformation_mode=asymmetric "
        + "mode=linear nearest_mode=floor → y"),
    Moved(
      name: "Upsample", opset: 9, inputs: ["x", "s"],
      result: "Resize(x, , s) coordinate_transformation_mode=asymmetric nearest_mode=floor → y"),
    Moved(
      name: "Resize", opset: 10, attributes: ["mode": .string("linear")], inputs: ["x", "s"],
      result: "Resize(x, , s) coordinate_transformation_mode=asymmetric mode=linear "
        + "nearest_mode=floor → y"),
    Moved(
      name: "Resize", opset: 10, inputs: ["x", "up"],
      result:
        "Resize(x, , float32[1.0, 2.0]) coordinate_transformation_mode=asymmetric mode=nearest "
        + "nearest_mode=floor → y"),
    Moved(
      name: "Resize", opset: 10, inputs: ["x", "down"],
      result:
        "Resize(x, , float32[1.0, 0.5]) coordinate_transformation_mode=asymmetric mode=nearest "
        + "nearest_mode=ceil → y"),
    Moved(
      name: "Resize", opset: 11, inputs: ["x", "none", "none", "s"],
      result: "Resize(x, , , s) → y"),
    Moved(name: "Relu", opset: 7, result: "Relu(x) → y"),
  ])
  func rewritesOneNode(_ moved: Moved) throws {
    let node = Node(
      moved.name, name: "n", inputs: moved.inputs, outputs: ["y"], attributes: moved.attributes)
    let model = try upgraded([node], opset: moved.opset)
    #expect(model.opset == 13)
    #expect(text(model) == [moved.result])
  }

  @Test func constantsHaveTheTypeOfTheInput() throws {
    let clip = Node(
      "Clip", inputs: ["x"], outputs: ["y"], attributes: ["min": .float(1), "max": .float(2)])
    let double = try upgraded([clip], opset: 10, type: ValueType(.float64, [.fixed(2)]))
    #expect(text(double) == ["Clip(x, float64[1.0], float64[2.0]) → y"])
    let half = try upgraded([clip], opset: 10, type: ValueType(.float16, [.fixed(2)]))
    let bounds = half.graph.nodes[0].inputs[1...].compactMap { half.graph.constants[$0] }
    #expect(bounds.map(\.elementType) == [.float16, .float16])
    #expect(
      bounds.map { $0.reinterpreted(as: .uint16).elements(of: UInt16.self) } == [
        [0x3c00], [0x4000],
      ]
    )
  }

  @Test func newNamesAreNotInUse() throws {
    let nodes = [
      Node("Squeeze", inputs: ["x"], outputs: ["y_axes"], attributes: ["axes": .ints([0])]),
      Node(
        "Squeeze", name: "y", inputs: ["y_axes"], outputs: ["y"], attributes: ["axes": .ints([1])]),
    ]
    let model = try upgraded(nodes, opset: 12)
    #expect(text(model) == ["Squeeze(x, int64[0]) → y_axes", "Squeeze(y_axes, int64[1]) → y"])
    _ = try model.graph.verified()
  }

  // MARK: Dropout's mask, statistics of batch normalization

  @Test func masksBecomeNumbersAgain() throws {
    let nodes = [
      Node("Dropout", name: "d", inputs: ["x"], outputs: ["z", "mask"]),
      Node("Mul", inputs: ["z", "mask"], outputs: ["y"]),
    ]
    #expect(
      text(try upgraded(nodes, opset: 9)) == [
        "Dropout(x) → z, d_mask", "Cast(d_mask) to=1 → mask", "Mul(z, mask) → y",
      ])
    #expect(text(try upgraded(nodes, opset: 10))[0] == "Dropout(x) → z, mask")
    let unread = [Node("Dropout", inputs: ["x"], outputs: ["y", "mask"])]
    #expect(text(try upgraded(unread, opset: 9)) == ["Dropout(x) → y"])
  }

  @Test func statisticsThatNobodyReadsGo() throws {
    let outputs = ["y", "mean", "var", "saved_mean", "saved_var"]
    let node = Node("BatchNormalization", inputs: ["x"], outputs: outputs)
    #expect(text(try upgraded([node], opset: 9)) == ["BatchNormalization(x) → y"])
  }

  // MARK: Softmax over a matrix

  @Test(arguments: ["Softmax", "LogSoftmax", "Hardmax"] as [OperatorName])
  func normalizesAMatrix(_ name: OperatorName) throws {
    let node = Node(name, name: "s", inputs: ["x"], outputs: ["y"])
    let type = ValueType(.float32, ["N", 3, 4])
    #expect(
      text(try upgraded([node], opset: 11, type: type)) == [
        "Shape(x) → s_shape", "Flatten(x) axis=1 → s_flat",
        "\(name)(s_flat) axis=-1 → s_normalized", "Reshape(s_normalized, s_shape) → y",
      ])
  }

  @Test(
    arguments: [
      (["N", 10], nil, 1), (["N", 3, 10], 2, 2), (["N", 1000, 1, 1], nil, 1),
      (["N", 1, 1, 8], 1, 3), ([1, 1], 0, 0), (["N", 3, 10], -1, 2), (["N", "C"], 1, 1),
    ] as [([Dimension], Int?, Int)])
  func oneLongAxisNeedsNoMatrix(_ dimensions: [Dimension], _ axis: Int?, _ expected: Int) throws {
    let node = Node(
      "Softmax", inputs: ["x"], outputs: ["y"], attributes: axis.map { ["axis": .int($0)] } ?? [:])
    let model = try upgraded([node], opset: 12, type: ValueType(.float32, dimensions))
    #expect(text(model) == ["Softmax(x) axis=\(expected) → y"])
  }

  @Test func branchesAreUpgradedToo() throws {
    let squeeze = Node(
      "Squeeze", inputs: ["x"], outputs: ["b"], attributes: ["axes": .ints([0])])
    let branch = Graph(nodes: [squeeze], outputs: [.init("b", ValueType(nil, nil))])
    let node = Node(
      "If", inputs: ["c"], outputs: ["y"],
      attributes: ["then_branch": .graph(branch), "else_branch": .graph(branch)])
    let model = try upgraded([node], opset: 11)
    for subgraph in model.graph.nodes[0].subgraphs {
      #expect(subgraph.nodes[0].attributes.isEmpty)
      #expect(subgraph.constants[subgraph.nodes[0].inputs[1]]?.integers() == [0])
    }
  }

  // MARK: What can't be upgraded

  @Test(arguments: [
    (
      Node(
        "BatchNormalization", name: "n", inputs: ["x"], outputs: ["y"],
        attributes: ["spatial": .int(0)]), 8,
      "n: BatchNormalization with statistics per pixel (spatial = 0) is not supported"
    ),
    (
      Node("BatchNormalization", name: "n", inputs: ["x"], outputs: ["z", "y"]), 9,
      "n: BatchNormalization whose statistics are read trains; export the model for inference"
    ),
    (
      Node("Scan", name: "n", inputs: ["", "x"], outputs: ["y"]), 8,
      "n: Scan of opset 8 is not supported; export the model in opset 9 or later"
    ),
    (
      Node("Resize", name: "n", inputs: ["x", "s"], outputs: ["y"]), 10,
      "n: Resize of opset 10 whose scales are computed can't be upgraded; export the model in "
        + "opset 11 or later"
    ),
    (
      Node("Resize", name: "n", inputs: ["x", "both"], outputs: ["y"]), 10,
      "n: Resize of opset 10 that enlarges one axis and shrinks another can't be upgraded; "
        + "export the model in opset 11 or later"
    ),
    (
      Node(
        "Squeeze", name: "n", inputs: ["x"], outputs: ["y"], attributes: ["axes": .string("0")]),
      11, "n: attribute 'axes' is a text; must be a list of integers"
    ),
  ])
  func saysWhatItCanNot(_ node: Node, _ opset: Int, _ message: String) {
    let error = #expect(throws: GraphError.self) { try upgraded([node], opset: opset) }
    #expect(error?.description == message)
  }
}

private func upgraded(
  _ nodes: [Node], opset: Int, type: ValueType = ValueType(.float32, nil)
) throws -> Model {
  let graph = Graph(
    nodes: nodes, inputs: [.init("x", type)], outputs: [.init("y", ValueType(nil, nil))],
    constants: [
      "up": Tensor([1, 2] as [Float]), "down": Tensor([1, 0.5] as [Float]),
      "both": Tensor([2, 0.5] as [Float]), "none": Tensor([] as [Float]),
    ])
  return try Model(graph, opset: opset).applying([UpgradeOldOperators()])
}

/// A node a line: operator, inputs (constants by value), attributes, outputs.
private func text(_ model: Model) -> [String] {
  model.graph.nodes.map { node in
    let inputs = node.inputs.map { name in
      model.graph.constants[name].map(text) ?? name
    }
    let attributes = node.attributes.sorted { $0.key < $1.key }.map { name, value in
      switch value {
      case .int(let number): " \(name)=\(number)"
      case .string(let text): " \(name)=\(text)"
      default: " \(name)"
      }
    }
    return "\(node.operation)(\(inputs.joined(separator: ", ")))\(attributes.joined()) → "
      + node.outputs.joined(separator: ", ")
  }
}

private func text(_ tensor: Tensor) -> String {
  switch tensor.elementType {
  case .float32: "float32\(tensor.elements(of: Float.self))"
  case .float64: "float64\(tensor.elements(of: Double.self))"
  default: "\(tensor.elementType)\(tensor.integers())"
  }
}
