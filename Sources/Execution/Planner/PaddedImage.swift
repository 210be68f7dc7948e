import Graphs

/// An image with room for the padding around it, so that a kernel's row is contiguous even at the border.
struct PaddedImage<Element> {
  let geometry: ConvolutionGeometry

  private var rows: SlidingWindow.Axis { geometry.axes[0] }
  private var columns: SlidingWindow.Axis { geometry.axes[1] }

  /// Whether a two-dimensional convolution has so few channels that a kernel's row, rather than its position, is worth a
  /// product of its own.
  static func isWorthIt(_ g: ConvolutionGeometry) -> Bool {
    g.groups == 1 && g.inputChannels <= 4 && g.axes[1].kernel > 1 && g.axes[1].dilation == 1
  }

  /// The elements of the padded image.
  var count: Int { height * rowCount }

  /// The rows that output pixels can reach, padding included, and the elements of each.
  private var height: Int { (rows.output - 1) * rows.stride + rows.reach }
  private var width: Int { (columns.output - 1) * columns.stride + columns.reach }
  private var rowCount: Int { width * geometry.inputChannels }

  /// Copies one image into the padded one; `target` is written whole.
  func fill(
    _ target: UnsafeMutablePointer<Element>, from image: UnsafePointer<Element>,
    padding: Element
  ) {
    let channels = geometry.inputChannels
    let left = min(columns.padBegin, width)
    let copied = max(min(columns.input, width - left), 0)
    for row in 0..<height {
      let start = target + row * rowCount
      let y = row - rows.padBegin
      guard y >= 0 && y < rows.input else {
        start.update(repeating: padding, count: rowCount)
        continue
      }
      let right = (left + copied) * channels
      start.update(repeating: padding, count: left * channels)
      (start + left * channels).update(
        from: image + y * columns.input * channels, count: copied * channels)
      (start + right).update(repeating: padding, count: rowCount - right)
    }
  }

  /// For each output pixel and each kernel row, where that row begins.
  func rowPointers(in padded: UnsafePointer<Element>) -> [UnsafePointer<Element>] {
    var pointers: [UnsafePointer<Element>] = []
    pointers.reserveCapacity(geometry.outputPixels * rows.kernel)
    for oy in 0..<rows.output {
      for ox in 0..<columns.output {
        for ky in 0..<rows.kernel {
          let y = oy * rows.stride + ky * rows.dilation
          pointers.append(
            padded + y * rowCount + ox * columns.stride * geometry.inputChannels)
        }
      }
    }
    return pointers
  }
}
