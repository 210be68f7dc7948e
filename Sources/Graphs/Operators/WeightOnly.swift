import Tensors

/// The operators of ONNX Runtime's domain whose weights are packed codes and whose activations are numbers.
let weightOnlyOperators: [any Operator.Type] = [
  MatMulNBits.self, MatMulBnb4.self, GatherBlockQuantized.self,
]

/// `A · Wᵀ + bias` with weights of 2, 4 or 8 bits in blocks along K.
///
/// Inputs: A [..., K] (float32 or float16), B uint8 [N, ⌈K / block⌉, block · bits / 8] (lowest bits first), scales
/// [N · ⌈K / block⌉], zero points? (uint8, packed as B along the blocks of a row; or of A's type, one per block), -, bias? [N].
public struct MatMulNBits: Operator {
  public static let name: OperatorName = .microsoft("MatMulNBits")
  public static let inputCount = 3...6
  /// The length of the sum.
  public let inner: Int
  /// The number of outputs.
  public let outputs: Int
  /// The bits of a code.
  public let bits: Int
  /// The number of codes that share a scale.
  public let blockSize: Int
  /// Whether activations may be rounded to 8 bits per block (accuracy level 4).
  public let quantizesActivations: Bool

  public init(_ attributes: inout AttributeReader) throws {
    inner = try attributes.length("K")
    outputs = try attributes.length("N")
    bits = try attributes.int("bits", default: 4)
    guard [2, 4, 8].contains(bits) else {
      throw attributes.invalid("bits", "is \(bits); must be 2, 4 or 8")
    }
    blockSize = try attributes.required("block_size", attributes.int("block_size"))
    guard [16, 32, 64, 128, 256].contains(blockSize) else {
      throw attributes.invalid("block_size", "is \(blockSize); must be 16, 32, 64, 128 or 256")
    }
    let level = try attributes.int("accuracy_level", default: 0)
    guard (0...4).contains(level) else {
      throw attributes.invalid("accuracy_level", "is \(level); must be 0 to 4")
    }
    quantizesActivations = level == 4
    attributes.ignore("weight_prepacked")
  }

  /// The number of blocks of a row.
  public var blockCount: Int { (inner + blockSize - 1) / blockSize }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(0, .float32, .float16, .bfloat16)
    try inputs.requireType(1, .uint8)
    try inputs.requireRank(0, 1...ShapeRules.rankLimit)
    if inputs.has(4) {
      throw GraphError(.unsupportedOperator, "group indices are not supported; leave input 4 out")
    }
    try inputs.requireShape(1, [[outputs, blockCount, blockSize * bits / 8]])
    try inputs.requireShape(2, [[outputs, blockCount], [outputs * blockCount]])
    let packed = (blockCount * bits + 7) / 8
    let perRow = inputs[3].elementType == .uint8 ? packed : blockCount
    try inputs.requireShape(3, [[outputs, perRow], [outputs * perRow]])
    try inputs.requireShape(5, [[outputs]])
    return [try inputs.rows(inner, to: outputs)]
  }
}

/// `A · Wᵀ` with weights of 4 bits that stand for the numbers of a table, as bitsandbytes stores them.
///
/// Inputs: A [..., K], B uint8 [⌈N · K / 2⌉] (first code in the highest bits), greatest magnitude of each block [⌈N · K /
/// block⌉].
public struct MatMulBnb4: Operator {
  public static let name: OperatorName = .microsoft("MatMulBnb4")
  public static let inputCount = 3...3
  /// The length of the sum.
  public let inner: Int
  /// The number of outputs.
  public let outputs: Int
  /// The number of codes, along rows and over their ends, that share a magnitude.
  public let blockSize: Int
  /// Whether the table is that of NormalFloat, rather than of 4-bit floating point.
  public let isNormalFloat: Bool

  public init(_ attributes: inout AttributeReader) throws {
    inner = try attributes.length("K")
    outputs = try attributes.length("N")
    blockSize = try attributes.required("block_size", attributes.int("block_size"))
    guard (1...(1 << 20)).contains(blockSize) else {
      throw attributes.invalid("block_size", "is \(blockSize); must be 1 to 1048576")
    }
    let kind = try attributes.required("quant_type", attributes.int("quant_type"))
    guard kind == 0 || kind == 1 else {
      throw attributes.invalid("quant_type", "is \(kind); must be 0 (FP4) or 1 (NF4)")
    }
    isNormalFloat = kind == 1
    guard try attributes.flag("transB", default: true) else {
      throw attributes.invalid("transB", "is 0, which is not supported; must be 1")
    }
    attributes.ignore("training_mode")
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(0, .float32, .float16, .bfloat16)
    try inputs.requireType(1, .uint8)
    try inputs.requireRank(0, 1...ShapeRules.rankLimit)
    let count = inner * outputs
    try inputs.requireShape(1, [[(count + 1) / 2], [(count + 1) / 2, 1]])
    try inputs.requireShape(2, [[(count + blockSize - 1) / blockSize]])
    return [try inputs.rows(inner, to: outputs)]
  }
}

