import Foundation
public import Graphs
import NumberFormats
public import Tensors

/// Inputs of a network that are only there to be timed.
public struct BenchmarkInputs: Sendable {
  /// The length of the first axis of each input, where it is open.
  public var batch: Int?
  /// The shapes of some inputs, by name.
  public var shapes: [String: Shape] = [:]
  /// What the numbers depend on.
  public var seed: UInt64 = 0

  /// Open lengths are 1.
  public init() {}

  /// The name and shape that a text such as `images=1,3,224,224` says; nil where it is no such text. A scalar has no lengths.
  public static func shape(_ text: String) -> (name: String, shape: Shape)? {
    guard let sign = text.lastIndex(of: "="), sign > text.startIndex else { return nil }
    let parts = text[text.index(after: sign)...].split(
      separator: ",", omittingEmptySubsequences: false)
    if parts == [""] { return (String(text[..<sign]), []) }
    let lengths = parts.compactMap { Int($0) }
    guard lengths.count == parts.count, let shape = Shape(checking: lengths) else { return nil }
    return (String(text[..<sign]), shape)
  }

  /// Random values for each input: floats of the standard normal distribution, bytes each as likely as any other; other integers
  /// and `bool` are 0 or 1, which hold as indices and masks; types that no operator takes as numbers are zero.
  ///
  /// Lengths that go by one name are the same in all inputs. Throws ``EvaluationError`` where a name is not known, where a shape
  /// or the batch contradicts the network, or where the values would not fit the memory.
  public func tensors(for graph: Graph) throws -> [String: Tensor] {
    let inputs = graph.inputs.filter { graph.constants[$0.name] == nil }
    let lengths = try namedLengths(of: inputs)
    var generator = SeededGenerator(seed: seed)
    var tensors: [String: Tensor] = [:]
    for input in inputs {
      let shape = try shapes[input.name] ?? shape(of: input, lengths)
      let type = input.type.elementType ?? .float32
      try check(shape, type, input.name)
      tensors[input.name] = Self.random(shape, type, &generator)
    }
    return tensors
  }

  /// The share of the memory that one input may take.
  private static let memoryShare = 4

  private func check(_ shape: Shape, _ type: ElementType, _ name: String) throws {
    let limit = Int(clamping: ProcessInfo.processInfo.physicalMemory) / Self.memoryShare
    let byteCount = type.byteCount(of: shape.count)
    guard byteCount > limit else { return }
    throw EvaluationError(
      .invalidSetting,
      "\(type)\(shape) takes \(bytes(byteCount)), more than a quarter of this machine's memory; "
        + "give a smaller shape or batch", path: [name])
  }

  /// The lengths that go by a name, from the shapes that are given and the batch.
  private func namedLengths(of inputs: [Graph.Value]) throws -> [String: Int] {
    let known = inputs.map { "'\($0.name)'" }.joined(separator: ", ")
    for name in shapes.keys.sorted() where !inputs.contains(where: { $0.name == name }) {
      throw EvaluationError(
        .invalidSetting, "unknown input '\(name)'; the network has \(known)")
    }
    var lengths: [String: Int] = [:]
    for input in inputs {
      if let shape = shapes[input.name] { try bind(input, shape, &lengths) }
    }
    if let batch { try bind(inputs, batch, &lengths) }
    return lengths
  }

  private func bind(
    _ input: Graph.Value, _ shape: Shape, _ lengths: inout [String: Int]
  ) throws {
    guard let dimensions = input.type.dimensions else { return }
    let mismatch = EvaluationError(
      .invalidSetting, "is given as \(shape); the network takes \(input.type)", path: [input.name])
    guard dimensions.count == shape.rank else { throw mismatch }
    guard shape.count > 0 else {
      throw EvaluationError(
        .invalidSetting, "is given as \(shape), which has no elements; lengths must be 1 or more",
        path: [input.name])
    }
    for (dimension, length) in zip(dimensions, shape.dimensions) {
      if let expected = dimension.length, expected != length { throw mismatch }
      guard let name = dimension.name else { continue }
      if let other = lengths[name], other != length {
        throw EvaluationError(
          .invalidSetting,
          "is given as \(shape), so that \(name) is \(length); elsewhere it is \(other)",
          path: [input.name])
      }
      lengths[name] = length
    }
  }

  private func bind(
    _ inputs: [Graph.Value], _ batch: Int, _ lengths: inout [String: Int]
  ) throws {
    var isOpen = false
    var other: (input: String, shape: Shape)?
    for input in inputs {
      guard let first = input.type.dimensions?.first else { continue }
      if let shape = shapes[input.name] {
        // A shape may say the batch as well.
        if shape[0] == batch { isOpen = true } else { other = other ?? (input.name, shape) }
        continue
      }
      if let fixed = first.length, fixed != batch {
        throw EvaluationError(
          .invalidSetting,
          "a batch of \(batch) can't be fed: the network takes \(input.type)", path: [input.name])
      }
      isOpen = true
      guard let name = first.name else { continue }
      if let other = lengths[name], other != batch {
        throw EvaluationError(
          .invalidSetting,
          "a batch of \(batch) can't be fed: the shapes that are given make \(name) \(other)",
          path: [input.name])
      }
      lengths[name] = batch
    }
    if !isOpen, let other {
      throw EvaluationError(
        .invalidSetting,
        "a batch of \(batch) is asked for, but its shape is given as \(other.shape); leave one of both out",
        path: [other.input])
    }
    guard isOpen else {
      throw EvaluationError(
        .invalidSetting, "a batch of \(batch) is asked for, but no input has a first axis for it")
    }
  }

  private func shape(of input: Graph.Value, _ lengths: [String: Int]) throws -> Shape {
    guard let dimensions = input.type.dimensions else {
      throw EvaluationError(
        .invalidSetting, "the network does not say its shape; give one", path: [input.name])
    }
    let all = dimensions.enumerated().map { axis, dimension in
      dimension.length ?? dimension.name.flatMap { lengths[$0] } ?? (axis == 0 ? batch ?? 1 : 1)
    }
    guard let shape = Shape(checking: all) else {
      throw EvaluationError(
        .invalidSetting, "\(input.type) has more elements than can be counted", path: [input.name])
    }
    return shape
  }

  private static func random(
    _ shape: Shape, _ type: ElementType, _ generator: inout SeededGenerator
  ) -> Tensor {
    if type == .float64 {
      return Tensor((0..<shape.count).map { _ in generator.normal() }, shape: shape)
    }
    if type == .float32 || type == .float16 || type == .bfloat16 {
      let numbers = Tensor(
        (0..<shape.count).map { _ in Float(generator.normal()) }, shape: shape)
      return type == .float32 ? numbers : numbers.rounded(to: type)
    }
    if type.isFloatingPoint || type.bitWidth < 8 { return .zeros(shape, type) }
    let isByte = type == .int8 || type == .uint8
    return Tensor(shape, type) { target in
      let size = type.bitWidth / 8
      for index in 0..<shape.count {
        // Little-endian: a number of one byte is that byte and zeros.
        for place in 0..<size { target[index * size + place] = 0 }
        target[index * size] =
          UInt8(truncatingIfNeeded: generator.next()) & (isByte ? 0xFF : 1)
      }
    }
  }
}
