import Graphs
import Tensors

/// Reads one tensor: as a view of the mapped file where its bytes lie there as they are, decoded where they don't.
struct ONNXTensorReader {
  let name: String
  private let reader: ONNXReader
  private let message: ProtobufReader
  private var dimensions: [Int] = []
  private var typeCode = 0
  private var rawData: Range<Int>?
  private var isExternal = false
  private var externalEntries: [String: String] = [:]
  /// How many numbers each typed field holds, by field number.
  private var typedCounts = [Int](repeating: 0, count: ONNXField.Tensor.uint64Data + 1)

  /// Looks at what the message holds, without decoding data.
  init(_ message: ProtobufReader, in reader: ONNXReader) throws {
    try reader.budget.spend(.tensor)
    self.reader = reader
    self.message = message
    var message = message
    var name = ""
    while let field = try message.next() {
      switch field.number {
      case ONNXField.Tensor.dimensions:
        try reader.budget.spend(.number, field.numberLimit)
        try field.appendInts(to: &dimensions)
      case ONNXField.Tensor.dataType: typeCode = try field.int()
      case ONNXField.Tensor.name: name = try field.string()
      case ONNXField.Tensor.rawData: rawData = try field.range()
      case ONNXField.Tensor.dataLocation: isExternal = try field.int() == 1
      case ONNXField.Tensor.externalData:
        let entry = try reader.entry(field.message())
        externalEntries[entry.key] = entry.value
      case ONNXField.Tensor.floatData, ONNXField.Tensor.doubleData, ONNXField.Tensor.int32Data,
        ONNXField.Tensor.int64Data, ONNXField.Tensor.uint64Data:
        typedCounts[field.number] += try Self.numberCount(field)
      default: break
      }
    }
    self.name = name
  }

  /// The tensor. Throws ``ModelFileError`` where shape, type and bytes do not go together.
  func constant() throws -> ONNXConstant {
    guard let type = ElementType(onnxCode: typeCode) else {
      return .unreadable(ONNXConstant.unreadableType(typeCode))
    }
    guard dimensions.count <= ONNXReader.maximumRank, let shape = Shape(checking: dimensions)
    else {
      throw ModelFileError(
        .invalidTensor,
        "has the impossible shape [\(dimensions.prefix(8).map(String.init).joined(separator: ", "))"
          + "\(dimensions.count > 8 ? ", …" : "")]; the file is damaged, export it again")
    }
    return .tensor(try Self.checked(tensor(shape, type)))
  }

  private func tensor(_ shape: Shape, _ type: ElementType) throws -> Tensor {
    let typedField = ONNXField.Tensor.typedData(of: type)
    let typedCount = typedCounts[typedField]
    if isExternal {
      return try reader.externalFiles.tensor(shape, type, externalEntries)
    }
    if let rawData, !rawData.isEmpty || typedCount == 0 {
      guard rawData.count == type.byteCount(of: shape.count) else {
        throw sizeError(shape, type, "\(rawData.count) bytes", type.byteCount(of: shape.count))
      }
      return Tensor(shape, type, in: reader.file, byteOffset: rawData.lowerBound)
    }
    // Elements of less than a byte are stored as whole bytes.
    let unitCount = type.bitWidth < 8 ? type.byteCount(of: shape.count) : shape.count
    guard typedCount == unitCount else {
      throw sizeError(shape, type, "\(typedCount) numbers", unitCount)
    }
    return try decoded(shape, type, typedField)
  }

  private func sizeError(
    _ shape: Shape, _ type: ElementType, _ found: String, _ needed: Int
  ) -> ModelFileError {
    ModelFileError(
      .invalidTensor,
      "holds \(found); \(type)\(shape) needs \(needed): the file is damaged, export it again")
  }

  /// What the rest of the program relies on: `bool` bytes are 0 or 1, unused bits of the last byte are 0.
  private static func checked(_ tensor: Tensor) throws -> Tensor {
    if tensor.elementType == .bool {
      guard tensor.withUnsafeBytes({ $0.allSatisfy { $0 <= 1 } }) else {
        throw ModelFileError(.invalidTensor, "holds a bool other than 0 and 1; export it again")
      }
    }
    let usedBits = tensor.count * tensor.elementType.bitWidth % 8
    guard usedBits > 0 else { return tensor }
    return tensor.withUnsafeBytes { bytes in
      let last = bytes[bytes.count - 1] & ((1 << UInt8(usedBits)) - 1)
      guard bytes[bytes.count - 1] != last else { return tensor }
      return Tensor(tensor.shape, tensor.elementType) { target in
        target.copyMemory(from: bytes)
        target[bytes.count - 1] = last
      }
    }
  }
}

