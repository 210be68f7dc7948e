/// Protobuf bytes by hand, right or wrong: a message is its fields' bytes, one after the other.
package typealias Bytes = [UInt8]

package enum Wire {
  package static func varint(_ value: UInt64) -> Bytes {
    value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f) | 0x80] + varint(value >> 7)
  }

  package static func int(_ field: UInt64, _ value: Int) -> Bytes {
    varint(field << 3) + varint(UInt64(bitPattern: Int64(value)))
  }

  package static func bytes(_ field: UInt64, _ bytes: Bytes) -> Bytes {
    varint(field << 3 | 2) + varint(UInt64(bytes.count)) + bytes
  }

  package static func text(_ field: UInt64, _ text: String) -> Bytes {
    bytes(field, Bytes(text.utf8))
  }

  package static func float(_ field: UInt64, _ value: Float) -> Bytes {
    varint(field << 3 | 5) + littleEndian(value.bitPattern)
  }

  package static func littleEndian(_ value: some FixedWidthInteger) -> Bytes {
    withUnsafeBytes(of: value.littleEndian, Bytes.init)
  }

  package static func floats(_ values: [Float]) -> Bytes {
    values.flatMap { littleEndian($0.bitPattern) }
  }
}

/// Messages of ONNX files, written independently of the reader under test: field numbers from `onnx.proto`.
package enum ONNXWire {
  package static func opset(_ version: Int, _ domain: String = "") -> Bytes {
    Wire.bytes(8, (domain.isEmpty ? [] : Wire.text(1, domain)) + Wire.int(2, version))
  }

  package static func model(_ graph: Bytes, opset version: Int = 17) -> Bytes {
    Wire.int(1, 8) + Wire.bytes(7, graph) + opset(version)
  }

  /// A graph that lets `x` through a `Relu` to `y`, with more fields.
  package static func graph(_ more: Bytes = []) -> Bytes {
    node("Relu", ["x"], ["y"]) + Wire.text(2, "g") + value(11, "x", [2]) + value(12, "y", [2])
      + more
  }

  package static func value(_ field: UInt64, _ name: String, _ lengths: [Int], type: Int = 1)
    -> Bytes
  {
    let shape = lengths.flatMap { Wire.bytes(1, Wire.int(1, $0)) }
    return Wire.bytes(
      field,
      Wire.text(1, name)
        + Wire.bytes(2, Wire.bytes(1, Wire.int(1, type) + Wire.bytes(2, shape))))
  }

  package static func node(
    _ type: String, _ inputs: [String], _ outputs: [String], name: String = "",
    _ attributes: [Bytes] = []
  ) -> Bytes {
    Wire.bytes(
      1,
      inputs.flatMap { Wire.text(1, $0) } + outputs.flatMap { Wire.text(2, $0) }
        + (name.isEmpty ? [] : Wire.text(3, name)) + Wire.text(4, type)
        + attributes.flatMap { Wire.bytes(5, $0) })
  }

  package static func attribute(_ name: String, type: Int, _ value: Bytes = []) -> Bytes {
    Wire.text(1, name) + value + (type == 0 ? [] : Wire.int(20, type))
  }

  package static func tensor(_ name: String, _ lengths: [Int], type: Int = 1, _ data: Bytes)
    -> Bytes
  {
    lengths.flatMap { Wire.int(1, $0) } + Wire.int(2, type) + Wire.text(8, name) + data
  }

  package static func initializer(
    _ name: String, _ lengths: [Int], type: Int = 1, _ data: Bytes
  ) -> Bytes { Wire.bytes(5, tensor(name, lengths, type: type, data)) }

  package static func external(_ entries: [(String, String)]) -> Bytes {
    entries.flatMap { Wire.bytes(13, Wire.text(1, $0.0) + Wire.text(2, $0.1)) } + Wire.int(14, 1)
  }
}
