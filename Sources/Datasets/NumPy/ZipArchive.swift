import Tensors

/// The members of a zip archive, found through its central directory.
///
/// ```
/// local header · data        one each, at the offset that the directory gives
/// central directory          one record a member
/// [ZIP64 end, its locator]   where a number does not fit 16 or 32 bits
/// end record                 22 bytes and a comment
/// ```
/// What local headers say of sizes is not used: writers that stream leave it out. Source: PKWARE APPNOTE 6.3.
struct ZipArchive {
  /// One file in the archive.
  struct Member {
    let name: String
    let isDeflated: Bool
    let checksum: UInt32
    /// The number of bytes when unpacked.
    let byteCount: Int
    /// Where the packed data stands.
    let range: Range<Int>
  }

  /// In the directory's order.
  let members: [Member]

  /// Reads the directory. Throws ``DatasetError`` where the archive is damaged, encrypted, or packed by another method than
  /// DEFLATE.
  init(_ bytes: UnsafeRawBufferPointer) throws {
    let (count, directory) = try Self.findDirectory(bytes)
    var members: [Member] = []
    var names: Set<String> = []
    var position = directory.lowerBound
    for _ in 0..<count {
      let (member, length) = try Self.member(bytes, position..<directory.upperBound)
      guard names.insert(member.name).inserted else {
        throw damaged("two members are named '\(member.name)'")
      }
      members.append(member)
      position += length
    }
    guard position == directory.upperBound else { throw damaged("the directory is too long") }
    // Members that share bytes could unpack to far more than the file is long.
    let ranges = members.map(\.range).sorted { $0.lowerBound < $1.lowerBound }
    for (range, next) in zip(ranges, ranges.dropFirst()) where range.overlaps(next) {
      throw damaged("two members overlap")
    }
    self.members = members
  }

  // MARK: - The end record

  private static let endByteCount = 22
  private static let locatorByteCount = 20

  private static func findDirectory(
    _ bytes: UnsafeRawBufferPointer
  ) throws -> (count: Int, Range<Int>) {
    guard let end = endRecord(bytes) else {
      throw DatasetError(
        .invalidFile,
        "is no zip archive, or cut short (it has no end record); fetch or make it again")
    }
    var count = Int(bytes.littleEndian(UInt16.self, at: end + 10))
    var length = Int(bytes.littleEndian(UInt32.self, at: end + 12))
    var start = Int(bytes.littleEndian(UInt32.self, at: end + 16))
    var limit = end
    if count == 0xFFFF || length == 0xFFFF_FFFF || start == 0xFFFF_FFFF {
      let locator = end - locatorByteCount
      guard locator >= 0, bytes.littleEndian(UInt32.self, at: locator) == 0x0706_4B50 else {
        throw damaged("the ZIP64 locator is missing")
      }
      let large = bytes.littleEndian(UInt64.self, at: locator + 8)
      guard let record = Int(exactly: large), record <= locator - 56,
        bytes.littleEndian(UInt32.self, at: record) == 0x0606_4B50,
        let largeCount = Int(exactly: bytes.littleEndian(UInt64.self, at: record + 32)),
        let largeLength = Int(exactly: bytes.littleEndian(UInt64.self, at: record + 40)),
        let largeStart = Int(exactly: bytes.littleEndian(UInt64.self, at: record + 48))
      else { throw damaged("the ZIP64 end record is not where it should be") }
      (count, length, start, limit) = (largeCount, largeLength, largeStart, record)
    } else if bytes.littleEndian(UInt16.self, at: end + 4) != 0
      || bytes.littleEndian(UInt16.self, at: end + 8) != UInt16(count)
    {
      throw DatasetError(.unsupported, "is one part of a split archive; join the parts first")
    }
    guard start <= limit, length <= limit - start else {
      throw damaged("the directory is not inside the file")
    }
    return (count, start..<start + length)
  }

  private static func endRecord(_ bytes: UnsafeRawBufferPointer) -> Int? {
    let last = bytes.count - endByteCount
    guard last >= 0 else { return nil }
    return stride(from: last, through: max(0, last - 0xFFFF), by: -1).first { position in
      bytes.littleEndian(UInt32.self, at: position) == 0x0605_4B50
        && Int(bytes.littleEndian(UInt16.self, at: position + 20)) == last - position
    }
  }

  // MARK: - Members

