import Graphs
import Tensors

/// Each input element, times the kernel, added to the output where the kernel lies.
func transposedConvolution(_ op: ConvTranspose, _ call: OperatorCall) throws -> Tensor {
  let shape = try call.outputShape(of: op)
  try call.floats(0, 1, 2)
  let (x, w) = (try call.input(0), try call.input(1))
  let axes = try op.axes(
    input: Array(x.shape.dimensions.dropFirst(2)), kernel: Array(w.shape.dimensions.dropFirst(2)))
  let scatter = ScatteredKernels(
    batch: x.shape[0], channels: x.shape[1], outputs: shape[1], group: op.settings.group,
    axes: axes)
  return x.withElements(of: Float.self) { x in
    w.withElements(of: Float.self) { w in
      call.output(shape, of: Float.self) { y in
        func run(_ bias: UnsafePointer<Float>?) {
          guard y.count > 0, x.count > 0, w.count > 0 else {
            return y.update(repeating: 0)
          }
          scatter.run(x.baseAddress!, w.baseAddress!, bias, y.baseAddress!)
        }
        if let bias = call[2] {
          bias.withElements(of: Float.self) { run($0.baseAddress) }
        } else {
          run(nil)
        }
      }
    }
  }
}

/// A transposed convolution: a product of weights and input, then sums of what falls on one output element.
private struct ScatteredKernels {
  let batch, channels, outputs, group: Int
  /// The window's way over the output: `input` is the output's length, `output` the input's.
  let axes: [SlidingWindow.Axis]

  private var pixels: Int { axes.reduce(1) { $0 * $1.output } }
  private var positions: Int { axes.reduce(1) { $0 * $1.input } }
  private var taps: Int { axes.reduce(1) { $0 * $1.kernel } }

  func run(
    _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ bias: UnsafePointer<Float>?,
    _ y: UnsafeMutablePointer<Float>
  ) {
    let (perGroup, outputsPerGroup) = (channels / group, outputs / group)
    let rows = outputsPerGroup * taps
    let landings = self.landings()
    MatrixProduct.withScratch(rows * pixels) { products in
      for index in 0..<(batch * group) {
        let g = index % group
        // products[output · tap, pixel] = Σ over channels of w[channel, output · tap] · x[channel, pixel]
        MatrixProduct.multiply(
          .init(elements: w + g * perGroup * rows, isTransposed: true),
          .init(elements: x + index * perGroup * pixels), rows: rows, inner: perGroup,
          columns: pixels, into: products)
        parallelFor(outputsPerGroup) { output in
          let target = y + (index * outputsPerGroup + output) * positions
          target.update(
            repeating: bias?[g * outputsPerGroup + output] ?? 0, count: positions)
          let source = products + output * taps * pixels
          for (item, landing) in landings.enumerated() where landing >= 0 {
            target[landing] += source[item]
          }
        }
      }
    }
  }

  /// Where the product of each tap and pixel lands in the output, -1 for in the padding.
  private func landings() -> [Int] {
    (0..<(taps * pixels)).map { item in
      var (tap, pixel, landing, stride) = (item / pixels, item % pixels, 0, 1)
      for axis in axes.reversed() {
        let index =
          pixel % axis.output * axis.stride + tap % axis.kernel * axis.dilation - axis.padBegin
        guard index >= 0, index < axis.input else { return -1 }
        landing += index * stride
        stride *= axis.input
        pixel /= axis.output
        tap /= axis.kernel
      }
      return landing
    }
  }
}
