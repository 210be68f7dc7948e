package import Tensors

/// Which channel each element of a weight tensor belongs to: the elements lie as `[groups, rows, channels, inner]`.
///
/// The channel is `group · channels + channel within the group`. One layout describes the weights of a node by output
/// channel, another by input channel.
package struct ChannelLayout: Hashable, Sendable {
  package var groups: Int
  package var rows: Int
  /// The number of channels in each group.
  package var channels: Int
  package var inner: Int

  package init(groups: Int = 1, rows: Int = 1, channels: Int, inner: Int = 1) {
    (self.groups, self.rows, self.channels, self.inner) = (groups, rows, channels, inner)
  }

  /// The number of all channels.
  package var count: Int { groups * channels }

  /// Calls `body` with each run of elements of one channel, in memory order.
  package func forEachRun(_ body: (_ channel: Int, _ elements: Range<Int>) -> Void) {
    var start = 0
    for group in 0..<groups {
      for _ in 0..<rows {
        for channel in 0..<channels {
          body(group * channels + channel, start..<(start + inner))
          start += inner
        }
      }
    }
  }

  /// A float tensor with each channel multiplied by its factor, computed in double.
  ///
  /// The result takes the tensor's place: where that lies in a mapped file it stops counting as resident memory.
  package func scaled(_ tensor: Tensor, by factors: [Double]) -> Tensor {
    defer { tensor.releaseMappedMemory() }
    precondition(factors.count == count && tensor.count == count * rows * inner)
    return tensor.withElements(of: Float.self) { source in
      Tensor(tensor.shape, of: Float.self) { target in
        forEachRun { channel, elements in
          let factor = factors[channel]
          for i in elements { target[i] = Float(Double(source[i]) * factor) }
        }
      }
    }
  }

  /// The greatest magnitude in each channel of a float tensor.
  package func magnitudes(of tensor: Tensor) -> [Float] {
    precondition(tensor.count == count * rows * inner)
    var greatest = [Float](repeating: 0, count: count)
    tensor.withElements(of: Float.self) { elements in
      forEachRun { channel, range in
        for i in range { greatest[channel] = max(greatest[channel], abs(elements[i])) }
      }
    }
    return greatest
  }
}
