import Tensors

/// The operators that transformers are made of.
let attentionOperators: [any Operator.Type] = [Attention.self, RotaryEmbedding.self]

/// Scaled dot-product attention, `softmax(q · kᵀ · scale + mask) · v` per head; opset 23 to 25.
///
/// Inputs: q, k, v, mask?, past key?, past value?, valid keys per sample?. q, k and v are `[batch, heads, time, size]`, or
/// `[batch, time, heads · size]` with the numbers of heads as attributes; several heads of q may share one of k and v.
/// Outputs: y shaped as q, keys?, values? (past ones first), and the products at some stage?. Vaswani et al.: Attention Is
/// All You Need, 2017.
public struct Attention: Operator {
  public static let name: OperatorName = "Attention"
  public static let inputCount = 3...7
  public static let outputCount = 1...4
  /// Whether a query sees no later keys.
  public let isCausal: Bool
  /// The number of heads of q, and of k and v, where these have three axes.
  public let queryHeads, keyHeads: Int?
  /// The factor of the products; nil for one over the root of the head's size.
  public let scale: Float?
  /// Where products are softly bounded, `softcap · tanh(x / softcap)`; 0 for nowhere.
  public let softcap: Float
  /// How many keys before and after its own place a query sees; nil for all.
  public let windowBefore, windowAfter: Int?
  /// Which products the fourth output holds.
  public let productsOutput: ProductsOutput

  /// A stage of the products of queries and keys.
  public enum ProductsOutput: Int, CaseIterable, Sendable {
    case raw, capped, masked, softmax
  }

  public init(_ attributes: inout AttributeReader) throws {
    isCausal = try attributes.flag("is_causal", default: false)
    queryHeads = try attributes.int("q_num_heads")
    keyHeads = try attributes.int("kv_num_heads")
    for heads in [queryHeads, keyHeads] {
      guard let heads, !(1...SlidingWindow.limit ~= heads) else { continue }
      throw attributes.invalid("q_num_heads or kv_num_heads", "is \(heads); must be 1 or greater")
    }
    scale = try attributes.float("scale")
    softcap = try attributes.float("softcap", default: 0)
    guard softcap >= 0 else {
      throw attributes.invalid("softcap", "is \(softcap); must be 0 or greater")
    }
    func window(_ name: String) throws -> Int? {
      let size = try attributes.int(name, default: -1)
      guard (-1...SlidingWindow.limit).contains(size) else {
        throw attributes.invalid(name, "is \(size); must be -1 or greater")
      }
      return size < 0 ? nil : size
    }
    windowBefore = try window("left_window_size")
    windowAfter = try window("right_window_size")
    let mode = try attributes.int("qk_matmul_output_mode", default: 0)
    guard let output = ProductsOutput(rawValue: mode) else {
      throw attributes.invalid("qk_matmul_output_mode", "is \(mode); must be 0 to 3")
    }
    productsOutput = output
    attributes.ignore("softmax_precision")
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    for index in 0...2 { try inputs.requireRank(index, 3...4) }
    for index in 4...5 { try inputs.requireRank(index, 4...4) }
    let (type, valueType) = (inputs[0].elementType, inputs[2].elementType)
    guard let q = try heads(inputs[0], queryHeads, "q_num_heads"),
      let k = try heads(inputs[1], keyHeads, "kv_num_heads"),
      let v = try heads(inputs[2], keyHeads, "kv_num_heads")
    else { return [ValueType(type, nil)] + Array(repeating: ValueType(type, nil), count: 3) }
    try check(q, k, v, inputs)
    var total = k[2]
    if inputs.has(4) { total = try ShapeRules.sum([inputs[4].dimensions?[2] ?? .unknown, k[2]]) }
    let isFlat = inputs[0].rank == 3
    let width = try ShapeRules.merged([q[1], v[3]])
    return [
      ValueType(type, isFlat ? [q[0], q[2], width] : [q[0], q[1], q[2], v[3]]),
      ValueType(type, [k[0], k[1], total, k[3]]),
      ValueType(valueType, [v[0], v[1], total, v[3]]),
      ValueType(type, [q[0], q[1], q[2], total]),
    ]
  }