/// Slices of a table of codes, looked up by index and turned into numbers.
///
/// Inputs: data (int4 or uint4, or uint8 that holds codes of `bits`, lowest bits first, along its innermost axis), indices,
/// scales (shaped as the codes, with `quantizeAxis` divided by the block size), zero points? (as data). Without zero points,
/// the middle code of uint8 data stands for 0, and code 0 of others.
public struct GatherBlockQuantized: Operator {
  public static let name: OperatorName = .microsoft("GatherBlockQuantized")
  public static let inputCount = 3...4
  /// The axis that is indexed; negative counts from the innermost.
  public let gatherAxis: Int
  /// The axis along which neighbours share a scale; negative counts from the innermost.
  public let quantizeAxis: Int
  /// How many neighbours share a scale.
  public let blockSize: Int
  /// The bits of a code in uint8 data.
  public let bits: Int

  public init(_ attributes: inout AttributeReader) throws {
    gatherAxis = try attributes.int("gather_axis", default: 0)
    quantizeAxis = try attributes.int("quantize_axis", default: 1)
    blockSize = try attributes.int("block_size", default: 128)
    guard (16...(1 << 20)).contains(blockSize), blockSize.nonzeroBitCount == 1 else {
      throw attributes.invalid("block_size", "is \(blockSize); must be a power of 2 from 16 on")
    }
    bits = try attributes.int("bits", default: 4)
    guard [2, 4, 8].contains(bits) else {
      throw attributes.invalid("bits", "is \(bits); must be 2, 4 or 8")
    }
  }

  /// The axes of the codes themselves, of data's as it is stored.
  package func codeDimensions(_ data: ValueType) throws -> [Dimension]? {
    guard var dimensions = data.dimensions, data.elementType == .uint8, !dimensions.isEmpty else {
      return data.dimensions
    }
    dimensions[dimensions.count - 1] = try ShapeRules.merged([
      dimensions[dimensions.count - 1], .fixed(8 / bits),
    ])
    return dimensions
  }

  public func outputTypes(_ inputs: OperatorInputs) throws -> [ValueType] {
    try inputs.requireType(0, .uint8, .uint4, .int4)
    try inputs.requireType(1, .int32, .int64)
    try inputs.requireType(2, .float32, .float16, .bfloat16)
    try inputs.requireRank(0, 2...ShapeRules.rankLimit)
    guard let codes = try codeDimensions(inputs[0]), let indices = inputs[1].dimensions else {
      return [inputs[2].with(nil)]
    }
    let gather = try ShapeRules.axis(gatherAxis, rank: codes.count)
    let quantize = try ShapeRules.axis(quantizeAxis, rank: codes.count)
    guard gather != quantize, inputs[0].elementType != .uint8 || quantize == codes.count - 1 else {
      throw GraphError(
        .invalidAttribute,
        "attribute 'quantize_axis' is \(quantizeAxis); must differ from 'gather_axis', and be the innermost for uint8 data"
      )
    }
    if let shape = ValueType(nil, codes).shape {
      var scales = shape.dimensions
      scales[quantize] = (scales[quantize] + blockSize - 1) / blockSize
      try inputs.requireShape(2, [scales])
    }
    return [inputs[2].with(codes[..<gather] + indices + codes[(gather + 1)...])]
  }
}

extension AttributeReader {
  /// A length that must be there.
  fileprivate mutating func length(_ name: String) throws -> Int {
    let length = try required(name, int(name))
    guard (1...(1 << 30)).contains(length) else {
      throw invalid(name, "is \(length); must be 1 to 2³⁰")
    }
    return length
  }
}

extension OperatorInputs {
  /// Refuses an input whose shape is known to be none of these.
  fileprivate func requireShape(_ index: Int, _ shapes: [[Int]]) throws {
    guard has(index), let shape = self[index].shape, !shapes.contains(shape.dimensions) else {
      return
    }
    throw GraphError(
      .mismatchedTypes, "input \(index) is \(self[index]); must be shaped \(shapes[0])")
  }

  /// The first input with its innermost axis, which must be of length `inner`, replaced.
  fileprivate func rows(_ inner: Int, to outputs: Int) throws -> ValueType {
    guard let dimensions = self[0].dimensions else { return self[0] }
    _ = try ShapeRules.common(
      dimensions[dimensions.count - 1], .fixed(inner),
      "the innermost axis of A and attribute 'K' differ")
    return self[0].with(dimensions.dropLast() + [.fixed(outputs)])
  }
}
