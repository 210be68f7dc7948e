import CKernels
import Testing

/// Copies between arrays that lie differently, and packing of codes that are computed in the run.
@Suite struct KernelsCopyTests {
  /// Axes as lengths and elements from neighbour to neighbour on both sides; all of the target is written.
  private static let copies: [[(Int, Int, Int)]] = [
    [], [(1, 1, 1)], [(7, 1, 1)], [(5, 0, 1)], [(5, -1, 1)], [(9, 3, 1)], [(0, 1, 1)],
    [(3, 5, 5), (5, 1, 1)], [(5, 1, 3), (3, 5, 1)], [(67, 1, 131), (131, 67, 1)],
    [(130, 1, 64), (64, 130, 1)], [(3, 1, 200), (200, 3, 1)], [(200, 1, 3), (3, 200, 1)],
    [(4, 0, 6), (6, 1, 1)], [(4, 1, 6), (6, 0, 1)], [(6, -1, 33), (33, 6, 1)],
    [(33, 1, 6), (6, -33, 1)], [(2, 60, 60), (5, 1, 12), (12, 5, 1)],
    [(3, 1, 40), (4, 3, 10), (10, 12, 1)], [(17, 4, 36), (9, 68, 4), (4, 1, 1)],
    [
      (2, 1, 6561), (3, 2, 2187), (3, 6, 729), (9, 18, 81), (9, 162, 9), (3, 1458, 3), (3, 4374, 1),
    ],
    [(40, 1, 1000), (50, 800, 20), (20, 40, 1)],
  ]

  private func check<Element: FixedWidthInteger & BitwiseCopyable>(
    _ table: Table, _ axes: [(Int, Int, Int)], _: Element.Type
  ) {
    let count = axes.reduce(1) { $0 * $1.0 }
    let reach = axes.reduce(0) { $0 + ($1.0 - 1) * abs($1.1) } + 1
    // Where an axis runs backwards, index 0 is its end.
    let origin = axes.reduce(0) { $0 + ($1.1 < 0 ? ($1.0 - 1) * -$1.1 : 0) }
    let x = Guarded(
      (0..<max(reach, 1)).map { (place: Int) in Element(truncatingIfNeeded: place &* 2_654_435_761)
      })
    let y = Guarded<Element>(count)
    var copy = tk_strided_copy()
    copy.element = MemoryLayout<Element>.stride
    copy.rank = axes.count
    copy.x = UnsafeRawPointer(x.pointer + origin)
    copy.y = UnsafeMutableRawPointer(y.pointer)
    withUnsafeMutableBytes(of: &copy.axes) { memory in
      for (index, axis) in axes.enumerated() {
        memory.bindMemory(to: tk_copy_axis.self)[index] = tk_copy_axis(
          length: axis.0, x: axis.1, y: axis.2)
      }
    }
    tk_run_copy(table.pointer, &copy)
    for index in 0..<count {
      var (rest, from, to) = (index, origin, 0)
      for axis in axes.reversed() {
        from += rest % axis.0 * axis.1
        to += rest % axis.0 * axis.2
        rest /= axis.0
      }
      if y.pointer[to] != x.pointer[from] {
        Issue.record("element \(index) of \(axes)")
        return
      }
    }
  }

  @Test(arguments: Table.all, copies.indices) func copiesAlongAxes(_ table: Table, _ index: Int) {
    check(table, Self.copies[index], UInt8.self)
    check(table, Self.copies[index], UInt16.self)
    check(table, Self.copies[index], UInt32.self)
    check(table, Self.copies[index], UInt64.self)
  }

  /// Packed as weights of codes less 128 are.
  @Test(arguments: Table.all, ByteFill.allCases)
  func packsCodes(_ table: Table, _ fill: ByteFill) {
    for (k, n) in [
      (0, 3), (1, 1), (3, 5), (4, 32), (5, 33), (8, 31), (32, 64), (37, 70), (64, 7), (128, 32),
    ] {
      for (isTransposed, spare) in [(false, 0), (false, 3), (true, 0), (true, 3), (true, 4)] {
        let (rows, columns) = isTransposed ? (n, k) : (k, n)
        let stride = columns + spare
        let codes = Guarded(fill.values(rows * stride))
        let signed = codes.array.map { Int8(bitPattern: $0 ^ 0x80) }
        let count = tk_u8s8_packed_count(1, k, n)
        let (expected, found) = (Packed<Int8>(count), Packed<Int8>(count))
        let (sums, others) = (Guarded<Int32>(n), Guarded<Int32>(n))
        tk_table_for(TK_SCALAR)!.pointee.u8s8_pack(
          signed, 1, k, n, stride, isTransposed, expected.pointer, sums.pointer)
        tk_u8_pack(
          table.pointer, codes.pointer, k, n, stride, isTransposed, found.pointer, others.pointer)
        #expect(found.array == expected.array, "\(k) \(n) \(isTransposed) \(spare)")
        #expect(others.array == sums.array, "\(k) \(n) \(isTransposed) \(spare)")
      }
    }
  }
}
