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
