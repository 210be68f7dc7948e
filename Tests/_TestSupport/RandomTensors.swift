import Foundation
public import Tensors

extension Tensor {
  /// Numbers from the normal distribution of the given deviation.
  public static func random(
    _ shape: Shape, seed: UInt64, deviation: Float = 1
  ) -> Tensor {
    var generator = SeededGenerator(seed: seed)
    return Tensor(
      (0..<shape.count).map { _ in Float(generator.normal()) * deviation }, shape: shape)
  }

  /// Bytes, each as likely as any other.
  public static func randomCodes(_ shape: Shape, seed: UInt64) -> Tensor {
    var generator = SeededGenerator(seed: seed)
    return Tensor(
      (0..<shape.count).map { _ in Int8(truncatingIfNeeded: generator.next()) }, shape: shape)
  }
}

/// The largest distance between elements at the same place; infinite where shapes or types differ.
public func largestDifference(_ a: Tensor, _ b: Tensor) -> Float {
  guard a.shape == b.shape, a.elementType == .float32, b.elementType == .float32 else {
    return .infinity
  }
  return zip(a.elements(of: Float.self), b.elements(of: Float.self)).reduce(0) {
    max($0, $1.0 == $1.1 ? 0 : abs($1.0 - $1.1).isNaN ? .infinity : abs($1.0 - $1.1))
  }
}
