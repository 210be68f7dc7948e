import Tensors

/// Reads the Python dictionary in the header of a NumPy array.
struct PythonLiteralParser {
  /// The values that occur there.
  enum Value {
    case string(String)
    case boolean(Bool)
    case integers([Int])
  }

  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The dictionary that is the whole text. Throws ``DatasetError`` where it is anything else.
  mutating func dictionary() throws -> [String: Value] {
    var values: [String: Value] = [:]
    try expect("{")
    while !take("}") {
      let key = try string()
      try expect(":")
      guard values.updateValue(try value(), forKey: key) == nil else { throw damaged() }
      if !take(",") {
        try expect("}")
        break
      }
    }
    skipSpace()
    guard position == bytes.count else { throw damaged() }
    return values
  }

  private mutating func value() throws -> Value {
    skipSpace()
    guard position < bytes.count else { throw damaged() }
    switch bytes[position] {
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "("): return .integers(try tuple())
    case UInt8(ascii: "["):
      throw DatasetError(
        .unsupported, "has elements of several fields; save each field as an array of its own")
    default:
      if take("True") { return .boolean(true) }
      if take("False") { return .boolean(false) }
      throw damaged()
    }
  }

  private mutating func tuple() throws -> [Int] {
    var numbers: [Int] = []
    try expect("(")
    while !take(")") {
      numbers.append(try integer())
      if !take(",") {
        try expect(")")
        break
      }
    }
    return numbers
  }

  private mutating func integer() throws -> Int {
    skipSpace()
    let start = position
    while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position])
    {
      position += 1
    }
    guard let number = Int(String(decoding: bytes[start..<position], as: UTF8.self)) else {
      throw damaged()
    }
    _ = take("L")  // Python 2 wrote long integers so.
    return number
  }

  private mutating func string() throws -> String {
    skipSpace()
    guard position < bytes.count, [UInt8(ascii: "'"), UInt8(ascii: "\"")].contains(bytes[position])
    else { throw damaged() }
    let quote = bytes[position]
    guard let end = bytes[(position + 1)...].firstIndex(of: quote) else { throw damaged() }
    defer { position = end + 1 }
    return String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
  }

  private mutating func expect(_ token: String) throws {
    guard take(token) else { throw damaged() }
  }

  private mutating func take(_ token: String) -> Bool {
    skipSpace()
    guard bytes[position...].starts(with: token.utf8) else { return false }
    position += token.utf8.count
    return true
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
      position += 1
    }
  }

  private func damaged() -> DatasetError {
    DatasetError(
      .invalidFile, "has a damaged header at character \(position); save it again with numpy.save")
  }
}
