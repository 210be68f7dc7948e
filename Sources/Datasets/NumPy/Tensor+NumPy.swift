public import Tensors

extension Tensor {
  /// The array in a `.npy` file, as a view of the mapped file wherever its order allows.
  ///
  /// Big-endian arrays and those in Fortran order are copied. Throws ``DatasetError`` where the file is damaged
  /// or its elements are neither bool nor integers of 8 to 64 bits nor floats of 16 to 64 bits, ``FileError``
  /// where it can't be read.
  public init(contentsOfNumPy path: String) throws {
    let file = try MappedFile(path: path)
    self = try located(path) { try Tensor(numPyIn: file, 0..<file.byteCount) }
  }

  /// The array whose header and data are the bytes of `file` in `range`.
  init(numPyIn file: MappedFile, _ range: Range<Int>) throws {
    let header = try NumPyHeader(in: file, range)
    let raw = Tensor(
      header.shape, header.elementType, in: file,
      byteOffset: range.upperBound - header.dataByteCount)
    self = try header.rearranged(raw)
  }

  /// The array that `unpacked` gives, `byteCount` bytes with the header.
  init(numPyIn unpacked: Inflater, byteCount: Int) throws {
    let header = try NumPyHeader(unpacking: unpacked, byteCount: byteCount)
    let raw = try Tensor(header.shape, header.elementType) { try unpacked.readAll(into: $0) }
    self = try header.rearranged(raw)
  }
}

extension Inflater {
  fileprivate func bytes(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    try bytes.withUnsafeMutableBytes { try readAll(into: $0) }
    return bytes
  }
}

extension NumPyHeader {
  /// The header of the array whose header and data are the bytes of `file` in `range`. Throws ``DatasetError`` where what follows
  /// is not as long as type and shape say.
  init(in file: MappedFile, _ range: Range<Int>) throws {
    let bytes = file.bytes.part(range)
    let headerByteCount = try NumPyHeader.byteCount(
      preamble: bytes.part(0..<min(bytes.count, NumPyHeader.preambleByteCount)))
    guard headerByteCount <= bytes.count else {
      throw DatasetError(
        .invalidFile,
        "is cut short: \(bytes.count) bytes, the header alone takes \(headerByteCount)")
    }
    self = try NumPyHeader(bytes.part(0..<headerByteCount))
    try check(dataByteCount: bytes.count - headerByteCount)
  }

  /// The header that stands first in what `unpacked` gives, `byteCount` bytes in all. Throws ``DatasetError`` where what
  /// follows is not as long as type and shape say.
  init(unpacking unpacked: Inflater, byteCount: Int) throws {
    let preamble = try unpacked.bytes(min(byteCount, NumPyHeader.preambleByteCount))
    let headerByteCount = try preamble.withUnsafeBytes { try NumPyHeader.byteCount(preamble: $0) }
    guard headerByteCount <= byteCount else {
      throw DatasetError(
        .invalidFile, "is cut short: \(byteCount) bytes, the header alone takes \(headerByteCount)")
    }
    let text = try unpacked.bytes(headerByteCount - preamble.count)
    self = try (preamble + text).withUnsafeBytes { try NumPyHeader($0) }
    try check(dataByteCount: byteCount - headerByteCount)
  }

  /// The number of bytes after the header.
  fileprivate var dataByteCount: Int { elementType.byteCount(of: shape.count) }

  private func check(dataByteCount found: Int) throws {
    guard found == dataByteCount else {
      throw DatasetError(
        .invalidFile,
        "holds \(found) bytes of data, \(elementType)\(shape) takes \(dataByteCount); "
          + "the file is \(found < dataByteCount ? "cut short" : "damaged"): make it again")
    }
  }

  /// The elements in row-major order and this machine's byte order.
  fileprivate func rearranged(_ raw: Tensor) throws -> Tensor {
    if elementType == .bool {
      // Any other byte would be undefined behaviour in a Swift Bool.
      let isSound = raw.withUnsafeBytes { $0.allSatisfy { $0 <= 1 } }
      guard isSound else {
        throw DatasetError(.invalidFile, "holds bool elements that are neither 0 nor 1")
      }
    }
    let isSwapped = isBigEndian && elementType.bitWidth > 8
    guard isSwapped || isFortranOrder else { return raw }
    return Tensor(shape, elementType) { target in
      raw.withUnsafeBytes { source in
        switch elementType.bitWidth {
        case 8: copy(source, to: target, as: UInt8.self, isSwapped: false)
        case 16: copy(source, to: target, as: UInt16.self, isSwapped: isSwapped)
        case 32: copy(source, to: target, as: UInt32.self, isSwapped: isSwapped)
        default: copy(source, to: target, as: UInt64.self, isSwapped: isSwapped)
        }
      }
    }
  }

  private func copy<Word: FixedWidthInteger>(
    _ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer, as: Word.Type,
    isSwapped: Bool
  ) {
    let width = MemoryLayout<Word>.size
    func word(_ index: Int) -> Word {
      let word = source.loadUnaligned(fromByteOffset: index * width, as: Word.self)
      return isSwapped ? word.byteSwapped : word
    }
    let words = target.bindMemory(to: Word.self)
    guard isFortranOrder else {
      for index in 0..<shape.count { words[index] = word(index) }
      return
    }
    var strides = [Int](repeating: 1, count: shape.rank)
    for axis in 1..<shape.rank { strides[axis] = strides[axis - 1] * max(shape[axis - 1], 1) }
    var index = [Int](repeating: 0, count: shape.rank)
    var offset = 0
    for position in 0..<shape.count {
      words[position] = word(offset)
      var axis = shape.rank - 1
      while axis >= 0 {
        index[axis] += 1
        offset += strides[axis]
        if index[axis] < shape[axis] { break }
        offset -= strides[axis] * shape[axis]
        index[axis] = 0
        axis -= 1
      }
    }
  }
}

/// Writes an array as a `.npy` file, which appears whole or not at all.
///
/// The bytes are those that `numpy.save` writes. Throws ``DatasetError`` where NumPy has no name for the element type
/// (bfloat16, 8-bit floats, packed integers), ``FileError`` where the file can't be written.
public func writeNumPy(_ array: Tensor, to path: String) throws {
  let header = try located(path) { try NumPyHeader.encoded(array.shape, array.elementType) }
  let file = try OutputFile(path: path)
  try file.write(header)
  try array.withUnsafeBytes { try file.write($0) }
  try file.commit()
}
