import Tensors

/// What stands before an array's data in NumPy's format: type, order and shape.
///
/// ```
/// 0   \x93NUMPY        magic
/// 6   major, minor     1.0, 2.0 or 3.0
/// 8   text length      UInt16 (1.0) or UInt32 (2.0, 3.0), little-endian
/// 10  text             {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, spaces, \n
///     data             from a multiple of 64
/// ```
/// Source: NEP 1, "A Simple File Format for NumPy Arrays".
struct NumPyHeader {
  /// What each element is.
  let elementType: ElementType
  /// Whether the bytes of each element stand highest first.
  let isBigEndian: Bool
  /// Whether the first axis is the innermost.
  let isFortranOrder: Bool
  /// The length of each axis.
  let shape: Shape

  /// The bytes that tell how long the header is.
  static let preambleByteCount = 12

  /// The longest header that is read; only structured types, which are not read, need longer ones.
  static let greatestByteCount = 1 << 16

  /// The number of bytes before the data, told from the first ``preambleByteCount`` bytes.
  static func byteCount(preamble: UnsafeRawBufferPointer) throws -> Int {
    guard preamble.count >= preambleByteCount else {
      throw DatasetError(
        .invalidFile, "is cut short: \(preamble.count) bytes, too few for a NumPy array")
    }
    guard preamble.prefix(6).elementsEqual([0x93] + Array("NUMPY".utf8)) else {
      throw DatasetError(.invalidFile, "is not a NumPy array; save it with numpy.save")
    }
    let version = (preamble[6], preamble[7])
    let byteCount: Int
    switch version {
    case (1, 0): byteCount = 10 + Int(preamble.littleEndian(UInt16.self, at: 8))
    case (2, 0), (3, 0): byteCount = 12 + Int(preamble.littleEndian(UInt32.self, at: 8))
    default:
      throw DatasetError(
        .unsupported,
        "is of format version \(version.0).\(version.1); 1.0, 2.0 and 3.0 are read")
    }
    guard byteCount <= greatestByteCount, byteCount > preambleByteCount else {
      throw DatasetError(
        .invalidFile,
        "has a header of \(byteCount) bytes; 13 to \(greatestByteCount) are read")
    }
    return byteCount
  }

  /// Decodes a whole header, whose length ``byteCount(preamble:)`` told.
  init(_ bytes: UnsafeRawBufferPointer) throws {
    let textStart = bytes[6] == 1 ? 10 : 12
    var parser = PythonLiteralParser(Array(bytes[textStart...]))
    let settings = try parser.dictionary()
    for key in settings.keys.sorted() where !["descr", "fortran_order", "shape"].contains(key) {
      throw DatasetError(.invalidFile, "has a header with an unknown key '\(key)'")
    }
    guard case .string(let descriptor)? = settings["descr"],
      case .boolean(let isFortranOrder)? = settings["fortran_order"],
      case .integers(let dimensions)? = settings["shape"]
    else {
      throw DatasetError(
        .invalidFile,
        "has a damaged header: descr, fortran_order and shape are expected; save it again")
    }
    guard let shape = Shape(checking: dimensions) else {
      throw DatasetError(.invalidFile, "has an impossible shape \(dimensions)")
    }
    (elementType, isBigEndian) = try Self.decode(descriptor)
    self.isFortranOrder = isFortranOrder && shape.rank > 1
    self.shape = shape
  }

  private static func decode(_ descriptor: String) throws -> (ElementType, isBigEndian: Bool) {
    let order = descriptor.first
    if let type = elementTypes[String(descriptor.dropFirst())], let order, "<>|=".contains(order) {
      return (type, order == ">")
    }
    let kinds: [Character: String] = [
      "O": "Python objects", "S": "byte strings", "U": "text", "c": "complex numbers",
      "M": "dates", "m": "durations",
      "V": "raw bytes (such as bfloat16, which the format has no name for)",
    ]
    let kind = descriptor.dropFirst().first.flatMap { kinds[$0] }
    throw DatasetError(
      .unsupported,
      "has elements of type '\(descriptor)'\(kind.map { ", \($0)" } ?? ""); "
        + "bool, integers of 8 to 64 bits and floats of 16 to 64 bits are read")
  }

  /// NumPy's names of the element types, without the byte order.
  static let elementTypes: [String: ElementType] = [
    "f2": .float16, "f4": .float32, "f8": .float64, "b1": .bool,
    "i1": .int8, "i2": .int16, "i4": .int32, "i8": .int64,
    "u1": .uint8, "u2": .uint16, "u4": .uint32, "u8": .uint64,
  ]
}

// MARK: - Writing

extension NumPyHeader {
  /// NumPy's header, byte for byte, of an array of the given shape in row-major order.
  ///
  /// Throws ``DatasetError`` where the format has no name for the element type.
  static func encoded(_ shape: Shape, _ elementType: ElementType) throws -> [UInt8] {
    guard let name = elementTypes.first(where: { $0.value == elementType })?.key else {
      throw DatasetError(
        .unsupported,
        "has \(elementType) elements, which NumPy's format has no name for; convert it to float32")
    }
    let lengths = shape.dimensions.map(String.init)
    let tuple = lengths.count == 1 ? "(\(lengths[0]),)" : "(\(lengths.joined(separator: ", ")))"
    let order = elementType.bitWidth == 8 ? "|" : "<"
    var text = "{'descr': '\(order)\(name)', 'fortran_order': False, 'shape': \(tuple), }"
    // NumPy leaves room for the first length to grow to 21 digits.
    if let first = lengths.first { text += String(repeating: " ", count: 21 - first.count) }
    let used = 10 + text.utf8.count + 1
    text += String(repeating: " ", count: (64 - used % 64) % 64) + "\n"
    guard text.utf8.count <= UInt16.max else {
      throw DatasetError(.unsupported, "has \(shape.rank) axes, too many for NumPy's format")
    }
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
    bytes.append(littleEndian: UInt16(text.utf8.count))
    return bytes + Array(text.utf8)
  }
}
