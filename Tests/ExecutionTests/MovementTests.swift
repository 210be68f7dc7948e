import Execution
import Graphs
import Tensors
import Testing
import _TestSupport

@Suite struct MovementTests {
  // MARK: - Against an index-by-index reference

  /// The element of `x` at an index.
  private func element(_ x: [Float], _ shape: Shape, _ index: [Int]) -> Float {
    x[zip(index, shape.strides).reduce(0) { $0 + $1.0 * $1.1 }]
  }

  private func indices(_ shape: Shape) -> [[Int]] {
    (0..<shape.count).map { place in
      zip(shape.strides, shape.dimensions).map { place / $0 % $1 }
    }
  }

  @Test(
    arguments: [
      ([2, 3], [1, 0]), ([2, 3, 4], [2, 0, 1]), ([2, 3, 4], [0, 2, 1]),
      ([1, 5, 1, 4], [3, 0, 1, 2]),
      ([70, 3, 50], [2, 1, 0]), ([40, 41, 33], [1, 2, 0]), ([0, 3], [1, 0]), ([300, 200], [1, 0]),
    ] as [([Int], [Int])])
  func transposeMovesEveryElement(_ lengths: [Int], _ order: [Int]) throws {
    let x = counting(Shape(lengths))
    let y = try applySingle("Transpose", [x], ["perm": .ints(order)])
    let elements = x.elements(of: Float.self)
    let expected = indices(y.shape).map { index in
      var source = [Int](repeating: 0, count: order.count)
      for (axis, from) in order.enumerated() { source[from] = index[axis] }
      return element(elements, x.shape, source)
    }
    #expect(y.shape.dimensions == order.map { lengths[$0] })
    #expect(y.elements(of: Float.self) == expected)
  }

  @Test(arguments: ElementType.allCases) func transposeTwiceChangesNothing(
    _ type: ElementType
  ) throws {
    let bytes = (0..<type.byteCount(of: 24)).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
    let x = constant(bytes, [2, 3, 4], type)
    let y = try applySingle("Transpose", [x], ["perm": .ints([2, 0, 1])])
    let z = try applySingle("Transpose", [y], ["perm": .ints([1, 2, 0])])
    #expect(y.shape == [4, 2, 3])
    #expect(z.isIdentical(to: x))
  }

  /// A tensor of the given bytes.
  private func constant(_ bytes: [UInt8], _ shape: Shape, _ type: ElementType) -> Tensor {
    Tensor(shape, type) { $0.copyBytes(from: type == .bool ? bytes.map { $0 & 1 } : bytes) }
  }

  @Test(
    arguments: [
      ([0, 0], [3, 4], [1, 1]), ([1, 3], [3, 0], [1, -1]), ([-1, -2], [-100, -100], [-1, -1]),
      ([0, 1], [100, 100], [2, 3]), ([2, 0], [1, 4], [1, 1]),
      ([Int.min, Int.max], [Int.max, Int.min], [Int.max, Int.min]),
    ] as [([Int], [Int], [Int])])
  func sliceTakesEveryStep(_ starts: [Int], _ ends: [Int], _ steps: [Int]) throws {
    let x = counting([3, 4])
    let y = try applySingle(
      "Slice",
      [x] + [starts, ends, [0, 1], steps].map { Tensor($0.map { Int64($0) }) })
    /// What Python's `range(length)[start:end:step]` is.
    func taken(_ axis: Int) -> [Int] {
      let length = x.shape[axis]
      let step = steps[axis]
      func clamped(_ index: Int) -> Int {
        let index = index < 0 ? index + length : index
        return step > 0 ? min(max(index, 0), length) : min(max(index, -1), length - 1)
      }
      let start = step > 0 ? clamped(starts[axis]) : max(clamped(starts[axis]), 0)
      let end = clamped(ends[axis])
      var result: [Int] = []
      var index = start
      while step > 0 ? index < end : index > end {
        result.append(index)
        let (next, overflow) = index.addingReportingOverflow(step)
        if overflow { break }
        index = next
      }
      return result
    }
    let expected = taken(0).flatMap { row in taken(1).map { Float(row * 4 + $0) } }
    #expect(y.shape == [taken(0).count, taken(1).count])
    #expect(y.elements(of: Float.self) == expected)
  }

