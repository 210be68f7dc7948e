import Graphs
import Tensors

/// Where the pixels under the kernel lie, for each of some output positions and each tap of an image with channels
/// innermost.
final class PixelPointers<Element>: @unchecked Sendable {
  /// The output positions, in order.
  let positions: Range<Int>
  /// One pointer per position and tap, as kernels take them.
  let first: UnsafePointer<UnsafePointer<Element>>
  /// What stands for pixels outside of the image.
  let padding: UnsafePointer<Element>

  /// About as many pointers as fit a core's cache beside the weights.
  private static var blockLength: Int { 1 << 17 }

  /// Runs of positions along the innermost axis, as many at a time as make a block.
  static func blocks(_ geometry: ConvolutionGeometry) -> [Range<Int>] {
    let length = geometry.axes[geometry.axes.count - 1].output
    let runs = geometry.outputPixels / length
    let perBlock = max(blockLength / (length * geometry.taps), 1)
    return stride(from: 0, to: runs, by: perBlock).map { $0..<min($0 + perBlock, runs) }
  }

  /// Pointers into images that begin at `base`, for some runs of positions along the innermost axis, or all; positions
  /// outside read `paddingValue` in every channel.
  init(
    _ geometry: ConvolutionGeometry, _ runs: Range<Int>? = nil, base: UnsafePointer<Element>,
    paddingValue: Element
  ) {
    // The innermost axis is walked over directly, the others for each run of positions along it.
    let inner = geometry.axes[geometry.axes.count - 1]
    let outer = geometry.outerAxes
    let (taps, channels) = (geometry.taps, geometry.inputChannels)
    let runs = runs ?? 0..<(geometry.outputPixels / inner.output)
    positions = (runs.lowerBound * inner.output)..<(runs.upperBound * inner.output)
    let padding = UnsafeMutablePointer<Element>.allocate(capacity: channels + MemoryPlan.margin)
    padding.initialize(repeating: paddingValue, count: channels + MemoryPlan.margin)
    self.padding = UnsafePointer(padding)
    let memory = UnsafeMutablePointer<UnsafePointer<Element>>.allocate(
      capacity: max(taps * positions.count, 1))
    first = UnsafePointer(memory)
    parallelFor(runs.count) { run in
      for tap in 0..<(taps / inner.kernel) {
        let start = outer.pixel(at: runs.lowerBound + run, tap: tap).map {
          base + $0 * inner.input * channels
        }
        for column in 0..<inner.output {
          let target = memory + (run * inner.output + column) * taps + tap * inner.kernel
          for k in 0..<inner.kernel {
            let index = column * inner.stride + k * inner.dilation - inner.padBegin
            let isInside = index >= 0 && index < inner.input
            (target + k).initialize(
              to: isInside
                ? start.map { $0 + index * channels } ?? UnsafePointer(padding)
                : UnsafePointer(padding))
          }
        }
      }
    }
  }

  deinit {
    first.deallocate()
    padding.deallocate()
  }
}
