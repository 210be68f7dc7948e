package import Tensors

extension Tensor {
  /// Calls `body` with the elements of each region of a floating-point tensor, gathered as float32, on several threads.
  ///
  /// Peak memory is one region a thread. Throws ``NumberFormatError`` where the tensor lacks the axis or is not
  /// floating-point.
  package func forEachRegion(
    _ granularity: Granularity, _ body: (Int, UnsafeBufferPointer<Float>) -> Void
  ) throws {
    let regions = try granularity.regions(of: shape)
    guard regions.count > 0 else { return }
    let batch = max(FloatSource.chunk / max(regions[0].count, 1), 1)
    try FloatSource.with(self) { source in
      parallelFor((regions.count + batch - 1) / batch) { index in
        for number in (index * batch)..<min((index + 1) * batch, regions.count) {
          gathering(regions[number], of: source) { body(number, $0) }
        }
      }
    }
  }
}

private func gathering(
  _ region: Regions.Region, of source: FloatSource, _ body: (UnsafeBufferPointer<Float>) -> Void
) {
  if region.runCount == 1 {
    source.withFloats(region.start, region.runLength) {
      body(UnsafeBufferPointer(start: $0, count: region.runLength))
    }
    return
  }
  withUnsafeTemporaryAllocation(of: Float.self, capacity: max(region.count, 1)) { gathered in
    let target = gathered.baseAddress!
    for run in 0..<region.runCount {
      source.copy(
        region.start + run * region.runStride, region.runLength,
        to: target + run * region.runLength)
    }
    body(UnsafeBufferPointer(start: target, count: region.count))
  }
}
