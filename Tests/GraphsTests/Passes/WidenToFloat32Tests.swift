import Graphs
import NumberFormats
import Tensors
import Testing

@Suite struct WidenToFloat32Tests {
  let pass: [any GraphPass] = [WidenToFloat32()]
  static let weight = Tensor([Float](repeating: 0.5, count: 6), shape: [2, 3])

  /// `y = a · W` of the given type, with a result that is read and given out.
  func network(_ type: ElementType) -> Model {
    let border = ValueType(type, ["N", 2])
    let doubles = Self.weight.elements(of: Float.self).map { Double($0) }
    let weight =
      type == .float64 ? Tensor(doubles, shape: [2, 3]) : Self.weight.rounded(to: type)
    var model = example(
      [
        Node("Cast", inputs: ["x"], outputs: ["a"], attributes: ["to": .int(type.onnxCode)]),
        Node("MatMul", name: "fc", inputs: ["a", "W"], outputs: ["y"]),
        Node("Relu", inputs: ["y"], outputs: ["z"]),
      ], x: border, outputs: ["y", "z"], constants: ["W": weight],
      types: ["a": border])
    for index in model.graph.outputs.indices { model.graph.outputs[index].type = border }
    return model
  }

  @Test(arguments: [ElementType.float16, .bfloat16, .float64]) func givenResult(type: ElementType)
    throws
  {
    let model = try network(type).applying(pass)
    #expect(
      model.lines == [
        "x_float32 = Cast(x)", "a = Cast(x_float32)", "y_float32 = MatMul(a, W)",
        "z_float32 = Relu(y_float32)", "y = Cast(y_float32)", "z = Cast(z_float32)",
      ])
    #expect(model.graph.constants["W"]?.elementType == .float32)
    #expect(model.floats("W") == Self.weight.elements(of: Float.self))
    #expect(model.graph.inputs[0].type.elementType == type)
    #expect(model.graph.outputs.allSatisfy { $0.type.elementType == type })
    #expect(model.graph.valueTypes["a"]?.elementType == .float32)
    let targets = model.graph.nodes.compactMap { $0.attributes["to"] }.map { value -> Int in
      if case .int(let code) = value { code } else { 0 }
    }
    #expect(targets == [1, 1, type.onnxCode, type.onnxCode])
    #expect(WidenToFloat32.finding(in: model) == nil)
  }

  @Test func findingNamesTheFirstWeight() throws {
    #expect(
      WidenToFloat32.finding(in: network(.float16))?.description
        == "constant 'W' is float16[2, 3]: all is widened to float32 before anything else; "
        + "inputs and outputs keep their types")
  }

  @Test func networkThatComputesASizeInFloat64Stays() throws {
    let model = example(
      [Node("Mul", inputs: ["x", "factor"], outputs: ["y"])],
      constants: ["factor": Tensor([2.0, 3.0])])
    #expect(WidenToFloat32.finding(in: model) == nil)
    #expect(try model.applying(pass).graph.constants["factor"]?.elementType == .float64)
  }

  /// From y = x · W of float16: a size by way of float64, and y doubled in float64.
  private func networkWithFloat64() -> Model {
    func cast(_ input: String, _ output: String, _ type: ElementType) -> Node {
      Node("Cast", inputs: [input], outputs: [output], attributes: ["to": .int(type.onnxCode)])
    }
    let half = ValueType(.float16, ["N", 2])
    var model = example(
      [
        Node("MatMul", inputs: ["x", "W"], outputs: ["y"]),
        Node("Shape", inputs: ["y"], outputs: ["s"]), cast("s", "d", .float64),
        Node("Mul", inputs: ["d", "factor"], outputs: ["m"]),
        Node("Floor", inputs: ["m"], outputs: ["f"]), cast("f", "size", .int64),
        cast("y", "up", .float64), Node("Mul", inputs: ["up", "two"], outputs: ["u"]),
        cast("u", "z", .float16),
      ], x: half, outputs: ["y", "size", "z"],
      constants: [
        "W": Self.weight.rounded(to: .float16), "factor": Tensor([0.29, 0.57]),
        "two": Tensor([2.0]),
      ], types: ["m": ValueType(.float64, [2]), "u": ValueType(.float64, ["N", 3])])
    for (index, type) in [ElementType.float16, .int64, .float16].enumerated() {
      model.graph.outputs[index].type = ValueType(type, nil)
    }
    return model
  }

  @Test func sizesStayFloat64() throws {
    let network = networkWithFloat64()
    let finding = try #require(WidenToFloat32.finding(in: network))
    #expect(finding.narrowedNodes == ["Cast → up", "Mul → u", "Cast → z"])
    #expect(
      finding.description.hasSuffix(
        "keep their types; narrowed from float64: 'Cast → up', 'Mul → u', 'Cast → z'"))
    let graph = try network.applying(pass).graph
    #expect(graph.constants["factor"]?.elementType == .float64)
    #expect(graph.constants["two"]?.elementType == .float32)
    #expect(graph.valueTypes["m"]?.elementType == .float64)
    #expect(graph.valueTypes["u"]?.elementType == .float32)
    func target(_ output: String) -> Int? {
      graph.nodes.first { $0.outputs == [output] }?.integer("to", default: 0)
    }
    #expect(target("d") == ElementType.float64.onnxCode)
    #expect(target("size") == ElementType.int64.onnxCode)
    #expect(target("up") == ElementType.float32.onnxCode)
  }

  /// What a body reads from a chain of integers stays float64 in the body too; what meets weights does not.
  @Test func sizesInBodiesStayFloat64() throws {
    var network = networkWithFloat64()
    let body = Graph(
      nodes: [Node("Add", inputs: ["m", "one"], outputs: ["b"])],
      outputs: [.init("b", ValueType(.float64, nil))], constants: ["one": Tensor([1.0])])
    network.graph.constants["c"] = Tensor(scalar: true)
    network.graph.nodes[4] = Node("Floor", inputs: ["i"], outputs: ["f"])
    network.graph.nodes.insert(
      Node(
        "If", inputs: ["c"], outputs: ["i"],
        attributes: ["then_branch": .graph(body), "else_branch": .graph(body)]), at: 4)
    let graph = try network.applying(pass).graph
    let bodies = graph.nodes.flatMap(\.subgraphs)
    #expect(bodies.count == 2)
    for body in bodies {
      #expect(body.constants["one"]?.elementType == .float64)
      #expect(body.outputs[0].type.elementType == .float64)
    }
    #expect(graph.constants["factor"]?.elementType == .float64)
    // Joined with a matrix, all of it is narrowed.
    network.graph.constants["one"] = nil
    network.graph.constants["factor"] = Tensor([0.29, 0.57], shape: [1, 2])
    let narrowed = try network.applying(pass).graph
    #expect(narrowed.constants["factor"]?.elementType == .float32)
    #expect(
      narrowed.nodes.flatMap(\.subgraphs).allSatisfy {
        $0.constants["one"]?.elementType == .float32
      })
  }

  @Test func bodiesOfControlFlowAreWidened() throws {
    let half = Self.weight.rounded(to: .float16)
    let body = Graph(
      nodes: [Node("MatMul", inputs: ["x", "W"], outputs: ["b"])],
      outputs: [.init("b", ValueType(.float16, nil))], constants: ["W": half])
    let model = try example(
      [
        Node(
          "If", inputs: ["c"], outputs: ["y"],
          attributes: ["then_branch": .graph(body), "else_branch": .graph(body)])
      ], x: ValueType(.float16, [4, 2]), constants: ["c": Tensor(scalar: Float(1))]
    ).applying(pass)
    let found = model.graph.nodes[1].subgraphs
    #expect(found.count == 2)
    for body in found {
      #expect(body.constants["W"]?.elementType == .float32)
      #expect(body.outputs[0].type.elementType == .float32)
      #expect(body.nodes[0].inputs == ["x_float32", "W"])
    }
  }

  @Test func float64BeyondFloat32IsRefused() throws {
    var model = network(.float64)
    model.graph.constants["W"] = Tensor([1, 2, 3, 4, -1e300, 6] as [Double], shape: [2, 3])
    #expect {
      _ = try model.applying(pass)
    } throws: { error in
      "\(error)"
        == "W: -1e+300 at element 4 is beyond float32, in which quantized networks compute; clamp it to "
        + "±3.4e38 first"
    }
    model.graph.constants["W"] = Tensor([1, 2, 3, 4, -.infinity, 6] as [Double], shape: [2, 3])
    #expect(try model.applying(pass).floats("W")[4] == -Float.infinity)
  }
}
