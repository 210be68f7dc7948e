import Foundation
import NumberFormats
public import Tensors

/// How far values are from what they should be, gathered piece by piece in double precision.
///
/// A pair of equal values counts as without error, infinities included. A pair of which only one is finite is counted in
/// ``nonFiniteCount`` and nowhere else. O(1) memory.
public struct ErrorStatistics: Sendable, Equatable {
  /// The number of pairs that were compared.
  public private(set) var count = 0
  /// The number of pairs of which one is NaN or infinite and the other is not the same.
  public private(set) var nonFiniteCount = 0
  /// The sum of the squares of what the values should be.
  public private(set) var signalEnergy = 0.0
  /// The sum of the squares of the differences.
  public private(set) var noiseEnergy = 0.0
  /// The largest difference, ≥ 0.
  public private(set) var maxError = 0.0
  private var valueEnergy = 0.0
  private var product = 0.0
  private var errorSum = 0.0

  /// How many pairs are summed up at once. It does not depend on the number of threads, so neither do the sums.
  private static let chunk = 1 << 15

  /// Statistics of nothing.
  public init() {}

  /// The ratio of signal to quantization noise in decibels: 10 log₁₀(Σ x² / Σ (x − y)²).
  ///
  /// Infinite where there is no error, NaN where there is neither signal nor noise. Source: the definition of SNR.
  public var sqnr: Double { 10 * log10(signalEnergy / noiseEnergy) }

  /// The noise as a share of the signal, Σ (x − y)² / Σ x²: 0 where there is no error.
  public var noiseShare: Double { noiseEnergy == 0 ? 0 : noiseEnergy / signalEnergy }

  /// The cosine of the angle between the values seen as vectors: 1 where they differ by a positive factor at most.
  public var cosine: Double {
    signalEnergy == 0 && valueEnergy == 0 ? 1 : product / (signalEnergy * valueEnergy).squareRoot()
  }

  /// What to warn of where values of an output were left out; nil where none were.
  func nonFiniteWarning(of output: String) -> String? {
    guard nonFiniteCount > 0 else { return nil }
    let share = fixed(100 * Double(nonFiniteCount) / Double(count), 1)
    return
      "\(nonFiniteCount) of \(count) values of output '\(output)' (\(share) %) are NaN or infinite in one network "
      + "only: no error can be told of them"
  }

  /// The mean of the differences' magnitudes, 0 where nothing was compared.
  public var meanError: Double { count == 0 ? 0 : errorSum / Double(count) }

  /// Adds pairs of values. Traps where there are not as many of both.
  public mutating func add(
    _ values: UnsafeBufferPointer<Float>, expected: UnsafeBufferPointer<Float>
  ) {
    precondition(
      values.count == expected.count, "\(values.count) values, \(expected.count) expected")
    let parts = (values.count + Self.chunk - 1) / Self.chunk
    var found = [Kernels.Errors](repeating: .init(), count: parts)
    found.withUnsafeMutableBufferPointer { found in
      nonisolated(unsafe) let (found, values, expected) = (found, values, expected)
      parallelFor(parts) { part in
        let start = part * Self.chunk
        found[part] = Kernels.errors(
          of: values.baseAddress! + start, expected: expected.baseAddress! + start,
          count: min(Self.chunk, values.count - start))
      }
    }
    count += values.count
    for part in found {
      nonFiniteCount += part.nonFiniteCount
      signalEnergy += part.signal
      noiseEnergy += part.noise
      valueEnergy += part.energy
      product += part.product
      errorSum += part.distance
      maxError = max(maxError, part.greatest)
    }
  }

  /// Adds the elements of two tensors of float32, float16, bfloat16 or float64, compared as float32.
  ///
  /// Throws ``EvaluationError`` where elements are none of these or shapes differ.
  public mutating func add(_ value: Tensor, expected: Tensor) throws {
    guard value.elementType.convertsToFloat32, expected.elementType.convertsToFloat32,
      value.shape == expected.shape
    else {
      throw EvaluationError(
        .mismatch,
        "is \(value), expected \(expected); only floating-point numbers of one shape are compared")
    }
    let (value, expected) = (try value.asFloat32(), try expected.asFloat32())
    value.withElements(of: Float.self) { values in
      expected.withElements(of: Float.self) { add(values, expected: $0) }
    }
  }
}
