public import Graphs
public import Tensors

/// The arrays of a `.npz` file, by name.
///
/// Arrays that are stored unpacked are views of the mapped file, those that are deflated are unpacked into memory. Every
/// array's checksum is verified, so opening reads the whole file once.
public struct NumPyArchive: Sendable {
  /// The arrays by name, as given to `numpy.savez`.
  public let arrays: [String: Tensor]

  /// Reads all arrays of an archive.
  ///
  /// Throws ``DatasetError`` where the archive is damaged, or a member is no array or one of a type that is not
  /// read (see ``Tensor/init(contentsOfNumPy:)``); ``FileError`` where the file can't be read.
  public init(contentsOf path: String) throws { try self.init(contentsOf: path) { _ in } }

  /// Reads all arrays of an archive of which `check` approves.
  ///
  /// `check` is given the type and shape of each array by name, told from the headers alone: what it throws comes before any
  /// array is unpacked or its checksum taken. Throws as ``init(contentsOf:)`` does besides.
  public init(
    contentsOf path: String, checking check: (_ types: [String: ValueType]) throws -> Void
  ) throws {
    try self.init(contentsOf: path, memoryLimit: greatestUnpackedByteCount, checking: check)
  }

  init(
    contentsOf path: String, memoryLimit: Int,
    checking check: (_ types: [String: ValueType]) throws -> Void = { _ in }
  ) throws {
    let file = try MappedFile(path: path)
    arrays = try located(path) {
      let members = try ZipArchive(file.bytes).members.filter {
        !($0.name.hasSuffix("/") && $0.byteCount == 0)
      }
      var types: [String: ValueType] = [:]
      for member in members {
        guard member.name.hasSuffix(".npy"), member.name.utf8.count > 4 else {
          throw DatasetError(
            .invalidFile, "is no array; an .npz archive holds .npy files only",
            path: [member.name])
        }
        let header = try located(member.arrayName) { try Self.header(member, file) }
        types[member.arrayName] = ValueType(header.elementType, header.shape)
      }
      try check(types)
      // Each is no more than the file is long times the greatest ratio, so that the sum can't overflow.
      let unpacked = members.filter(\.isDeflated).reduce(0) { $0 + $1.byteCount }
      try checkUnpacked(byteCount: unpacked, limit: memoryLimit)
      var arrays: [String: Tensor] = [:]
      for member in members {
        arrays[member.arrayName] = try located(member.arrayName) { try Self.array(member, file) }
      }
      return arrays
    }
  }

  /// Type and shape of an array, whose data must be as long as they say: what is longer is not unpacked to its end.
  private static func header(_ member: ZipArchive.Member, _ file: MappedFile) throws -> NumPyHeader
  {
    guard member.isDeflated else { return try NumPyHeader(in: file, member.range) }
    let start = Inflater(file.bytes.part(member.range), wrapping: .none)
    return try NumPyHeader(unpacking: start, byteCount: member.byteCount)
  }

  private static func array(_ member: ZipArchive.Member, _ file: MappedFile) throws -> Tensor {
    guard member.isDeflated else {
      try check(member, sum: storedChecksum(member.range, file))
      return try Tensor(numPyIn: file, member.range)
    }
    // Unpacked twice: the checksum is known to be right before memory is taken for the array.
    try check(member, sum: inflatedChecksum(member, file))
    let inflater = Inflater(file.bytes.part(member.range), wrapping: .none)
    return try Tensor(numPyIn: inflater, byteCount: member.byteCount)
  }

  private static func check(_ member: ZipArchive.Member, sum: UInt32) throws {
    guard sum == member.checksum else {
      throw DatasetError(
        .invalidFile, "has a wrong checksum; the file is damaged: fetch or make it again")
    }
  }

  /// Pieces of this size are looked at and let go, so that a large file does not become resident.
  private static let pieceByteCount = 1 << 22

  private static func storedChecksum(_ range: Range<Int>, _ file: MappedFile) -> UInt32 {
    var sum: UInt32 = 0
    for start in stride(from: range.lowerBound, to: range.upperBound, by: pieceByteCount) {
      let piece = start..<min(start + pieceByteCount, range.upperBound)
      sum = checksum(file.bytes.part(piece), after: sum)
      file.release(piece)
    }
    return sum
  }

  private static func inflatedChecksum(
    _ member: ZipArchive.Member, _ file: MappedFile
  ) throws -> UInt32 {
    let inflater = Inflater(file.bytes.part(member.range), wrapping: .none)
    var piece = [UInt8](repeating: 0, count: min(pieceByteCount, max(member.byteCount, 1)))
    var sum: UInt32 = 0
    var rest = member.byteCount
    while rest > 0 {
      let count = min(rest, piece.count)
      try piece.withUnsafeMutableBytes {
        let target = UnsafeMutableRawBufferPointer(rebasing: $0[..<count])
        try inflater.readAll(into: target)
        sum = checksum(UnsafeRawBufferPointer(target), after: sum)
      }
      rest -= count
    }
    guard try inflater.isExhausted() else {
      throw DatasetError(
        .invalidFile, "unpacks to more than the \(member.byteCount) bytes that it says")
    }
    return sum
  }
}

extension ZipArchive.Member {
  /// The name as given to `numpy.savez`.
  fileprivate var arrayName: String { String(name.dropLast(4)) }
}
