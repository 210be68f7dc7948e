import Datasets
import Graphs
import ModelFiles
import Tensors
import Testing
import _TestSupport

@testable import Execution

/// Integer results of ONNX Runtime, stored by the scripts beside the fixtures: met bit for bit.
@Suite struct GoldenPlanTests {
  static let names = [
    "qdq_conv_pc_int8", "qdq_conv_pc_int8_relu", "qdq_conv_pc_uint8", "qdq_conv_pc_uint8_relu",
    "qdq_gemm_int8_int8_pc_outq_tB1", "qdq_gemm_uint8_int8_pc_float_tB1",
    "qdq_gemm_uint8_int8_pc_outq_tB0", "qdq_gemm_uint8_int8_pc_outq_tB1",
    "qdq_gemm_uint8_int8_pt_outq_tB1", "qdq_matmul_int8_int8_pc_outq",
    "qdq_matmul_int8_uint8_pc_outq", "qdq_matmul_uint8_int8_pc_float",
    "qdq_matmul_uint8_int8_pc_outq", "qdq_matmul_uint8_int8_pt_outq",
    "qdq_matmul_uint8_uint8_pc_outq",
  ]

  @Test(arguments: names)
  func equalsONNXRuntime(_ name: String) throws {
    let model = try Model(contentsOf: TestSupport.fixture("onnx/\(name).onnx"))
    let arrays = try NumPyArchive(contentsOf: TestSupport.fixture("onnx/\(name).npz")).arrays
    let input = model.graph.inputs[0].name
    let compiled = try CompiledModel(model)
    let given = [input: try #require(arrays[input])]
    let output = try #require(try compiled.run(given)["Y"])
    #expect(output.isIdentical(to: try #require(arrays["Y"])))
    let plan = try #require(try compiled.plan(for: given))
    #expect(plan.steps.contains { $0.kind.hasPrefix("int8") })
    #expect(!plan.steps.contains { ["Conv", "Gemm", "MatMul"].contains($0.kind) })
  }
}
