import Tensors

/// The mean and the variance of a run of numbers.
struct Moments {
  var mean: Double
  var variance: Double

  /// The moments of `count` neighbours, 1 or more, in two passes in double precision.
  init<Element: RealElement>(_ x: UnsafePointer<Element>, _ count: Int) {
    var sum = 0.0
    for i in 0..<count { sum += Double(x[i]) }
    mean = sum / Double(count)
    var squares = 0.0
    for i in 0..<count {
      let difference = Double(x[i]) - mean
      squares += difference * difference
    }
    variance = squares / Double(count)
  }
}
