import Foundation
import Graphs
import Tensors

extension OperatorCall {
  /// The most bytes of one value that an operator may make: no network comes near it, but a wrong number in a file
  /// soon does.
  static let byteCountLimit = min(
    8 << 30, Int(clamping: ProcessInfo.processInfo.physicalMemory) / 2)

  /// The most bytes that all values of a network may take at once: the system ends a process that takes much more.
  static let totalByteCountLimit = Int(clamping: ProcessInfo.processInfo.physicalMemory) / 4 * 3

  /// Refuses values that would take more than `limit` bytes at once.
  static func check(total byteCount: Int, limit: Int) throws {
    guard byteCount > limit else { return }
    throw ExecutionError(
      .invalidValue,
      "the values that are needed at once take \(byteCount >> 20) MiB, of which this machine can "
        + "hold \(limit >> 20); give smaller inputs or fewer at once")
  }

  /// The types of the outputs by the operator's own shape rule, from what the inputs really are.
  ///
  /// Throws ``GraphError`` where the inputs can't go together, so that what follows may rely on that they do, and
  /// ``ExecutionError`` where an output would be absurdly large.
  func outputTypes(of decoded: any Operator) throws -> [ValueType] {
    let types = try decoded.outputTypes(
      OperatorInputs(
        types: inputs.map { $0.map { ValueType($0.elementType, $0.shape) } }, constants: inputs,
        outputCount: outputCount))
    for type in types {
      if let shape = type.shape { try OperatorCall.check(shape, type.elementType ?? .float64) }
    }
    return types
  }

  /// The shape of an output by the operator's own shape rule; throws as ``outputTypes(of:)``.
  func outputShape(of decoded: any Operator, at index: Int = 0) throws -> Shape {
    let type = try outputTypes(of: decoded)[index]
    guard let shape = type.shape else {
      throw ExecutionError(
        .invalidValue, "the result \(type) has more elements than can be counted")
    }
    return shape
  }

  /// A shape whose elements fit the memory. Throws ``ExecutionError`` where there would be too many.
  static func shape(_ lengths: [Int], _ elementType: ElementType) throws -> Shape {
    guard let shape = Shape(checking: lengths) else {
      throw ExecutionError(
        .invalidValue, "a result of shape \(lengths) has more elements than can be counted")
    }
    try check(shape, elementType)
    return shape
  }

  /// Refuses a result that would be absurdly large.
  static func check(_ shape: Shape, _ elementType: ElementType) throws {
    guard shape.count <= byteCountLimit * 8 / elementType.bitWidth else {
      throw ExecutionError(
        .invalidValue,
        "the result would be \(elementType)\(shape), more than the \(byteCountLimit >> 20) MiB that a value may take"
      )
    }
  }

  /// An output of any element type whose bytes `body` fills; it sees uninitialized memory.
  func output(
    _ shape: Shape, _ elementType: ElementType,
    _ body: (UnsafeMutableRawBufferPointer) throws -> Void
  ) rethrows -> Tensor {
    try Tensor(shape, elementType, pool: pool, initializing: body)
  }
}
