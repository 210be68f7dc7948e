import NumberFormats
import Tensors

/// How a network's output lies when it holds scores of classes.
struct ClassScores {
  private let scores: [Float]
  private let shape: Shape
  private let classCount: Int
  /// Classes stand along the last axis of `[sample, position, class]`, along the second axis of anything else.
  private let areClassesLast: Bool

  /// The number of scored places of one sample: 1 unless the network scores each pixel or word.
  let positionCount: Int

  /// Throws ``EvaluationError`` where the output can't be scores.
  init(_ output: Tensor) throws {
    guard output.elementType.convertsToFloat32, output.shape.rank >= 2, output.count > 0 else {
      throw EvaluationError(
        .mismatch,
        "is \(output); scores of classes are floating-point numbers, sample and class its first axes"
      )
    }
    shape = output.shape
    areClassesLast = shape.rank == 3
    classCount = areClassesLast ? shape[2] : shape[1]
    positionCount = shape.count / shape[0] / classCount
    scores = try output.asFloat32().elements()
  }

  private func score(_ sample: Int, _ position: Int, _ number: Int) -> Float {
    areClassesLast
      ? scores[(sample * positionCount + position) * classCount + number]
      : scores[(sample * classCount + number) * positionCount + position]
  }

  /// The class with the highest score, the first of equals; nil where no score is a number.
  func best(_ sample: Int, _ position: Int) -> Int? {
    var best: Int?
    for number in 0..<classCount where !score(sample, position, number).isNaN {
      if best.map({ score(sample, position, number) > score(sample, position, $0) }) ?? true {
        best = number
      }
    }
    return best
  }

  /// How many classes are ahead of a label, equal ones of a lower number included; nil where its score is NaN.
  ///
  /// Throws ``EvaluationError`` where there is no such class.
  func rank(of label: Int, sample: Int) throws -> Int? {
    guard positionCount == 1 else {
      throw EvaluationError(
        .mismatch,
        "is float32\(shape), with \(positionCount) scores a sample and class; "
          + "labels are compared with one")
    }
    guard (0..<classCount).contains(label) else {
      throw EvaluationError(
        .mismatch,
        "has \(classCount) classes, a label is \(label); number the classes from 0 as the network does"
      )
    }
    let own = score(sample, 0, label)
    if own.isNaN { return nil }
    return (0..<classCount).count { other in
      let score = score(sample, 0, other)
      return score > own || score == own && other < label
    }
  }
}
