import Tensors

/// Codes of 1, 2, 4 or 8 bits in bytes, the first in the lowest bits, in row-major order without alignment of rows: the order
/// of ONNX's `raw_data`.
///
/// ```
/// 4 bits:  byte 0 = | code 1 | code 0 |   byte 1 = | code 3 | code 2 | …
/// 2 bits:  byte 0 = | code 3 | code 2 | code 1 | code 0 | …
/// ```
enum SubByteCodes {
  /// Packs the low `bits` of each byte of `codes`; unused bits of the last byte are 0.
  static func pack(
    _ codes: UnsafePointer<UInt8>, count: Int, bits: Int, into bytes: UnsafeMutablePointer<UInt8>
  ) {
    let perByte = 8 / bits
    let mask = UInt8((1 << bits) - 1)
    for byte in 0..<((count + perByte - 1) / perByte) {
      var packed: UInt8 = 0
      for i in 0..<min(perByte, count - byte * perByte) {
        packed |= (codes[byte * perByte + i] & mask) << UInt8(i * bits)
      }
      bytes[byte] = packed
    }
  }

  /// Unpacks codes; those of signed types are extended to the whole byte.
  static func unpack(
    _ bytes: UnsafePointer<UInt8>, count: Int, bits: Int, isSigned: Bool,
    into codes: UnsafeMutablePointer<UInt8>
  ) {
    let perByte = 8 / bits
    let mask = UInt8((1 << bits) - 1)
    let sign = isSigned ? UInt8(1 << (bits - 1)) : 0
    for i in 0..<count {
      let code = (bytes[i / perByte] >> UInt8(i % perByte * bits)) & mask
      codes[i] = (code ^ sign) &- sign
    }
  }

  /// A tensor of packed integers from one with a code in each byte.
  static func packed(_ codes: Tensor, as type: ElementType) -> Tensor {
    Tensor(codes.shape, type) { target in
      codes.withUnsafeBytes { source in
        guard let bytes = target.bindMemory(to: UInt8.self).baseAddress,
          let first = source.bindMemory(to: UInt8.self).baseAddress
        else { return }
        pack(first, count: codes.count, bits: type.bitWidth, into: bytes)
      }
    }
  }

  /// A tensor with a code in each byte, of type `int8` or `uint8`, from one of packed integers.
  static func unpacked(_ packed: Tensor) -> Tensor {
    let isSigned = packed.elementType.integerRange.map { $0.lowerBound < 0 } ?? false
    return Tensor(packed.shape, isSigned ? .int8 : .uint8) { target in
      packed.withUnsafeBytes { source in
        guard let codes = target.bindMemory(to: UInt8.self).baseAddress,
          let bytes = source.bindMemory(to: UInt8.self).baseAddress
        else { return }
        unpack(
          bytes, count: packed.count, bits: packed.elementType.bitWidth, isSigned: isSigned,
          into: codes)
      }
    }
  }
}
