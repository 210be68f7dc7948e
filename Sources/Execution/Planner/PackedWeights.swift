import Graphs
import Tensors

/// Weights in a form of their own.
protocol PackedWeight {
  /// The bytes that they take.
  var byteCount: Int { get }
}

extension PackedFloatMatrix: PackedWeight {}
extension PackedInt8Matrix: PackedWeight {}
extension PackedInt4Matrix: PackedWeight {}
extension PackedDepthwise: PackedWeight {}
extension Tensor: PackedWeight {}
extension Array: PackedWeight where Element: PackedWeight {
  var byteCount: Int { reduce(0) { $0 + $1.byteCount } }
}

/// The weights of one network as kernels take them, each packed once for all of its plans. Not for several threads at once.
final class PackedWeights {
  /// What becomes of weights; together with their name it says which bytes lie where.
  enum Layout: Hashable {
    /// As the operator wants them, codes made numbers.
    case numbers
    case floatMatrix(isTransposed: Bool)
    case floatConvolution(groups: Int)
    case floatDepthwise
    case int8Matrix(isTransposed: Bool)
    case int8Convolution(groups: Int, taps: Int)
    case int8Depthwise
    /// Blocks of codes, whose scales have names of their own.
    case int4Blocks(inputs: Int, scales: String, zeroPoints: String?)
    case int4Codes(isTransposed: Bool)
  }

  private struct Key: Hashable {
    let name: String
    let layout: Layout
  }

  private var known: [Key: any PackedWeight] = [:]
  /// Where they go.
  let memory = WeightMemory()

  /// The weights of that name and layout, nil where they are not packed yet.
  func find<Packed: PackedWeight>(_ name: String, _ layout: Layout) -> Packed? {
    known[Key(name: name, layout: layout)] as? Packed
  }

  func keep(_ packed: some PackedWeight, _ name: String, _ layout: Layout) {
    known[Key(name: name, layout: layout)] = packed
  }

  /// How many weights there are, each layout of one counted for itself, and how many bytes they take.
  var size: (count: Int, byteCount: Int) {
    (known.count, known.values.reduce(0) { $0 + $1.byteCount })
  }
}

extension PlanBuilder {
  /// Whether a constant, or the numbers that a `DequantizeLinear` makes of constants, are the same in all plans.
  func isShared(_ name: String) -> Bool {
    let sources = producers[name].map { graph.nodes[$0].inputs } ?? [name]
    return ownConstants.isDisjoint(with: sources + [name])
  }

  /// The weights that the value `name` holds, packed by `make` where no plan of the network has packed them so yet; the constant
  /// behind them is let go then.
  mutating func packed<Packed: PackedWeight>(
    _ name: String, _ layout: PackedWeights.Layout,
    _ make: (inout PlanBuilder) throws -> Packed
  ) rethrows -> Packed {
    guard isShared(name) else { return try make(&self) }
    if let known: Packed = weights.find(name, layout) { return known }
    let packed = try make(&self)
    weights.keep(packed, name, layout)
    letGo(of: name)
    return packed
  }
}
