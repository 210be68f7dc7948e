import Graphs
import NumberFormats
import Tensors
import _TestSupport

@testable import Execution

/// A small network of random nodes: values branch, are read twice, leave the network in its middle. Shapes are those of the
/// batch size that is said; the network takes any other.
struct BranchingNetwork {
  /// What lies between nodes.
  enum Between: CaseIterable, Sendable {
    case numbers, uint8, int8, uint16, int16, uint8AndUInt16

    /// The type of the next codes, nil for numbers.
    fileprivate func codes(_ random: inout SeededGenerator) -> ElementType? {
      switch self {
      case .numbers: nil
      case .uint8: .uint8
      case .int8: .int8
      case .uint16: .uint16
      case .int16: .int16
      case .uint8AndUInt16: random.index(below: 2) == 0 ? .uint8 : .uint16
      }
    }
  }

  struct Value {
    let name: String
    let shape: Shape
  }

  let between: Between
  let input: Shape
  var random: SeededGenerator
  var nodes: [Node] = []
  private(set) var values: [Value] = []
  private(set) var constants: [String: Tensor] = [:]
  private var nameCount = 0

  init(seed: Int, between: Between) {
    self.between = between
    random = SeededGenerator(seed: UInt64(seed))
    let shapes: [Shape] = [
      [2, 8, 7, 5], [2, 3, 9, 9], [2, 17, 6, 6], [2, 4, 1, 1], [2, 6, 1, 8], [2, 12], [2, 5, 24],
      [2, 32, 5, 5], [2, 2, 3, 4, 5], [2], [2, 19, 16], [2, 40, 32],
    ]
    input = shapes[random.index(below: shapes.count)]
    values = [Value(name: "x", shape: input)]
    let count = 3 + random.index(below: 12)
    while nodes.count < 3 * count, values.count < count { addSomething() }
  }

  var model: Model {
    var copy = self
    let read = Set(nodes.flatMap(\.inputs))
    let outputs = values.dropFirst().filter {
      !read.contains($0.name) || copy.random.index(below: 8) == 0
    }
    return Model(
      Graph(
        nodes: nodes,
        inputs: [
          .init(
            "x",
            .init(.float32, [.named("N")] + input.dimensions.dropFirst().map { .fixed($0) }))
        ],
        outputs: outputs.map { .init($0.name, .init(.float32, nil)) }, constants: constants),
      opset: 21)
  }

  func inputs(batch: Int) -> [String: Tensor] {
    let shape = Shape([batch] + input.dimensions.dropFirst())
    return ["x": .random(shape, seed: UInt64(batch + 1))]
  }

  /// The model with its constants in a file, none of them where its elements are aligned, as ONNX files may have them.
  static func mapping(_ model: Model, to folder: TemporaryFolder) throws -> Model {
    var bytes: [UInt8] = []
    var places: [String: Int] = [:]
    for (name, tensor) in model.graph.constants {
      bytes += [UInt8](repeating: 0, count: 9 - bytes.count % 8)
      places[name] = bytes.count
      tensor.withUnsafeBytes { bytes += $0 }
    }
    let file = try MappedFile(path: try folder.write(bytes, to: "constants"))
    var model = model
    for (name, place) in places {
      let tensor = model.graph.constants[name]!
      model.graph.constants[name] = Tensor(
        tensor.shape, tensor.elementType, in: file, byteOffset: place)
    }
    return model
  }

  // MARK: - Parts

  mutating func chance(_ percent: Int) -> Bool { random.index(below: 100) < percent }

  mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[random.index(below: choices.count)]
  }

  mutating func name(_ hint: String) -> String {
    nameCount += 1
    return "\(hint)\(nameCount)"
  }

  mutating func constant(_ tensor: Tensor) -> String {
    let name = name("k")
    constants[name] = tensor
    return name
  }

  mutating func numbers(_ shape: Shape, deviation: Float = 1) -> String {
    constant(.random(shape, seed: random.next(), deviation: deviation))
  }

  /// A value that a node may read: rather one of the last.
  mutating func value(where isWanted: (Shape) -> Bool = { _ in true }) -> Value? {
    let fitting = values.filter { isWanted($0.shape) }
    guard !fitting.isEmpty else { return nil }
    let back = min(random.index(below: 4), random.index(below: 8))
    return fitting[max(0, fitting.count - 1 - back)]
  }

  /// Adds a node, and what stands between it and the next.
  @discardableResult
  mutating func add(
    _ type: String, _ inputs: [String], _ shape: Shape, _ attributes: [String: AttributeValue] = [:]
  ) -> Value {
    addAll(type, inputs, [shape], attributes)[0]
  }

  @discardableResult
  mutating func addAll(
    _ type: String, _ inputs: [String], _ shapes: [Shape],
    _ attributes: [String: AttributeValue] = [:]
  ) -> [Value] {
    let outputs = shapes.map { _ in name(type) }
    nodes.append(Node(.init(type), inputs: inputs, outputs: outputs, attributes: attributes))
    return zip(outputs, shapes).map { output, shape in
      var last = Value(name: output, shape: shape)
      if chance(10) { values.append(last) }
      if chance(20) {
        let activation = name("Relu")
        nodes.append(Node("Relu", inputs: [last.name], outputs: [activation]))
        last = Value(name: activation, shape: shape)
        if chance(10) { values.append(last) }
      }
      if chance(85), let codes = between.codes(&random) { last = quantized(last, codes) }
      values.append(last)
      return last
    }
  }

  private mutating func quantized(_ value: Value, _ codes: ElementType) -> Value {
    let (scale, zero) = scaling(codes)
    let (held, result) = (name("codes"), name("value"))
    nodes += [
      Node("QuantizeLinear", inputs: [value.name, scale, zero], outputs: [held]),
      Node("DequantizeLinear", inputs: [held, scale, zero], outputs: [result]),
    ]
    if chance(10) {
      let twin = name("twin")
      nodes.append(Node("DequantizeLinear", inputs: [held, scale, zero], outputs: [twin]))
      values.append(Value(name: twin, shape: value.shape))
    }
    return Value(name: result, shape: value.shape)
  }

  /// One of two scales, so that many values mean the same by a code.
  private mutating func scaling(_ codes: ElementType) -> (scale: String, zero: String) {
    let isOther = chance(20)
    let scale = "scale\(codes)\(isOther)"
    let step: Float = codes.bitWidth == 8 ? 0.05 : 0.0003
    constants[scale] = Tensor(scalar: isOther ? step * 1.3 : step)
    let zero = "zero\(codes)\(isOther)"
    let offset = isOther ? 0 : -7
    constants[zero] =
      switch codes {
      case .uint8: Tensor(scalar: UInt8(128 + offset))
      case .int8: Tensor(scalar: Int8(offset))
      case .uint16: Tensor(scalar: UInt16(32768 + offset))
      default: Tensor(scalar: Int16(offset))
      }
    return (scale, zero)
  }

  /// Constant weights, as numbers or behind a DequantizeLinear.
  mutating func weights(_ shape: Shape, inputs: Int, axis: Int) -> String {
    let deviation = 1 / Float(max(inputs, 1)).squareRoot()
    if between == .numbers && chance(60) || chance(10) {
      return numbers(shape, deviation: deviation)
    }
    let result = name("weights")
    let isPerIndex = chance(50)
    let count = isPerIndex ? shape[axis] : 1
    var codes = Tensor.randomCodes(shape, seed: random.next())
    var step = deviation / 70
    if chance(25) {
      codes = Tensor(
        codes.elements(of: Int8.self).map { UInt8(bitPattern: $0) & 15 }, shape: shape
      ).packed(as: .int4)
      step = deviation / 4
    }
    let scales = (0..<count).map { step * (1 + 0.1 * Float($0 % 5)) }
    let scale = constant(isPerIndex ? Tensor(scales) : Tensor(scalar: scales[0]))
    nodes.append(
      Node(
        "DequantizeLinear", inputs: [constant(codes), scale], outputs: [result],
        attributes: ["axis": .int(axis)]))
    return result
  }
}
