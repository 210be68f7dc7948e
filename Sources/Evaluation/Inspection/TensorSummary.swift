import NumberFormats
public import Tensors

/// How the numbers of one constant are spread.
public struct TensorSummary: Sendable {
  /// The constant's name.
  public let name: String
  /// What each element is.
  public let elementType: ElementType
  /// The length of each axis.
  public let shape: Shape
  /// The bytes that it takes.
  public let byteCount: Int
  /// The figures of its finite numbers, those of codes dequantized; nil where there are none, and for types that are not
  /// looked into.
  public let spread: Spread?
  /// How many numbers are NaN or infinite.
  public let nonFinite: NonFiniteNumbers
  /// How codes are to be read; nil where the constant is none of codes.
  public var quantization: QuantizationSummary?

  /// Range, moments and histogram.
  public struct Spread: Sendable, Equatable {
    /// The least number.
    public let minimum: Double
    /// The greatest number.
    public let maximum: Double
    /// The mean.
    public let mean: Double
    /// The standard deviation.
    public let deviation: Double
    /// How many numbers lie in each of 32 equal parts of the range.
    public let histogram: BinCounts
  }

  /// The number of parts of a histogram.
  static let binCount = 32

  /// Looks at a constant; a mapped one is given back to the system afterwards. Complexity: O(n).
  ///
  /// - Parameters:
  ///   - name: the constant's name.
  ///   - tensor: its numbers or codes.
  ///   - dequantized: what codes stand for, of the same shape.
  public init(_ name: String, _ tensor: Tensor, dequantized: Tensor? = nil) {
    self.name = name
    elementType = tensor.elementType
    shape = tensor.shape
    byteCount = tensor.byteCount
    guard let numbers = Self.numbers(of: dequantized ?? tensor) else {
      (spread, nonFinite) = (nil, NonFiniteNumbers())
      return
    }
    nonFinite = Tensor(numbers).nonFiniteNumbers()
    spread = Spread(nonFinite.first == nil ? numbers : numbers.filter(\.isFinite))
    tensor.releaseMappedMemory()
  }

  private static func numbers(of tensor: Tensor) -> [Float]? {
    if let floats = try? tensor.asFloat32() { return floats.elements(of: Float.self) }
    return tensor.elementType.isInteger ? tensor.integers().map { Float($0) } : nil
  }
}

extension TensorSummary.Spread {
  /// The figures of finite numbers; nil where there are none.
  init?(_ numbers: [Float]) {
    guard let first = numbers.first else { return nil }
    var (least, greatest, sum, squares) = (first, first, 0.0, 0.0)
    for number in numbers {
      least = min(least, number)
      greatest = max(greatest, number)
      sum += Double(number)
    }
    let mean = sum / Double(numbers.count)
    for number in numbers { squares += (Double(number) - mean) * (Double(number) - mean) }
    minimum = Double(least)
    maximum = Double(greatest)
    self.mean = mean
    deviation = (squares / Double(numbers.count)).squareRoot()
    histogram = BinCounts(of: numbers, binCount: TensorSummary.binCount)
  }

  /// The histogram as one line of blocks, two bins each.
  var sparkline: String {
    let blocks = Array(" ▁▂▃▄▅▆▇█")
    let counts = stride(from: 0, to: histogram.counts.count, by: 2).map {
      histogram.counts[$0..<min($0 + 2, histogram.counts.count)].reduce(0, +)
    }
    let greatest = max(counts.max() ?? 0, 1)
    return String(
      counts.map { $0 == 0 ? blocks[0] : blocks[1 + ($0 * (blocks.count - 2)) / greatest] })
  }
}