  /// The member whose record begins `range`, and the record's length.
  private static func member(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>
  ) throws -> (Member, Int) {
    let start = range.lowerBound
    guard range.count >= 46, bytes.littleEndian(UInt32.self, at: start) == 0x0201_4B50 else {
      throw damaged("a record of the directory is not where it should be")
    }
    func short(_ offset: Int) -> Int { Int(bytes.littleEndian(UInt16.self, at: start + offset)) }
    func long(_ offset: Int) -> Int { Int(bytes.littleEndian(UInt32.self, at: start + offset)) }
    let nameEnd = 46 + short(28)
    let extraEnd = nameEnd + short(30)
    let length = extraEnd + short(32)
    guard length <= range.count else { throw damaged("a record of the directory is cut short") }
    let rawName = bytes.part(start + 46..<start + nameEnd)
    let name = String(decoding: rawName, as: UTF8.self)
    guard short(8) & 1 == 0 else {
      throw DatasetError(.unsupported, "is encrypted; unpack it first", path: [name])
    }
    guard [0, 8].contains(short(10)) else {
      throw DatasetError(
        .unsupported, "is packed by method \(short(10)); stored and deflated members are read",
        path: [name])
    }
    let sizes = try largeSizes(
      [long(24), long(20), long(42)], bytes.part(start + nameEnd..<start + extraEnd), name)
    let (byteCount, packedByteCount, offset) = (sizes[0], sizes[1], sizes[2])
    let data = try dataRange(bytes, offset, packedByteCount, rawName, name)
    let isDeflated = short(10) == 8
    let (bound, overflow) = (packedByteCount + 16).multipliedReportingOverflow(
      by: Inflater.greatestRatio)
    guard isDeflated ? overflow || byteCount <= bound : byteCount == packedByteCount else {
      throw DatasetError(
        .invalidFile,
        "says \(packedByteCount) packed bytes unpack to \(byteCount), which can't be",
        path: [name])
    }
    let member = Member(
      name: name, isDeflated: isDeflated, checksum: bytes.littleEndian(UInt32.self, at: start + 16),
      byteCount: byteCount, range: data)
    return (member, length)
  }

  /// The numbers, those that are 0xFFFFFFFF replaced in order by the ZIP64 field's.
  private static func largeSizes(
    _ sizes: [Int], _ extra: UnsafeRawBufferPointer, _ name: String
  ) throws -> [Int] {
    var sizes = sizes
    var missing = sizes.indices.filter { sizes[$0] == 0xFFFF_FFFF }[...]
    var position = 0
    while !missing.isEmpty, position + 4 <= extra.count {
      let kind = extra.littleEndian(UInt16.self, at: position)
      let end = position + 4 + Int(extra.littleEndian(UInt16.self, at: position + 2))
      guard end <= extra.count else { break }
      var field = position + 4
      while kind == 1, let index = missing.first, field + 8 <= end {
        guard let size = Int(exactly: extra.littleEndian(UInt64.self, at: field)) else {
          throw damaged("member '\(name)' has an impossible size")
        }
        sizes[index] = size
        missing = missing.dropFirst()
        field += 8
      }
      position = end
    }
    guard missing.isEmpty else { throw damaged("member '\(name)' lacks its ZIP64 sizes") }
    return sizes
  }

  private static func dataRange(
    _ bytes: UnsafeRawBufferPointer, _ offset: Int, _ byteCount: Int,
    _ rawName: UnsafeRawBufferPointer, _ name: String
  ) throws -> Range<Int> {
    let error = DatasetError(
      .invalidFile, "is not where the archive's directory says; fetch or make the file again",
      path: [name])
    guard offset <= bytes.count - 30, bytes.littleEndian(UInt32.self, at: offset) == 0x0403_4B50
    else { throw error }
    let nameEnd = offset + 30 + Int(bytes.littleEndian(UInt16.self, at: offset + 26))
    let start = nameEnd + Int(bytes.littleEndian(UInt16.self, at: offset + 28))
    guard start <= bytes.count, byteCount <= bytes.count - start,
      bytes[offset + 30..<nameEnd].elementsEqual(rawName)
    else { throw error }
    return start..<start + byteCount
  }
}

private func damaged(_ what: String) -> DatasetError {
  DatasetError(.invalidFile, "is a damaged zip archive: \(what); fetch or make it again")
}
