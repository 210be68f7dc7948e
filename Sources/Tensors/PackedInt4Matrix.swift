import CKernels

/// Weights of 4 bits with a scale for each group of inputs and each output, laid out once for the kernels; see
/// ``Kernels/multiply(_:stride:rows:_:rounded:bias:clamp:into:stride:)``.
///
/// `weight = scale × (code − zero point)`, codes 0…15.
package final class PackedInt4Matrix: @unchecked Sendable {
  /// The length of the sum.
  package let rows: Int
  /// The number of outputs.
  package let columns: Int
  /// How many inputs share a scale; the last group of a column may be shorter.
  package let groupSize: Int
  /// Whether groups have zero points; else they are 8.
  package let hasZeroPoints: Bool
  private let storage: PackedMemory<UInt8>
  var memory: UnsafeMutablePointer<UInt8> { storage.start }

  /// Packs weights, on several threads.
  ///
  /// - Parameters:
  ///   - rows: the length of the sum.
  ///   - columns: the number of outputs.
  ///   - groupSize: a multiple of 8, or at least `rows`: one group.
  ///   - scales: [columns, groups of a column].
  ///   - zeroPoints: likewise, any finite number each; nil for 8.
  ///   - memory: where the packed weights go.
  ///   - codes: writes the `rows` codes of a column, one a byte. Called on several threads.
  package init(
    rows: Int, columns: Int, groupSize: Int, scales: [Float], zeroPoints: [Float]? = nil,
    in memory: WeightMemory? = nil,
    codes: @Sendable (_ column: Int, _ target: UnsafeMutablePointer<UInt8>) -> Void
  ) {
    precondition(rows > 0 && columns > 0, "a matrix of \(rows) × \(columns)")
    precondition(
      groupSize > 0 && (groupSize % 8 == 0 || groupSize >= rows), "groups of \(groupSize)")
    let groups = (rows - 1) / groupSize + 1
    precondition(scales.count == columns * groups, "\(scales.count) scales")
    precondition(zeroPoints.map { $0.count == scales.count } ?? true, "zero points")
    self.rows = rows
    self.columns = columns
    self.groupSize = min(groupSize, (rows + 7) / 8 * 8)
    hasZeroPoints = zeroPoints != nil
    storage = PackedMemory(
      tk_q4_packed_count(rows, columns, self.groupSize, hasZeroPoints), in: memory)
    pack(scales, zeroPoints, groups, codes)
  }

  /// Panel by panel, so that few codes are held as bytes at a time.
  private func pack(
    _ scales: [Float], _ zeroPoints: [Float]?, _ groups: Int,
    _ codes: @Sendable (Int, UnsafeMutablePointer<UInt8>) -> Void
  ) {
    let width = Int(TK_PANEL)
    let panelBytes = tk_q4_packed_count(rows, width, groupSize, hasZeroPoints)
    let pack = Kernels.table.pointee.q4_pack
    parallelFor((columns + width - 1) / width) { panel in
      let (first, count) = (panel * width, min(width, columns - panel * width))
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count * rows) { bytes in
        let start = bytes.baseAddress!
        for column in 0..<count { codes(first + column, start + column * rows) }
        scales.withUnsafeBufferPointer { scales in
          (zeroPoints ?? []).withUnsafeBufferPointer { zeroPoints in
            pack(
              start, scales.baseAddress! + first * groups,
              hasZeroPoints ? zeroPoints.baseAddress! + first * groups : nil, rows, count, rows,
              groupSize, true, memory + panel * panelBytes)
          }
        }
      }
    }
  }

  /// The bytes it holds, scales among them.
  package var byteCount: Int { tk_q4_packed_count(rows, columns, groupSize, hasZeroPoints) }
}