  /// The axes `[batch, heads, time, size]`.
  private func heads(
    _ type: ValueType, _ count: Int?, _ attribute: String
  ) throws -> [Dimension]? {
    guard let dimensions = type.dimensions else { return nil }
    if dimensions.count == 4 { return dimensions }
    guard let count else {
      throw GraphError(
        .invalidAttribute, "attribute '\(attribute)' is missing; inputs of 3 axes need it")
    }
    guard let width = dimensions[2].length else {
      return [dimensions[0], .fixed(count), dimensions[1], .unknown]
    }
    guard width % count == 0 else {
      throw GraphError(
        .invalidAttribute, "attribute '\(attribute)' is \(count), which does not divide \(type)")
    }
    return [dimensions[0], .fixed(count), dimensions[1], .fixed(width / count)]
  }

  private func check(
    _ q: [Dimension], _ k: [Dimension], _ v: [Dimension], _ inputs: OperatorInputs
  ) throws {
    func requireSame(_ a: Dimension, _ b: Dimension, _ what: String) throws {
      _ = try ShapeRules.common(a, b, "\(what) of \(inputs[0]), \(inputs[1]), \(inputs[2]) differ")
    }
    try requireSame(q[0], k[0], "batches")
    try requireSame(k[0], v[0], "batches")
    try requireSame(q[3], k[3], "head sizes")
    try requireSame(k[1], v[1], "heads")
    try requireSame(k[2], v[2], "times")
    if let many = q[1].length, let few = k[1].length, few == 0 || many % few != 0 {
      throw GraphError(.mismatchedTypes, "\(many) heads of q can't share \(few) heads of k")
    }
    guard inputs.has(4) == inputs.has(5), !(inputs.has(4) && inputs.has(6)) else {
      throw GraphError(
        .invalidValue,
        "past keys and values must be given together, and not with the number of valid keys")
    }
    guard inputs.has(4), let keys = inputs[4].dimensions, let values = inputs[5].dimensions else {
      return
    }
    for axis in [0, 1, 3] {
      try requireSame(keys[axis], k[axis], "past keys \(inputs[4]) and keys")
      try requireSame(values[axis], v[axis], "past values \(inputs[5]) and values")
    }
    try requireSame(keys[2], values[2], "past times")
  }
}

/// Pairs of numbers of each token, rotated by angles that grow with its position; opset 23.
///
/// Inputs: x `[batch, heads, time, size]` or `[batch, time, heads · size]`, cosines, sines, positions? `[batch, time]`. Angles
/// are `[positions, rotated / 2]`, or without positions `[batch, time, rotated / 2]`. Su et al.: RoFormer, 2021.
public struct RotaryEmbedding: Operator {
  public static let name: OperatorName = "RotaryEmbedding"
  public static let inputCount = 3...4
  /// Whether pairs are neighbours rather than half a head apart.
  public let isInterleaved: Bool
  /// The number of heads, where x has three axes.
  public let heads: Int?
  /// How many numbers of each head are rotated; 0 for all.
  public let rotatedSize: Int

  public init(_ attributes: inout AttributeReader) throws {
    isInterleaved = try attributes.flag("interleaved", default: false)
    let count = try attributes.int("num_heads", default: 0)
    heads = count == 0 ? nil : count
    rotatedSize = try attributes.int("rotary_embedding_dim", default: 0)
    guard rotatedSize >= 0, rotatedSize % 2 == 0, count >= 0 else {
      throw attributes.invalid(
        "rotary_embedding_dim",
        "is \(rotatedSize), 'num_heads' \(count); must be even, 0 or greater")
    }
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireRank(0, 3...4)
    try inputs.requireRank(1, 2...3)
    try inputs.requireRank(2, 2...3)
    if inputs[0].rank == 3, heads == nil {
      throw GraphError(
        .invalidAttribute, "attribute 'num_heads' is missing; inputs of 3 axes need it")
    }
    return [inputs[0]]
  }
}
