import Graphs
import Tensors

extension ConvolutionGeometry {
  /// Whether the products of a two-dimensional convolution read the image, or a copy with the padding around it, with the
  /// pixels of a row one stride apart.
  ///
  /// Not where that copy would be much larger than the image, as wide strides and dilations of few pixels make it.
  var readsPaddedImage: Bool {
    guard axes.count == 2, inputChannels > 0 else { return false }
    var count = inputChannels
    for axis in axes {
      let (reach, tooFar) = (axis.output - 1).multipliedReportingOverflow(by: axis.stride)
      let (length, tooLong) = reach.addingReportingOverflow(axis.reach)
      let (product, tooMany) = count.multipliedReportingOverflow(by: length)
      if tooFar || tooLong || tooMany { return false }
      count = product
    }
    return count <= 4 * inputImage + 1 << 16
  }
}

/// The image that a two-dimensional convolution reads, with the padding around it where there is any: under each tap
/// the pixels of an output row so lie one stride apart, and a kernel's row is contiguous.
struct PaddedImage<Element> {
  let geometry: ConvolutionGeometry

  private var rows: SlidingWindow.Axis { geometry.axes[0] }
  private var columns: SlidingWindow.Axis { geometry.axes[1] }

  /// Whether the image itself will not do, because the kernel reaches over its borders.
  var isCopy: Bool {
    rows.padBegin > 0 || columns.padBegin > 0 || reach(rows) > rows.input
      || reach(columns) > columns.input
  }

  /// The elements of the copy.
  var count: Int { height * rowCount }

  /// The positions along an axis that output pixels can reach, padding included.
  private func reach(_ axis: SlidingWindow.Axis) -> Int {
    (axis.output - 1) * axis.stride + axis.reach
  }

  private var height: Int { reach(rows) }
  private var width: Int { isCopy ? reach(columns) : columns.input }
  private var rowCount: Int { width * geometry.inputChannels }

  /// What copies an image into the padded one; `target` is written whole.
  func copier(
    into target: UnsafeMutablePointer<Element>, padding: Element
  ) -> (UnsafePointer<Element>) -> Void {
    let source = Source<Element>()
    let loop = ParallelRanges(height, grain: max(1, (1 << 13) / rowCount)) { part in
      guard let image = source.image else { return }
      for row in part { copyRow(row, of: image, into: target, padding) }
    }
    return { image in
      source.image = image
      loop.run()
    }
  }

  /// The image that is being copied.
  private final class Source<Pixel> {
    var image: UnsafePointer<Pixel>?
  }

  private func copyRow(
    _ row: Int, of image: UnsafePointer<Element>, into target: UnsafeMutablePointer<Element>,
    _ padding: Element
  ) {
    let channels = geometry.inputChannels
    let left = min(columns.padBegin, width)
    let copied = max(min(columns.input, width - left), 0)
    let start = target + row * rowCount
    let y = row - rows.padBegin
    guard y >= 0 && y < rows.input else {
      start.update(repeating: padding, count: rowCount)
      return
    }
    let right = (left + copied) * channels
    start.update(repeating: padding, count: left * channels)
    (start + left * channels).update(
      from: image + y * columns.input * channels, count: copied * channels)
    (start + right).update(repeating: padding, count: rowCount - right)
  }

  /// For each output pixel and each of the product's taps, where the image begins that is multiplied with it.
  func tapPointers(in image: UnsafePointer<Element>) -> [UnsafePointer<Element>] {
    let channels = geometry.inputChannels
    let columnTaps = geometry.hasRowTaps ? 1 : columns.kernel
    var pointers: [UnsafePointer<Element>] = []
    pointers.reserveCapacity(geometry.outputPixels * rows.kernel * columnTaps)
    for oy in 0..<rows.output {
      for ox in 0..<columns.output {
        for ky in 0..<rows.kernel {
          let start = image + (oy * rows.stride + ky * rows.dilation) * rowCount
          for kx in 0..<columnTaps {
            pointers.append(start + (ox * columns.stride + kx * columns.dilation) * channels)
          }
        }
      }
    }
    return pointers
  }

  /// How many elements further right the next output pixel of a row reads.
  var pixelStride: Int { columns.stride * geometry.inputChannels }
}
