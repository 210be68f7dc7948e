import Graphs
import NumberFormats
import Tensors
import Testing

@testable import Compression

@Suite struct DeployableFormsTests {
  /// What a plan of one convolution and one product says to a recipe; nil where it makes one.
  func objection(_ yaml: String) throws -> String? {
    var network = SmallNetwork()
    network.convolution("conv", "x", [4, 3, 3, 3])
    network.add("Flatten", "flat", ["conv"])
    network.add("Gemm", "y", ["flat", network.constant("w", network.tensor([4 * 8 * 8, 5]))])
    let model = network.model(x: ValueType(.float32, [1, 3, 8, 8]), outputs: ["y"])
    do {
      _ = try model.quantizationPlan(for: Recipe(yaml: yaml))
      return nil
    } catch let error as QuantizationError {
      return error.message
    }
  }

  @Test(arguments: [
    ("static", "int2", "perChannel", "float32", "integer layers take weights of 3 to 8 bits"),
    ("static", "int16", "perChannel", "float32", "integer layers take weights of 3 to 8 bits"),
    ("static", "int8", "perGroup(32)", "float32", "integer sums have one scale per output"),
    ("static", "int8", "perBlock(16x16)", "float32", "integer sums have one scale per output"),
    ("static", "int8", "perChannel", "float16", "scales of type float16"),
    ("static", "pow2_4", "perChannel", "float32", "weights of type pow2_4 have no operator"),
    ("dynamic", "int4", "perChannel", "float32", "dynamic layers take weights that are stored in"),
    ("dynamic", "int8", "perBlock(16x16)", "float32", "integer sums have one scale per output"),
    ("dynamic", "int8", "perChannel", "float16", "scales of type float16"),
    ("weightOnly", "int8", "perBlock(16x16)", "float32", "DequantizeLinear has scales per tensor,"),
    ("weightOnly", "int16", "perChannel", "float32", "weights alone are stored in at most 8 bits"),
    ("weightOnly", "int8", "perChannel", "float16", "scales of type float16"),
  ])
  func formsThatNoRuntimeHasAreRefused(
    method: String, type: String, granularity: String, scaleType: String, message: String
  ) throws {
    let found = try objection(
      """
      name: a
      method: \(method)
      weights: {type: \(type), granularity: \(granularity), mapping: symmetric, scaleType: \(scaleType)}
      """)
    #expect(found?.hasPrefix(message) ?? false, "\(found ?? "no objection")")
  }

  @Test(arguments: ["uint4", "uint7", "int7", "pow2_8"])
  func activationsHave8Or16Bits(type: String) throws {
    let mapping = type.hasPrefix("uint") ? "affine" : "symmetric"
    let found = try objection(
      "{name: a, method: static, activations: {type: \(type), mapping: \(mapping)}}")
    #expect(
      found == "activations have 8 or 16 bits, not \(type); use uint8, int8, uint16 or int16")
  }

  @Test(arguments: Recipe.all.map(\.name)) func presetsCanBeDeployed(name: String) throws {
    let recipe = try Recipe(named: name)
    for mode: NodeSettings.Mode in [.integer, .dynamic, .weightOnly] {
      let isOwn =
        switch recipe.method {
        case .static: mode == .integer
        case .dynamic: mode == .dynamic
        case .weightOnly: mode == .weightOnly
        }
      if isOwn { #expect(recipe.weights.objection(mode) == nil) }
    }
    #expect(recipe.activations?.objection == nil)
  }
}
