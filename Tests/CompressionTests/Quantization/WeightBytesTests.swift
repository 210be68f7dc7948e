import Graphs
import Tensors
import Testing

@testable import Compression

@Suite struct WeightBytesTests {
  /// A table that is read by rows, a product with a bias behind it, and a Gemm.
  private func model() -> Model {
    var network = SmallNetwork()
    let table = network.constant("table", network.tensor([10, 7, 8]))
    network.add("Gather", "rows", [table, network.constant("row", Tensor(scalar: Int64(3)))])
    network.add("MatMul", "product", ["x", network.constant("w", network.tensor([8, 8]))])
    network.add("Add", "sum", ["product", network.constant("b", network.tensor([8]))])
    network.add("Gemm", "fc", ["sum", network.constant("v", network.tensor([8, 7])), "vb"])
    _ = network.constant("vb", network.tensor([7]))
    network.add("Add", "y", ["rows", "sum"])
    return network.model(x: ValueType(.float32, [7, 8]), outputs: ["y", "fc"])
  }

  @Test(arguments: ["w8", "w8a8"]) func countsEveryByteOnce(preset: String) throws {
    let bytes = try model().quantizationPlan(for: .named(preset)).weightBytes
    #expect(bytes.total == 4 * (560 + 64 + 8 + 56 + 7))
    let names = bytes.float.map(\.name)
    #expect(names == (preset == "w8" ? ["table", "b", "vb"] : ["table", "b"]))
    #expect(bytes.codes == 4 * (64 + 56 + (preset == "w8" ? 0 : 7)))
    #expect(bytes.float[0].byteCount == 4 * 560 && bytes.float[0].node == "rows")
  }

  @Test func keptLayersSayWhy() throws {
    let recipe = try Recipe.named("w8") { $0.keepFloat = [try NodePattern("fc")] }
    let bytes = try model().quantizationPlan(for: recipe).weightBytes
    #expect(bytes.float.map(\.name) == ["table", "v", "b", "vb"])
    #expect(bytes.float[1].reason == "keepFloat 'fc'")
  }
}
