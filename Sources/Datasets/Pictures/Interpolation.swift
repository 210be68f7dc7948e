import Foundation

/// How the pixels of a resized picture are made from the original's.
public enum Interpolation: String, Hashable, Sendable, CaseIterable {
  /// Cubic convolution with a = −0.5 (Keys 1981, equation 4).
  case bicubic
  /// Weights that fall linearly with distance.
  case bilinear
  /// The one pixel that lies under the new one's centre.
  case nearest

  /// How far the filter reaches, in pixels of the original at scale 1.
  var support: Double {
    switch self {
    case .bicubic: 2
    case .bilinear: 1
    case .nearest: 0
    }
  }

  /// The filter's value at a distance from its centre.
  func weight(at distance: Double) -> Double {
    let x = abs(distance)
    switch self {
    case .bicubic:
      if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
      return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0
    case .bilinear: return max(0, 1 - x)
    case .nearest: return 0
    }
  }
}

/// Which pixels of a line go into each pixel of a resized line, and with what weight.
///
/// When a picture shrinks, the filter is widened by the same ratio, so that no pixel is passed over (antialiasing). Weights are
/// whole numbers of 2⁻²², as Pillow has them, so that results agree with it bit for bit.
struct ResamplingWeights {
  /// The bits after the point of a weight: 32 less 8 for the pixel and 2 for the sum's overshoot.
  static let precision: Int32 = 22

  /// For each new pixel: the first pixel that goes into it, and how many.
  private(set) var spans: [(start: Int, count: Int)] = []
  /// The weights, ``longest`` for each new pixel.
  private(set) var weights: [Int32] = []
  /// The greatest number of pixels that go into one.
  let longest: Int

  init(from length: Int, to newLength: Int, _ interpolation: Interpolation) {
    let scale = Double(length) / Double(newLength)
    let widening = max(scale, 1)
    let support = interpolation.support * widening
    longest = Int(support.rounded(.up)) * 2 + 1
    for pixel in 0..<newLength {
      let center = (Double(pixel) + 0.5) * scale
      let start = max(Int(center - support + 0.5), 0)
      let end = min(Int(center + support + 0.5), length)
      var row = (start..<end).map {
        interpolation.weight(at: (Double($0) - center + 0.5) / widening)
      }
      let sum = row.reduce(0, +)
      if sum != 0 { row = row.map { $0 / sum } }
      spans.append((start, row.count))
      let one = Double(1 << Self.precision)
      weights += row.map { Int32(($0 * one).rounded(.toNearestOrAwayFromZero)) }
      weights += [Int32](repeating: 0, count: longest - row.count)
    }
  }
}
