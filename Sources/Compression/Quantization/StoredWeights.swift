import Graphs
import NumberFormats
import Tensors

extension CodeType {
  /// The type of a table of codes whose rows are gathered: bytes, which hold one code or two.
  var gatheredType: ElementType { onnxType?.bitWidth == 4 ? .uint8 : storageType }
}

/// Constant weights of a node that is no ``LinearLayer`` but can take them as codes, and computes in float all the same.
///
/// Tables of which Gather reads rows, the weights of recurrent layers, stacked matrices, matrices that stand first in a product,
/// and layers whose bias is computed.
struct StoredWeights {
  /// Which inputs of the node are weights.
  let positions: [Int]
  /// The axis that scales per channel vary along.
  let scaleAxis: Int
  /// The axis that groups of scales lie along.
  let groupAxis: Int
  /// Whether rows are read, rather than sums computed.
  let isTable: Bool

  /// The fewest elements of a table that become codes: of small ones little is gained, and they are often no weights, as the
  /// corners of boxes.
  static let leastTableCount = 1024

  /// The operators that can read such weights.
  static let operations: Set<OperatorName> = [
    "Gather", "LSTM", "GRU", "RNN", "MatMul", "Gemm", "Conv",
  ]

  /// The weights of a node, or nil where it has none of these forms, or they are not constant float32.
  init?(_ node: Node, constants: [String: Tensor]) {
    guard Self.operations.contains(node.operation),
      LinearLayer(node, constants: constants) == nil
    else { return nil }
    func shape(_ position: Int) -> Shape? {
      node.input(position).flatMap { constants[$0] }.flatMap {
        $0.elementType == .float32 && $0.shape.rank >= 2 && $0.count > 0 ? $0.shape : nil
      }
    }
    switch node.operation {
    case "Gather":
      guard let table = shape(0), table.rank == 2, table.count >= Self.leastTableCount,
        [0, -2].contains(node.integer("axis", default: 0)),
        node.input(1).map({ constants[$0] == nil }) ?? false
      else { return nil }
      self.init([0], scaleAxis: 0, groupAxis: 1, isTable: true)
    case "MatMul":
      if let right = shape(1) {
        self.init([1], scaleAxis: right.rank - 1, groupAxis: right.rank - 2)
      } else if let left = shape(0), node.input(1).map({ constants[$0] == nil }) ?? false {
        self.init([0], scaleAxis: left.rank - 2, groupAxis: left.rank - 1)
      } else {
        return nil
      }
    case "Gemm":
      guard shape(1)?.rank == 2 else { return nil }
      let isTransposed = node.integer("transB", default: 0) != 0
      self.init([1], scaleAxis: isTransposed ? 0 : 1, groupAxis: isTransposed ? 1 : 0)
    case "Conv":
      guard shape(1) != nil else { return nil }
      self.init([1], scaleAxis: 0, groupAxis: 1)
    default:
      guard shape(1)?.rank == 3, shape(2)?.rank == 3 else { return nil }
      self.init([1, 2], scaleAxis: 1, groupAxis: 2)
    }
  }

  private init(_ positions: [Int], scaleAxis: Int, groupAxis: Int, isTable: Bool = false) {
    (self.positions, self.isTable) = (positions, isTable)
    (self.scaleAxis, self.groupAxis) = (scaleAxis, groupAxis)
  }

  /// The names of the weights.
  func names(_ node: Node) -> Set<String> { Set(positions.map { node.inputs[$0] }) }

  /// Why weights can't be stored as the settings ask, or nil where they can; what they are may still be refused by
  /// ``Recipe/Weights/objection(_:)``.
  func objection(_ node: Node, _ weights: Recipe.Weights, constants: [String: Tensor]) -> String? {
    guard isTable, let table = constants[node.inputs[0]] else { return nil }
    switch weights.type.onnxType?.bitWidth {
    case 8: return nil
    case 4 where table.shape[1] % 2 == 0: return nil
    case 4: return "rows of \(table.shape[1]) codes of 4 bits don't fill bytes"
    default: return "Gather reads bytes: codes of 3 to 8 bits, not \(weights.type)"
    }
  }
}
