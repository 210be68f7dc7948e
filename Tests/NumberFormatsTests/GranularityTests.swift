import NumberFormats
import Tensors
import Testing

@Suite struct GranularityTests {
  static let shapes: [Shape] = [
    [7], [5, 6], [3, 4, 5], [2, 3, 5, 7], [1, 33], [33, 1], [4, 17, 20],
  ]

  static func granularities(of shape: Shape) -> [Granularity] {
    let axes = Array(-shape.rank..<shape.rank)
    return [.perTensor] + axes.map { .perChannel(axis: $0) }
      + axes.flatMap { axis in [1, 2, 4, 100].map { .perGroup(size: $0, axis: axis) } }
      + (shape.rank < 2
        ? [] : [.perBlock(rows: 2, columns: 3), .perBlock(rows: 100, columns: 1)])
  }

  /// The scale of an element, computed the long way from its coordinates.
  static func scaleIndex(
    _ granularity: Granularity, _ shape: Shape, _ index: [Int]
  ) -> Int {
    func flat(_ position: [Int], _ dimensions: [Int]) -> Int {
      zip(position, dimensions).reduce(0) { $0 * $1.1 + $1.0 }
    }
    var position = index
    switch granularity {
    case .perTensor: return 0
    case .perChannel(let axis): return index[axis < 0 ? axis + shape.rank : axis]
    case .perGroup(let size, let axis):
      position[axis < 0 ? axis + shape.rank : axis] /= size
    case .perBlock(let rows, let columns):
      position[shape.rank - 2] /= rows
      position[shape.rank - 1] /= columns
    }
    let scales = try? granularity.scaleShape(of: shape)
    return flat(position, scales?.dimensions ?? [])
  }

  static func index(_ offset: Int, _ shape: Shape) -> [Int] {
    zip(shape.strides, shape.dimensions).map { offset / $0 % $1 }
  }

  @Test(arguments: shapes) func everyElementIsInTheRegionOfItsScale(_ shape: Shape) throws {
    for granularity in Self.granularities(of: shape) {
      let regions = try granularity.regions(of: shape)
      #expect(regions.count == (try granularity.scaleShape(of: shape).count))
      var seen = [Int](repeating: -1, count: shape.count)
      for number in 0..<regions.count {
        let region = regions[number]
        for run in 0..<region.runCount {
          for i in 0..<region.runLength {
            let offset = region.start + run * region.runStride + i
            #expect(seen[offset] == -1)
            seen[offset] = number
          }
        }
      }
      let expected = (0..<shape.count).map {
        Self.scaleIndex(granularity, shape, Self.index($0, shape))
      }
      #expect(seen == expected, "\(granularity) of \(shape)")
    }
  }

  @Test(arguments: shapes) func columnsOfSlabsAreInTheRegionOfTheirScale(_ shape: Shape) throws {
    for granularity in Self.granularities(of: shape) {
      guard let slabs = try granularity.regions(of: shape).slabs else { continue }
      var seen = [Int](repeating: -1, count: shape.count)
      for slab in 0..<slabs.count {
        for row in slabs.rows(slab) {
          for column in 0..<slabs.width {
            #expect(seen[row + column] == -1)
            seen[row + column] = slab * slabs.regionCount + column / slabs.columnsPerRegion
          }
        }
      }
      let expected = (0..<shape.count).map {
        Self.scaleIndex(granularity, shape, Self.index($0, shape))
      }
      #expect(seen == expected, "\(granularity) of \(shape)")
    }
  }

  @Test func scaleShapesAreONNXs() throws {
    #expect(try Granularity.perTensor.scaleShape(of: [4, 5]) == [])
    #expect(try Granularity.perChannel(axis: 1).scaleShape(of: [4, 5]) == [5])
    #expect(try Granularity.perChannel(axis: -2).scaleShape(of: [4, 5]) == [4])
    #expect(try Granularity.perGroup(size: 32, axis: 0).scaleShape(of: [80, 6]) == [3, 6])
    #expect(
      try Granularity.perBlock(rows: 2, columns: 4).scaleShape(of: [3, 5, 9]) == [3, 3, 3])
  }

  @Test func emptyTensorsHaveNoRegionsButOnePerTensor() throws {
    #expect(try Granularity.perChannel(axis: 0).regions(of: [0, 4]).count == 0)
    #expect(try Granularity.perChannel(axis: 1).regions(of: [0, 4]).count == 4)
    #expect(try Granularity.perGroup(size: 2, axis: 1).regions(of: [3, 0]).count == 0)
    #expect(try Granularity.perTensor.regions(of: [0]).count == 1)
  }

  @Test func saysWhichAxisIsMissing() {
    #expect {
      try Granularity.perChannel(axis: 2).scaleShape(of: [4, 5])
    } throws: { "\($0)" == "perChannel(axis: 2): a tensor of shape [4, 5] has no such axis" }
    #expect {
      try Granularity.perBlock(rows: 2, columns: 2).scaleShape(of: [4])
    } throws: {
      "\($0)" == "perBlock(2x2) needs a tensor of two axes or more, not one of shape [4]"
    }
    #expect {
      try Granularity.perGroup(size: 0, axis: 0).scaleShape(of: [4])
    } throws: { "\($0)" == "perGroup(0, axis: 0): sizes must be at least 1" }
  }

  @Test(arguments: [
    Granularity.Kind.perTensor, .perChannel, .perGroup(size: 128), .perBlock(rows: 64, columns: 2),
  ])
  func nameRoundTrips(_ kind: Granularity.Kind) throws {
    #expect(try Granularity.Kind(name: kind.description) == kind)
  }

  @Test(arguments: [
    "", "pertensor", "perChannel(0)", "perGroup", "perGroup()", "perGroup(0)", "perGroup(-4)",
    "perGroup(+4)", "perGroup(4", "perGroup(4x4)", "perBlock(4)", "perBlock(4x)", "perBlock(4x4x4)",
    "perGroup(99999999999999999999)", "perGroup( 4)", "perGroup(٤)",
  ])
  func refusesOtherNames(_ name: String) {
    #expect {
      try Granularity.Kind(name: name)
    } throws: {
      "\($0)" == "'\(name)' is no granularity; must be perTensor, perChannel, perGroup(size) or "
        + "perBlock(rowsxcolumns), sizes at least 1"
    }
  }

  @Test func kindsFindTheirAxes() {
    #expect(Granularity.Kind.perTensor.granularity(outputAxis: 1, inputAxis: 0) == .perTensor)
    #expect(
      Granularity.Kind.perChannel.granularity(outputAxis: 1, inputAxis: 0) == .perChannel(axis: 1))
    #expect(
      Granularity.Kind.perGroup(size: 32).granularity(outputAxis: 1, inputAxis: 0)
        == .perGroup(size: 32, axis: 0))
  }
}
