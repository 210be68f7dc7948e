/// One field of a protobuf message: its number, and the value that it holds.
struct ProtobufField {
  enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    /// The range of the file's bytes: bytes, text, a message, or packed numbers.
    case bytes(Range<Int>)
  }

  let number: Int
  let value: Value
  /// The byte of the file that the field begins at.
  let start: Int
  let file: UnsafeRawBufferPointer

  /// A whole number.
  func int() throws -> Int {
    guard case .varint(let bits) = value else { throw unexpected("a whole number") }
    return Int(truncatingIfNeeded: bits)
  }

  /// A number of 32 bits.
  func float() throws -> Float {
    guard case .fixed32(let bits) = value else { throw unexpected("a number") }
    return Float(bitPattern: bits)
  }

  /// The range of the file's bytes that the field holds.
  func range() throws -> Range<Int> {
    guard case .bytes(let range) = value else { throw unexpected("bytes") }
    return range
  }

  /// The fields of the message that the field holds.
  func message() throws -> ProtobufReader { ProtobufReader(file, try range()) }

  /// A text. Throws where it is not UTF-8.
  func string() throws -> String {
    let range = try range()
    guard let text = String(validating: file[range], as: UTF8.self) else {
      throw ProtobufReader.damaged("a name or text that is not UTF-8", at: start)
    }
    return text
  }

  /// Adds a repeated field's whole numbers, packed or one.
  func appendInts(to numbers: inout [Int]) throws {
    guard case .bytes = value else { return numbers.append(try int()) }
    var packed = try message()
    while let bits = try packed.nextPackedVarint() {
      numbers.append(Int(truncatingIfNeeded: bits))
    }
  }

  /// Adds a repeated field's 32-bit numbers, packed or one.
  func appendFloats(to numbers: inout [Float]) throws {
    guard case .bytes = value else { return numbers.append(try float()) }
    var packed = try message()
    while let bits = try packed.nextPackedFixed(UInt32.self) {
      numbers.append(Float(bitPattern: bits))
    }
  }

  /// How many numbers a repeated field holds at most.
  var numberLimit: Int {
    guard case .bytes(let range) = value else { return 1 }
    return range.count
  }

  /// The error for a field that holds something else than it must.
  func unexpected(_ expected: String) -> ModelFileError {
    let found =
      switch value {
      case .varint: "a whole number"
      case .fixed64, .fixed32: "a number"
      case .bytes: "bytes"
      }
    return ProtobufReader.damaged(
      "\(found) in field \(number), which holds \(expected),", at: start)
  }
}
