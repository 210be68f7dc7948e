import Datasets
import Execution
import Foundation
import Graphs
import ModelFiles
import Tensors
import Testing
import _TestSupport

/// Models of quantized operators whose outputs ONNX Runtime computed.
@Suite struct GoldenModelsTests {
  static let names: [String] = {
    let files = try? FileManager.default.contentsOfDirectory(
      atPath: TestSupport.fixture("onnx"))
    return (files ?? []).filter { $0.hasSuffix(".npz") }.map { String($0.dropLast(4)) }.sorted()
  }()

  @Test func fixturesAreThere() { #expect(GoldenModelsTests.names.count >= 50) }

  @Test(arguments: names) func outputsAreThoseOfONNXRuntime(_ name: String) throws {
    let path = TestSupport.fixture("onnx/\(name)")
    let model = try Model(contentsOf: path + ".onnx")
    let arrays = try NumPyArchive(contentsOf: path + ".npz").arrays
    let inputs = Dictionary(
      uniqueKeysWithValues: model.graph.inputs.map { ($0.name, arrays[$0.name]!) })
    let outputs = try Interpreter(model).run(inputs)
    #expect(!outputs.isEmpty)
    for (output, found) in outputs {
      let isApproximate = name.contains("acc4")
      let expected = try #require(
        isApproximate ? arrays["ort"] : arrays[output] ?? arrays[output.uppercased()])
      try compare(found, expected, tolerance(name))
    }
  }

  /// The greatest difference, as a part of the greatest magnitude; 0 is bit by bit.
  private func tolerance(_ name: String) -> Double {
    if name.contains("fp16") { return 1e-3 }
    if name.hasPrefix("mmnbits") || name.hasPrefix("matmulbnb4") || name == "qattention" {
      return 1e-6
    }
    if name.hasPrefix("dq_block") || name.hasSuffix("float_tB1") || name.hasSuffix("pc_float") {
      return 1e-6
    }
    return 0
  }

  private func compare(_ found: Tensor, _ expected: Tensor, _ tolerance: Double) throws {
    #expect(found.shape == expected.shape)
    if tolerance == 0 {
      #expect(found.isIdentical(to: expected))
      return
    }
    let (a, b) = (numbers(found), numbers(expected))
    let greatest = b.map(\.magnitude).max() ?? 0
    let error = zip(a, b).map { ($0 - $1).magnitude }.max() ?? 0
    #expect(error <= tolerance * greatest, "error \(error) of \(greatest)")
  }

  private func numbers(_ tensor: Tensor) -> [Double] {
    switch tensor.elementType {
    case .float64: return tensor.elements(of: Double.self)
    case .float16:
      return tensor.reinterpreted(as: .uint16).elements(of: UInt16.self).map {
        Double(
          Float(sign: .plus, exponent: 112, significand: 1)
            * Float(bitPattern: UInt32($0 & 0x7FFF) << 13))
          * ($0 & 0x8000 == 0 ? 1 : -1)
      }
    default: return tensor.elements(of: Float.self).map { Double($0) }
    }
  }
}