// MARK: - Typed data

extension ONNXTensorReader {
  private static func numberCount(_ field: ProtobufField) throws -> Int {
    switch (field.number, field.value) {
    case (ONNXField.Tensor.floatData, .bytes(let range)): return range.count / 4
    case (ONNXField.Tensor.doubleData, .bytes(let range)): return range.count / 8
    case (_, .bytes(let range)):
      // The last byte of each number has its top bit clear.
      return field.file[range].reduce(0) { $0 + Int(~$1 >> 7) }
    case (ONNXField.Tensor.floatData, .fixed32): return 1
    case (ONNXField.Tensor.doubleData, .fixed64): return 1
    case (ONNXField.Tensor.floatData, _), (ONNXField.Tensor.doubleData, _):
      throw field.unexpected("floating-point numbers")
    default:
      _ = try field.int()
      return 1
    }
  }

  private func decoded(_ shape: Shape, _ type: ElementType, _ typedField: Int) throws -> Tensor {
    var units = TypedUnits(type)
    return try Tensor(shape, type) { target in
      var message = message
      while let field = try message.next() {
        guard field.number == typedField else { continue }
        switch field.value {
        case .varint(let bits), .fixed64(let bits): try units.store(bits, in: target)
        case .fixed32(let bits): try units.store(UInt64(bits), in: target)
        case .bytes: try units.store(packed: field, in: target)
        }
      }
    }
  }
}

extension ONNXField.Tensor {
  /// The field that holds elements of a type where they are not raw data.
  fileprivate static func typedData(of type: ElementType) -> Int {
    switch type.onnxCode {
    case 1: floatData
    case 7: int64Data
    case 11: doubleData
    case 12, 13: uint64Data
    default: int32Data
    }
  }
}

/// Stores the numbers of a typed field one after the other in a tensor's memory.
private struct TypedUnits {
  private let byteCount: Int
  /// The numbers that a unit can be, nil where every one that the field can hold is.
  private let range: ClosedRange<Int>?
  private let type: ElementType
  private var offset = 0

  init(_ type: ElementType) {
    self.type = type
    byteCount = max(type.bitWidth / 8, 1)
    range =
      if type.bitWidth < 8 {
        0...255
      } else if type == .bool {
        0...1
      } else if type.isFloatingPoint {
        type.bitWidth < 32 ? 0...(1 << type.bitWidth) - 1 : nil
      } else {
        // Protobuf cuts an int32 to its low bits.
        type == .int32 ? nil : type.integerRange
      }
  }

  mutating func store(packed field: ProtobufField, in target: UnsafeMutableRawBufferPointer) throws
  {
    var numbers = try field.message()
    switch field.number {
    case ONNXField.Tensor.floatData:
      while let bits = try numbers.nextPackedFixed(UInt32.self) {
        try store(UInt64(bits), in: target)
      }
    case ONNXField.Tensor.doubleData:
      while let bits = try numbers.nextPackedFixed(UInt64.self) { try store(bits, in: target) }
    default:
      while let bits = try numbers.nextPackedVarint() { try store(bits, in: target) }
    }
  }

  mutating func store(_ bits: UInt64, in target: UnsafeMutableRawBufferPointer) throws {
    if let range, !range.contains(Int(truncatingIfNeeded: bits)) {
      throw ModelFileError(
        .invalidTensor,
        "holds \(Int(truncatingIfNeeded: bits)), which is no \(type); the file is damaged, "
          + "export it again")
    }
    switch byteCount {
    case 1: target[offset] = UInt8(truncatingIfNeeded: bits)
    case 2: store(UInt16(truncatingIfNeeded: bits), target)
    case 4: store(UInt32(truncatingIfNeeded: bits), target)
    default: store(bits, target)
    }
    offset += byteCount
  }

  private func store<Bits: FixedWidthInteger>(_ bits: Bits, _ target: UnsafeMutableRawBufferPointer)
  {
    target.storeBytes(of: bits.littleEndian, toByteOffset: offset, as: Bits.self)
  }
}
