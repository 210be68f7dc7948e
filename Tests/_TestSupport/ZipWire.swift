/// Zip archives by hand, right or wrong, of one packed member.
package enum ZipWire {
  /// An archive whose member says that it unpacks to `byteCount` bytes, with no checksum.
  package static func archive(_ name: String, packed: Bytes, byteCount: Int) -> Bytes {
    var fields: Bytes = [20, 0, 0, 0, 8, 0, 0, 0, 0, 0]
    for number in [0, packed.count, byteCount] { fields += Wire.littleEndian(UInt32(number)) }
    fields += Wire.littleEndian(UInt16(name.utf8.count))
    var bytes: Bytes = [0x50, 0x4B, 3, 4] + fields + [0, 0] + Bytes(name.utf8) + packed
    let directory = bytes.count
    bytes += [0x50, 0x4B, 1, 2, 20, 0] + fields + Bytes(repeating: 0, count: 16)
    bytes += Bytes(name.utf8)
    let length = bytes.count - directory
    bytes += [0x50, 0x4B, 5, 6, 0, 0, 0, 0, 1, 0, 1, 0]
    for number in [length, directory] { bytes += Wire.littleEndian(UInt32(number)) }
    return bytes + [0, 0]
  }

  /// Content in blocks that are not compressed (RFC 1951, 3.2.4).
  package static func stored(_ content: Bytes, isWhole: Bool = true) -> Bytes {
    stride(from: 0, to: content.count, by: 0xFFFF).flatMap { start in
      let block = content[start..<min(start + 0xFFFF, content.count)]
      let isLast = isWhole && start + block.count == content.count
      let count = UInt16(block.count)
      return [isLast ? 1 : 0] + Wire.littleEndian(count) + Wire.littleEndian(~count) + block
    }
  }

  /// An `.npz` with one array whose header can be unpacked, and 1 KiB of its data, and no more: what follows is no block.
  ///
  /// It is as long as honestly packed zeros would be. Elements are of 4 bytes.
  package static func unreadableArray(
    _ name: String, _ shape: [Int], type: String = "<f4"
  ) -> Bytes {
    let lengths = shape.map { "\($0)," }.joined(separator: " ")
    let text = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(lengths))}\n"
    let header =
      [0x93] + Bytes("NUMPY".utf8) + [1, 0] + Wire.littleEndian(UInt16(text.utf8.count))
      + Bytes(text.utf8)
    let byteCount = header.count + 4 * shape.reduce(1, *)
    let packed =
      stored(header + Bytes(repeating: 0, count: 1024), isWhole: false)
      + Bytes(repeating: 0xFF, count: byteCount / 1032 + 1)
    return archive(name + ".npy", packed: packed, byteCount: byteCount)
  }
}
