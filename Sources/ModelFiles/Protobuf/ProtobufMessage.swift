import Tensors

/// A protobuf message to be written: small fields as bytes, tensors as references.
///
/// Its size is known before anything is written, so that a model of any size streams into a file.
struct ProtobufMessage {
  private enum Piece {
    case bytes([UInt8])
    case tensor(Tensor)
  }

  /// The number of bytes that the message takes.
  private(set) var byteCount = 0
  private var pieces: [Piece] = []

  /// Adds a whole number; negative ones take ten bytes.
  mutating func add(_ field: Int, _ value: Int) {
    append(Self.varint(UInt64(field << 3)) + Self.varint(UInt64(bitPattern: Int64(value))))
  }

  /// Adds a 32-bit number.
  mutating func add(_ field: Int, _ value: Float) {
    append(Self.varint(UInt64(field << 3 | 5)) + Self.littleEndian(value))
  }

  /// Adds a text.
  mutating func add(_ field: Int, _ text: String) {
    let bytes = Array(text.utf8)
    append(Self.tag(field, length: bytes.count) + bytes)
  }

  /// Adds a message.
  mutating func add(_ field: Int, _ message: ProtobufMessage) {
    append(Self.tag(field, length: message.byteCount))
    for piece in message.pieces {
      switch piece {
      case .bytes(let bytes): append(bytes)
      case .tensor(let tensor): append(tensor)
      }
    }
  }

  /// Adds a tensor's bytes.
  mutating func add(_ field: Int, _ tensor: Tensor) {
    append(Self.tag(field, length: tensor.byteCount))
    append(tensor)
  }

  /// Adds whole numbers, packed.
  mutating func add(_ field: Int, packed values: [Int]) {
    let bytes = values.flatMap { Self.varint(UInt64(bitPattern: Int64($0))) }
    append(Self.tag(field, length: bytes.count) + bytes)
  }

  /// Adds 32-bit numbers, packed.
  mutating func add(_ field: Int, packed values: [Float]) {
    let bytes = values.flatMap(Self.littleEndian)
    append(Self.tag(field, length: bytes.count) + bytes)
  }

  /// Writes the message. Throws ``FileError``.
  func write(to file: OutputFile) throws {
    for piece in pieces {
      switch piece {
      case .bytes(let bytes): try file.write(bytes)
      case .tensor(let tensor): try file.write(tensor)
      }
    }
  }

  private mutating func append(_ bytes: [UInt8]) {
    byteCount += bytes.count
    if case .bytes(var last)? = pieces.last {
      pieces.removeLast()
      last.append(contentsOf: bytes)
      pieces.append(.bytes(last))
    } else {
      pieces.append(.bytes(bytes))
    }
  }

  private mutating func append(_ tensor: Tensor) {
    byteCount += tensor.byteCount
    pieces.append(.tensor(tensor))
  }

  private static func tag(_ field: Int, length: Int) -> [UInt8] {
    varint(UInt64(field << 3 | 2)) + varint(UInt64(length))
  }

  private static func varint(_ value: UInt64) -> [UInt8] {
    var rest = value
    var bytes: [UInt8] = []
    while rest > 0x7f {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
    return bytes
  }

  private static func littleEndian(_ value: Float) -> [UInt8] {
    withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init)
  }
}

extension OutputFile {
  /// Appends a tensor's bytes, whose memory is given back as it goes where a mapped file holds them.
  func write(_ tensor: Tensor) throws {
    let size = tensor.byteCount
    for start in stride(from: 0, to: size, by: Self.tensorPartSize) {
      let range = start..<min(start + Self.tensorPartSize, size)
      try tensor.withUnsafeBytes { try write(UnsafeRawBufferPointer(rebasing: $0[range])) }
      if size >= Self.tensorPartSize { tensor.releaseMappedMemory() }
    }
  }

  /// So much of a mapped tensor is in memory at a time.
  private static var tensorPartSize: Int { 8 << 20 }
}