  @Test(arguments: [-2, 0, 1, 2]) func splitAndConcatAreReverses(_ axis: Int) throws {
    let x = counting([4, 6, 2])
    let rest = x.shape[axis] - 1
    let parts = try apply("Split", [x, list(1, rest)], ["axis": .int(axis)], outputCount: 2)
    #expect(parts[0].shape[axis] == 1)
    let whole = try applySingle("Concat", parts, ["axis": .int(axis)])
    #expect(whole.isIdentical(to: x))
  }

  @Test func splitEndsShort() throws {
    let parts = try apply(
      "Split", [counting([7])], ["num_outputs": .int(3)], outputCount: 3)
    #expect(parts.map(\.count) == [3, 3, 1])
    #expect(parts[2].elements(of: Float.self) == [6])
  }

  @Test func depthToSpaceAndBack() throws {
    let x = counting([2, 8, 3, 5])
    let y = try applySingle("DepthToSpace", [x], ["blocksize": .int(2)])
    #expect(y.shape == [2, 2, 6, 10])
    #expect(try applySingle("SpaceToDepth", [y], ["blocksize": .int(2)]).isIdentical(to: x))
    let byColumn = try applySingle(
      "DepthToSpace", [counting([1, 4, 1, 1])],
      ["blocksize": .int(2), "mode": .string("CRD")])
    #expect(byColumn.elements(of: Float.self) == [0, 1, 2, 3])
  }

  // MARK: - Indices

  @Test func gatherTakesSlices() throws {
    let x = counting([3, 2])
    let y = try applySingle(
      "Gather", [x, Tensor([Int64(2), -3, 0, 2], shape: [2, 2])], ["axis": .int(0)])
    #expect(y.shape == [2, 2, 2])
    #expect(y.elements(of: Float.self) == [4, 5, 0, 1, 0, 1, 4, 5])
    let columns = try applySingle("Gather", [x, Tensor([Int32(1)])], ["axis": .int(-1)])
    #expect(columns.elements(of: Float.self) == [1, 3, 5])
  }

  /// Tables of a file may lie anywhere in it.
  @Test(arguments: [ElementType.uint8, .float16, .float32, .int64], 0..<8)
  func gatherReadsTablesAtAnyAddress(_ type: ElementType, _ offset: Int) throws {
    let bytes = (0..<256).map { UInt8($0) }
    let folder = try TemporaryFolder()
    let file = try MappedFile(path: try folder.write(bytes, to: "table"))
    let table = Tensor([10, 3], type, in: file, byteOffset: offset)
    let size = type.byteCount(of: 1)
    let rows = try applySingle("Gather", [table, list(7, 0, 9)])
    let expected = [7, 0, 9].flatMap { bytes[(offset + $0 * 3 * size)...].prefix(3 * size) }
    #expect(rows.withUnsafeBytes { Array($0) } == expected)
    let column = try applySingle("Gather", [table, list(2)], ["axis": .int(1)])
    let elements = (0..<10).flatMap { bytes[(offset + ($0 * 3 + 2) * size)...].prefix(size) }
    #expect(column.withUnsafeBytes { Array($0) } == elements)
  }

  @Test func gatherNamesTheWrongIndex() {
    let text = message {
      _ = try applySingle("Gather", [counting([3, 2]), list(0, 3)])
    }
    #expect(text == "node: index 3 at position 1 is out of range; must be -3 to 2")
  }

  @Test func gatherOfPackedIntegers() throws {
    let x = try applySingle(
      "Cast", [Tensor([Int8(-8), 7, 3, -1, 0, 5], shape: [3, 2])], ["to": .int(22)])
    let y = try applySingle("Gather", [x, list(2, 0)])
    #expect(y.elementType == .int4)
    #expect(y.integers() == [0, 5, -8, 7])
  }

  @Test func scatterReversesGather() throws {
    let x = counting([4, 3])
    let places = Tensor([Int64(3), 0, 1, 2], shape: [4, 1])
    let rows = try applySingle("GatherND", [x, places])
    let back = try applySingle("ScatterND", [Tensor.zeros([4, 3], .float32), places, rows])
    #expect(back.isIdentical(to: x))
  }

  @Test(
    arguments: [
      ("none", [7, 2, 9, 4]), ("add", [13, 2, 12, 4]), ("mul", [35, 2, 27, 4]),
      ("max", [7, 2, 9, 4]), ("min", [1, 2, 3, 4]),
    ] as [(String, [Int32])])
  func scatterReduces(_ reduction: String, _ expected: [Int32]) throws {
    let y = try applySingle(
      "ScatterElements", [Tensor([Int32(1), 2, 3, 4]), list(0, 2, -4), Tensor([Int32(5), 9, 7])],
      ["reduction": .string(reduction)])
    #expect(y.elements(of: Int32.self) == expected)
  }

