extension Picture {
  /// The picture at another size, equal to what Pillow's `resize` gives.
  ///
  /// First along rows, then along columns; each of the two rounds to whole levels. O(pixels × filter length).
  func resized(width newWidth: Int, height newHeight: Int, _ interpolation: Interpolation)
    -> Picture
  {
    precondition(newWidth > 0 && newHeight > 0, "a picture of \(newWidth) × \(newHeight) pixels")
    guard interpolation != .nearest else { return picked(width: newWidth, height: newHeight) }
    var picture = self
    if newWidth != width {
      picture = picture.resizedRows(
        newWidth, ResamplingWeights(from: width, to: newWidth, interpolation))
    }
    if newHeight != height {
      picture = picture.resizedColumns(
        newHeight, ResamplingWeights(from: height, to: newHeight, interpolation))
    }
    return picture
  }

  private func picked(width newWidth: Int, height newHeight: Int) -> Picture {
    func sources(_ length: Int, _ newLength: Int) -> [Int] {
      let scale = Double(length) / Double(newLength)
      return (0..<newLength).map { min(Int((Double($0) + 0.5) * scale), length - 1) }
    }
    let columns = sources(width, newWidth)
    var picked: [UInt8] = []
    picked.reserveCapacity(newWidth * newHeight * channels)
    for y in sources(height, newHeight) {
      for x in columns {
        let start = (y * width + x) * channels
        picked += pixels[start..<start + channels]
      }
    }
    return Picture(width: newWidth, height: newHeight, channels: channels, pixels: picked)
  }

  private func resizedRows(_ newWidth: Int, _ resampling: ResamplingWeights) -> Picture {
    let resized = filled(newWidth * height * channels, resampling) {
      source, weights, target in
      for y in 0..<height {
        for x in 0..<newWidth {
          let (start, count) = resampling.spans[x]
          let first = (y * width + start) * channels
          for channel in 0..<channels {
            var sum: Int32 = 1 << (ResamplingWeights.precision - 1)
            for tap in 0..<count {
              sum &+=
                weights[x * resampling.longest + tap]
                &* Int32(source[first + tap * channels + channel])
            }
            target[(y * newWidth + x) * channels + channel] = Self.level(sum)
          }
        }
      }
    }
    return Picture(width: newWidth, height: height, channels: channels, pixels: resized)
  }

  private func resizedColumns(_ newHeight: Int, _ resampling: ResamplingWeights) -> Picture {
    let stride = width * channels
    var sums = [Int32](repeating: 0, count: stride)
    let resized = filled(newHeight * stride, resampling) { source, weights, target in
      sums.withUnsafeMutableBufferPointer { sums in
        for y in 0..<newHeight {
          let (start, count) = resampling.spans[y]
          sums.update(repeating: 1 << (ResamplingWeights.precision - 1))
          for tap in 0..<count {
            let weight = weights[y * resampling.longest + tap]
            let row = (start + tap) * stride
            for x in 0..<stride { sums[x] &+= weight &* Int32(source[row + x]) }
          }
          for x in 0..<stride { target[y * stride + x] = Self.level(sums[x]) }
        }
      }
    }
    return Picture(width: width, height: newHeight, channels: channels, pixels: resized)
  }

  private func filled(
    _ count: Int, _ resampling: ResamplingWeights,
    _ body: (
      UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<Int32>, UnsafeMutableBufferPointer<UInt8>
    ) -> Void
  ) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { target, filled in
      let room = UnsafeMutableBufferPointer(rebasing: target[..<count])
      pixels.withUnsafeBufferPointer { source in
        resampling.weights.withUnsafeBufferPointer { body(source, $0, room) }
      }
      filled = count
    }
  }

  @inline(__always) private static func level(_ sum: Int32) -> UInt8 {
    UInt8(clamping: sum >> ResamplingWeights.precision)
  }
}
