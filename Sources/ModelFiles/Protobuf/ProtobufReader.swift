/// Walks the fields of one protobuf message, without copying what they hold.
///
/// ```
/// message  = field*
/// field    = tag value            tag: varint, number << 3 | wire type
/// value    = varint               wire type 0: 7 bits a byte, lowest first, the top bit set on all but the last
///          | 8 bytes              wire type 1: float64, little-endian
///          | length byte*         wire type 2: length is a varint; bytes, text, a message, or packed numbers
///          | 4 bytes              wire type 5: float32, little-endian
/// ```
///
/// Wire types 3 and 4 (groups) have been out of use since before ONNX, and are refused. Every error is a
/// ``ModelFileError`` that names the byte at fault.
struct ProtobufReader {
  /// The bytes of the whole file, so that positions are the file's.
  let file: UnsafeRawBufferPointer
  private var position: Int
  private let end: Int

  /// The fields of the message that fills `range` of `file`'s bytes, which must outlive the reader.
  init(_ file: UnsafeRawBufferPointer, _ range: Range<Int>) {
    self.file = file
    position = range.lowerBound
    end = range.upperBound
  }

  /// The greatest field number there can be.
  static let maximumFieldNumber: UInt64 = (1 << 29) - 1

  /// The next field, nil after the last.
  mutating func next() throws -> ProtobufField? {
    guard position < end else { return nil }
    let start = position
    let tag = try varint()
    let number = tag >> 3
    guard number > 0, number <= Self.maximumFieldNumber else {
      throw Self.damaged("a field numbered \(number)", at: start)
    }
    let value: ProtobufField.Value =
      switch tag & 7 {
      case 0: .varint(try varint())
      case 1: .fixed64(try fixed(UInt64.self))
      case 2: .bytes(try range())
      case 5: .fixed32(try fixed(UInt32.self))
      default: throw Self.damaged("a field of the unused wire type \(tag & 7)", at: start)
      }
    return ProtobufField(number: Int(number), value: value, start: start, file: file)
  }

  /// The numbers of a packed field that fills the reader's bytes.
  mutating func nextPackedVarint() throws -> UInt64? { position < end ? try varint() : nil }

  /// The numbers of a packed field that fills the reader's bytes.
  mutating func nextPackedFixed<Bits: FixedWidthInteger>(_ type: Bits.Type) throws -> Bits? {
    position < end ? try fixed(type) : nil
  }

  /// The error for bytes that no writer writes.
  static func damaged(_ found: String, at position: Int) -> ModelFileError {
    ModelFileError(
      .damaged,
      "\(found) at byte \(position): the file is cut off, changed, or not an ONNX model; "
        + "copy or export it again")
  }

  private mutating func varint() throws -> UInt64 {
    let start = position
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < end {
      let byte = UInt64(file[position])
      position += 1
      // The tenth byte has room for one bit.
      if shift == 63 && byte > 1 { break }
      value |= (byte & 0x7f) << shift
      if byte & 0x80 == 0 { return value }
      shift += 7
    }
    throw Self.damaged(
      position == end && shift < 63 ? "a number that does not end" : "a number beyond 64 bits",
      at: start)
  }

  private mutating func fixed<Bits: FixedWidthInteger>(_ type: Bits.Type) throws -> Bits {
    guard end - position >= MemoryLayout<Bits>.size else {
      throw Self.damaged("a number that does not end", at: position)
    }
    defer { position += MemoryLayout<Bits>.size }
    return Bits(littleEndian: file.loadUnaligned(fromByteOffset: position, as: type))
  }

  private mutating func range() throws -> Range<Int> {
    let start = position
    let length = try varint()
    guard length <= UInt64(end - position) else {
      throw Self.damaged(
        "a field of \(length) bytes where \(end - position) are left", at: start)
    }
    defer { position += Int(length) }
    return position..<position + Int(length)
  }
}
