public import Tensors

extension Tensor {
  /// The range of each region of a floating-point tensor, in the order of its scales; a region without elements gives 0.
  ///
  /// Throws ``NumberFormatError`` where the tensor lacks the axis, is not floating-point, or at the first number in row-major
  /// order that is not finite. O(n), on all threads.
  public func ranges(_ granularity: Granularity) throws -> [ValueRange] {
    let regions = try granularity.regions(of: shape)
    return try FloatSource.with(self) { source in
      let wrong: Int?
      var ranges = [ValueRange](repeating: ValueRange(0, 0), count: regions.count)
      if let slabs = regions.slabs {
        wrong = columnRanges(of: source, slabs, &ranges)
      } else if regions.count == 1 {
        wrong = wholeRange(of: source, regions[0], &ranges)
      } else {
        wrong = runRanges(of: source, regions, &ranges)
      }
      if let wrong {
        let value = source.withFloats(wrong, 1) { $0.pointee }
        throw NumberFormatError.notFinite(value, at: wrong, in: shape)
      }
      return ranges
    }
  }
}

/// The range of one region, whose chunks are shared out over threads.
private func wholeRange(
  of source: FloatSource, _ region: Regions.Region, _ ranges: inout [ValueRange]
) -> Int? {
  let chunk = FloatSource.chunk
  let perRun = (region.runLength + chunk - 1) / chunk
  var parts = [ValueRange](repeating: ValueRange(0, 0), count: region.runCount * perRun)
  let wrong = parts.withUnsafeMutableBufferPointer { parts in
    nonisolated(unsafe) let parts = parts
    return Regions.parallelLeast(parts.count) { index in
      let start = index % perRun * chunk
      let offset = region.start + index / perRun * region.runStride + start
      return add(source, offset, min(chunk, region.runLength - start), to: &parts[index])
    }
  }
  ranges[0] = parts.reduce(ValueRange(0, 0)) { $0.union($1) }
  return wrong
}

/// The ranges of many regions, batches of which are shared out over threads.
private func runRanges(
  of source: FloatSource, _ regions: Regions, _ ranges: inout [ValueRange]
) -> Int? {
  let batch = max(FloatSource.chunk / max(regions.count == 0 ? 1 : regions[0].count, 1), 1)
  return ranges.withUnsafeMutableBufferPointer { ranges in
    nonisolated(unsafe) let ranges = ranges
    return Regions.parallelLeast((regions.count + batch - 1) / batch) { index in
      var least: Int?
      for number in (index * batch)..<min((index + 1) * batch, regions.count) {
        let region = regions[number]
        for run in 0..<region.runCount {
          var (offset, rest) = (region.start + run * region.runStride, region.runLength)
          while rest > 0 {
            let size = min(rest, FloatSource.chunk)
            if let wrong = add(source, offset, size, to: &ranges[number]) {
              least = min(least ?? wrong, wrong)
            }
            (offset, rest) = (offset + size, rest - size)
          }
        }
      }
      return least
    }
  }
}

/// Widens `range` by a run; returns the offset of its first number that is not finite.
private func add(
  _ source: FloatSource, _ offset: Int, _ count: Int, to range: inout ValueRange
) -> Int? {
  source.withFloats(offset, count) { x in
    let found = Kernels.range(x, count: count)
    if let index = found.firstNonFinite { return offset + index }
    range = range.union(ValueRange(found.min, found.max))
    return nil
  }
}

/// The ranges of slabs' columns. Slabs are shared out over threads, or, where there is but one, blocks of its columns.
private func columnRanges(
  of source: FloatSource, _ slabs: Regions.Slabs, _ ranges: inout [ValueRange]
) -> Int? {
  let block =
    slabs.count > 1 ? slabs.width : (1024 / slabs.columnsPerRegion + 1) * slabs.columnsPerRegion
  let blocks = (slabs.width + block - 1) / block
  return ranges.withUnsafeMutableBufferPointer { ranges in
    nonisolated(unsafe) let ranges = ranges
    return Regions.parallelLeast(slabs.count * blocks) { index in
      let (slab, first) = (index / blocks, index % blocks * block)
      let count = min(block, slabs.width - first)
      return columnRanges(of: source, slabs, slab, first, count) { column, range in
        let region = slab * slabs.regionCount + (first + column) / slabs.columnsPerRegion
        ranges[region] = ranges[region].union(range)
      }
    }
  }
}

private func columnRanges(
  of source: FloatSource, _ slabs: Regions.Slabs, _ slab: Int, _ first: Int, _ count: Int,
  _ result: (_ column: Int, ValueRange) -> Void
) -> Int? {
  withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * max(count, 1)) { scratch in
    scratch.initialize(repeating: 0)
    let low = scratch.baseAddress!
    let high = low + count
    var least: Int?
    for row in slabs.rows(slab) {
      source.withFloats(row + first, count) { x in
        if let index = Kernels.range(x, count: count).firstNonFinite {
          least = min(least ?? .max, row + first + index)
        }
        for i in 0..<count {
          low[i] = x[i] < low[i] ? x[i] : low[i]
          high[i] = x[i] > high[i] ? x[i] : high[i]
        }
      }
    }
    guard least == nil else { return least }
    for column in 0..<count { result(column, ValueRange(low[column], high[column])) }
    return nil
  }
}