  // MARK: - Filling

  @Test(
    arguments: [
      ("constant", [9, 9, 0, 1, 2, 9]), ("edge", [0, 0, 0, 1, 2, 2]),
      ("reflect", [2, 1, 0, 1, 2, 1]),
      ("wrap", [1, 2, 0, 1, 2, 0]),
    ] as [(String, [Float])])
  func padFills(_ mode: String, _ expected: [Float]) throws {
    let value = mode == "constant" ? Tensor(scalar: Float(9)) : nil
    let y = try applySingle(
      "Pad", [counting([3]), list(2, 1), value], ["mode": .string(mode)])
    #expect(y.elements(of: Float.self) == expected)
  }

  @Test func padReflectsAgainAndAgain() throws {
    let y = try applySingle("Pad", [counting([3]), list(0, 6)], ["mode": .string("reflect")])
    #expect(y.elements(of: Float.self) == [0, 1, 2, 1, 0, 1, 2, 1, 0])
  }

  @Test func negativePadsCut() throws {
    let y = try applySingle("Pad", [counting([2, 4]), list(-1, 1), nil, list(1)])
    #expect(y.elements(of: Float.self) == [1, 2, 3, 0, 5, 6, 7, 0])
  }

  @Test func triangles() throws {
    let x = Tensor((1...6).map { Int64($0) }, shape: [2, 3])
    let upper = try applySingle("Trilu", [x, Tensor(scalar: Int64(1))])
    #expect(upper.elements(of: Int64.self) == [0, 2, 3, 0, 0, 6])
    let lower = try applySingle("Trilu", [x], ["upper": .int(0)])
    #expect(lower.elements(of: Int64.self) == [1, 0, 0, 4, 5, 0])
    let none = try applySingle("Trilu", [x, Tensor(scalar: Int64.max)])
    #expect(none.elements(of: Int64.self) == [0, 0, 0, 0, 0, 0])
  }

  @Test func tileAndExpandRepeat() throws {
    let x = Tensor([Int16(1), 2], shape: [2, 1])
    #expect(
      try applySingle("Tile", [x, list(1, 3)]).elements(of: Int16.self) == [1, 1, 1, 2, 2, 2])
    #expect(
      try applySingle("Expand", [x, list(2, 1, 2)]).elements(of: Int16.self)
        == [1, 1, 2, 2, 1, 1, 2, 2])
  }

  // MARK: - Made up

  @Test func ranges() throws {
    let y = try applySingle(
      "Range", [Tensor(scalar: Int32(10)), Tensor(scalar: Int32(4)), Tensor(scalar: Int32(-3))])
    #expect(y.elements(of: Int32.self) == [10, 7])
    let none = try applySingle(
      "Range", [Tensor(scalar: Float(1)), Tensor(scalar: Float(1)), Tensor(scalar: Float(1))])
    #expect(none.count == 0)
  }

  @Test func oneHotLeavesWrongIndicesOff() throws {
    let y = try applySingle(
      "OneHot", [list(1, -1, 3), Tensor(scalar: Int64(3)), Tensor([Float(0), 5])])
    #expect(y.elements(of: Float.self) == [0, 5, 0, 0, 0, 5, 0, 0, 0])
  }

  // MARK: - Hostile targets

  @Test(
    arguments: [
      ("Expand", [1 << 50]), ("Tile", [1 << 50]), ("Expand", [1 << 31, 1 << 31]),
      ("Expand", [-1]), ("Tile", [-1]), ("ConstantOfShape", [1 << 40]),
      ("ConstantOfShape", [1 << 62, 1 << 62]), ("Reshape", [1 << 62, 1 << 62]),
      ("Pad", [0, 1 << 60]),
    ] as [(String, [Int])])
  func hugeResultsAreRefused(_ operation: String, _ numbers: [Int]) {
    let target = Tensor(numbers.map { Int64($0) })
    let inputs = operation == "ConstantOfShape" ? [target] : [counting([1]), target]
    let text = message { _ = try applySingle(OperatorName(operation), inputs) }
    #expect(text.hasPrefix("node: "))
  }

  @Test func hugeRangesAreRefused() {
    let text = message {
      _ = try applySingle(
        "Range", [Int64(0), Int64.max, 1].map { Tensor(scalar: $0) })
    }
    #expect(text.hasPrefix("node: "))
    #expect(text.contains("more"))
  }
}
