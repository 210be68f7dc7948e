public import Tensors

/// Inputs that a network is run on to see what values it computes; can be gone through several times.
public protocol CalibrationSamples: Sendable {
  /// How many samples there are.
  var count: Int { get }

  /// The network's inputs by name, those of the sample at `index` in `0..<count`. The same each time it is asked for.
  func sample(at index: Int) throws -> [String: Tensor]

  /// What the sample at `index` is called in messages.
  func name(at index: Int) -> String
}

/// Samples that are all in memory.
extension Array: CalibrationSamples where Element == [String: Tensor] {
  /// The sample at `index`.
  public func sample(at index: Int) throws -> [String: Tensor] { self[index] }
}

extension CalibrationSamples {
  /// As in `sample 3`.
  public func name(at index: Int) -> String { "sample \(index)" }

  /// Calls `body` with each sample in order. Throws ``QuantizationError`` where there is none.
  func forEachSample(_ body: ([String: Tensor]) throws -> Void) throws {
    guard count > 0 else {
      throw QuantizationError(
        .missingStatistics, "there are no calibration samples; give at least one, better 16 or more"
      )
    }
    for index in 0..<count {
      let sample = try sample(at: index)
      try located(name(at: index)) { try body(sample) }
    }
  }
}
