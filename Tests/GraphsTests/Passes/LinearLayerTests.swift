import Graphs
import Tensors
import Testing

@Suite struct LinearLayerTests {
  func layer(
    _ operation: OperatorName, _ shape: Shape, attributes: [String: AttributeValue] = [:],
    bias: Shape? = nil
  ) -> LinearLayer? {
    var constants = ["W": Tensor.zeros(shape, .float32)]
    constants["b"] = bias.map { Tensor.zeros($0, .float32) }
    return LinearLayer(
      Node(
        operation, inputs: ["x", "W"] + (bias == nil ? [] : ["b"]), outputs: ["y"],
        attributes: attributes), constants: constants)
  }

  @Test func channels() throws {
    let conv = try #require(layer("Conv", [8, 2, 3, 3], attributes: ["group": .int(2)]))
    #expect(conv.outputs.count == 8 && conv.inputs.count == 4 && conv.channelAxis == 0)
    let depthwise = try #require(layer("Conv", [8, 1, 3, 3], attributes: ["group": .int(8)]))
    #expect(depthwise.isDepthwise && !conv.isDepthwise)
    let transposed = try #require(
      layer("ConvTranspose", [4, 3, 2, 2], attributes: ["group": .int(2)]))
    #expect(transposed.outputs.count == 6 && transposed.inputs.count == 4)
    let gemm = try #require(layer("Gemm", [5, 7], attributes: ["transB": .int(1)], bias: [5]))
    #expect(gemm.outputs.count == 5 && gemm.inputs.count == 7 && gemm.channelAxis == 0)
    let product = try #require(layer("MatMul", [5, 7]))
    #expect(product.outputs.count == 7 && product.channelAxis == 1)
  }

  @Test func whatIsNoLayer() {
    #expect(layer("Relu", [5, 7]) == nil)
    #expect(layer("MatMul", [2, 5, 7]) == nil)
    #expect(layer("Gemm", [5, 7], attributes: ["alpha": .float(2)]) == nil)
    #expect(layer("Gemm", [5, 7], bias: [1, 7]) == nil)
    #expect(layer("Conv", [5, 7, 1, 1], attributes: ["group": .int(2)]) == nil)
  }
}
