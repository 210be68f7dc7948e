import Graphs
import Tensors

/// Which version of the file format a model needs.
enum ONNXVersions {
  /// The IR version that came with each opset, from the ONNX project's table of releases. None below 8 is written:
  /// from there on every reader in use takes the same fields.
  private static let byOpset: [(opset: Int, irVersion: Int)] = [
    (26, 13), (25, 13), (24, 12), (23, 11), (22, 10), (21, 10), (20, 9), (19, 9),
  ]

  /// The IR version in which element types first appeared, where that is later than 8.
  private static let byElementType: [ElementType: Int] = [
    .float8e4m3fn: 9, .float8e4m3fnuz: 9, .float8e5m2: 9, .float8e5m2fnuz: 9,
    .int4: 10, .uint4: 10, .float4e2m1: 11, .float8e8m0: 12, .int2: 13, .uint2: 13,
  ]

  /// The least IR version that has the model's operators and element types.
  static func irVersion(of model: Model) -> Int {
    let byOpset = Self.byOpset.first { $0.opset == model.opset }?.irVersion ?? 8
    return elementTypes(model.graph).reduce(byOpset) { max($0, byElementType[$1] ?? 8) }
  }

  private static func elementTypes(_ graph: Graph) -> Set<ElementType> {
    var types = Set(graph.constants.values.map(\.elementType))
    types.formUnion((graph.inputs + graph.outputs).compactMap(\.type.elementType))
    types.formUnion(graph.valueTypes.values.compactMap(\.elementType))
    for node in graph.nodes {
      for case .tensor(let tensor) in node.attributes.values { types.insert(tensor.elementType) }
      for subgraph in node.subgraphs { types.formUnion(elementTypes(subgraph)) }
    }
    return types
  }
}
