import Execution
import NumberFormats
import Tensors

extension ErrorStatistics {
  /// Adds a pair of values, where they are numbers; each channel is divided by its factor, those of unknown factor are left out.
  ///
  /// Throws ``EvaluationError``, under the value's name, where elements or shapes differ.
  mutating func add(
    _ value: PlacedValue, _ expected: PlacedValue, dividing factors: [Float]?, _ name: String
  ) throws {
    if factors == nil, value.liesAs(expected) {
      let isAdded = value.withFloats { value in
        expected.withFloats { add(value, expected: $0) } != nil
      }
      if isAdded == true { return }
    }
    let (value, expected) = (value.tensor(), expected.tensor())
    guard expected.elementType.convertsToFloat32 else { return }
    try located(name) {
      guard let factors else { return try add(value, expected: expected) }
      try add(
        value.scalingChannels(by: factors.map { $0.isNaN ? 0 : 1 / $0 }),
        expected: expected.scalingChannels(by: factors.map { $0.isNaN ? 0 : 1 }))
    }
  }
}
