public import Tensors

/// Writes arrays as a `.npz` file that NumPy reads; it appears whole or not at all.
///
/// Arrays stand in the order of their names, unpacked, each beginning at a multiple of 64 bytes, with a fixed time stamp: the
/// same arrays give the same bytes. Throws ``DatasetError`` where NumPy has no name for an element type, ``FileError``
/// where the file can't be written.
public func writeNumPyArchive(_ arrays: [String: Tensor], to path: String) throws {
  try located(path) {
    // Before the file is begun, so that nothing is written in vain.
    for (name, array) in arrays {
      try located(name) { _ = try NumPyHeader.encoded(array.shape, array.elementType) }
      guard !name.isEmpty, name.utf8.count < 0xFF00 else {
        throw DatasetError(.invalidSetting, "'\(name)' can't be the name of an array")
      }
    }
  }
  let file = try OutputFile(path: path)
  var directory: [UInt8] = []
  for (name, array) in arrays.sorted(by: { $0.key < $1.key }) {
    let header = try NumPyHeader.encoded(array.shape, array.elementType)
    let record = ZipRecord(name: name + ".npy", header, array, offset: file.byteCount)
    try file.write(record.localHeader())
    try file.write(header)
    try array.withUnsafeBytes { try file.write($0) }
    directory += record.directoryRecord()
  }
  let start = file.byteCount
  try file.write(directory)
  try file.write(ZipRecord.end(count: arrays.count, directory: start..<file.byteCount))
  try file.commit()
}

/// What a zip archive says of one stored member.
struct ZipRecord {
  let name: [UInt8]
  let checksum: UInt32
  let byteCount: Int
  /// Where the local header stands.
  let offset: Int

  init(name: String, _ header: [UInt8], _ array: Tensor, offset: Int) {
    self.name = Array(name.utf8)
    self.offset = offset
    byteCount = header.count + array.byteCount
    let headerSum = header.withUnsafeBytes { Datasets.checksum($0) }
    checksum = array.withUnsafeBytes { Datasets.checksum($0, after: headerSum) }
  }

  private var isLarge: Bool { byteCount >= 0xFFFF_FFFF }
  private var isFar: Bool { offset >= 0xFFFF_FFFF }

  /// From the version needed up to both sizes: the same in both kinds of record.
  private func common() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(littleEndian: UInt16(isLarge || isFar ? 45 : 20))
    bytes.append(littleEndian: UInt16(name.allSatisfy { $0 < 0x80 } ? 0 : 0x800))  // UTF-8
    bytes.append(littleEndian: UInt16(0))  // stored
    bytes.append(littleEndian: UInt16(0))  // 00:00:00
    bytes.append(littleEndian: UInt16(0x21))  // 1980-01-01
    bytes.append(littleEndian: checksum)
    let size = isLarge ? 0xFFFF_FFFF : UInt32(byteCount)
    bytes.append(littleEndian: size)
    bytes.append(littleEndian: size)
    bytes.append(littleEndian: UInt16(name.count))
    return bytes
  }

  func localHeader() -> [UInt8] {
    var extra: [UInt8] = []
    if isLarge {
      extra.append(littleEndian: UInt16(1))
      extra.append(littleEndian: UInt16(16))
      extra.append(littleEndian: UInt64(byteCount))
      extra.append(littleEndian: UInt64(byteCount))
    }
    // A field that readers skip fills up to a multiple of 64, so that the array can be used where it lies.
    let unaligned = offset + 30 + name.count + extra.count + 4
    let padding = (64 - unaligned % 64) % 64
    extra.append(littleEndian: UInt16(0xD935))
    extra.append(littleEndian: UInt16(padding))
    extra += [UInt8](repeating: 0, count: padding)
    var bytes: [UInt8] = Array("PK\u{3}\u{4}".utf8) + common()
    bytes.append(littleEndian: UInt16(extra.count))
    return bytes + name + extra
  }

  func directoryRecord() -> [UInt8] {
    var extra: [UInt8] = []
    if isLarge || isFar {
      extra.append(littleEndian: UInt16(1))
      extra.append(littleEndian: UInt16((isLarge ? 16 : 0) + (isFar ? 8 : 0)))
      if isLarge {
        extra.append(littleEndian: UInt64(byteCount))
        extra.append(littleEndian: UInt64(byteCount))
      }
      if isFar { extra.append(littleEndian: UInt64(offset)) }
    }
    var bytes: [UInt8] = Array("PK\u{1}\u{2}".utf8)
    bytes.append(littleEndian: UInt16(isLarge || isFar ? 45 : 20))
    bytes += common()
    bytes.append(littleEndian: UInt16(extra.count))
    bytes += [UInt8](repeating: 0, count: 10)  // comment, disk, attributes
    bytes.append(littleEndian: isFar ? 0xFFFF_FFFF : UInt32(offset))
    return bytes + name + extra
  }

  static func end(count: Int, directory: Range<Int>) -> [UInt8] {
    var bytes: [UInt8] = []
    let isLarge = count >= 0xFFFF || directory.upperBound >= 0xFFFF_FFFF
    if isLarge {
      bytes += Array("PK\u{6}\u{6}".utf8)
      bytes.append(littleEndian: UInt64(44))
      bytes.append(littleEndian: UInt16(45))
      bytes.append(littleEndian: UInt16(45))
      bytes += [UInt8](repeating: 0, count: 8)
      for number in [count, count, directory.count, directory.lowerBound] {
        bytes.append(littleEndian: UInt64(number))
      }
      bytes += Array("PK\u{6}\u{7}".utf8) + [0, 0, 0, 0]
      bytes.append(littleEndian: UInt64(directory.upperBound))
      bytes.append(littleEndian: UInt32(1))
    }
    bytes += Array("PK\u{5}\u{6}".utf8) + [0, 0, 0, 0]
    bytes.append(littleEndian: isLarge ? 0xFFFF : UInt16(count))
    bytes.append(littleEndian: isLarge ? 0xFFFF : UInt16(count))
    bytes.append(littleEndian: isLarge ? 0xFFFF_FFFF : UInt32(directory.count))
    bytes.append(littleEndian: isLarge ? 0xFFFF_FFFF : UInt32(directory.lowerBound))
    bytes.append(littleEndian: UInt16(0))
    return bytes
  }
}
