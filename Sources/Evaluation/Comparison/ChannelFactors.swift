import Foundation
import Graphs
import Tensors

extension LayerWeightPair {
  /// By how much the channels of the layer's value are larger in the quantized network, as equalization makes them.
  ///
  /// Where channel `i` of what the layer reads is `f_i` times as large, an equalized layer has the weights
  /// `w'_oi = w_oi f_o / f_i`. The factor of an output channel is that of least squares,
  /// `f_o = Σ w'_oi v_oi / Σ v_oi²` with `v_oi = w_oi / f_i`.
  ///
  /// NaN for a channel whose weights have all become 0, which tell nothing. nil where half of the channels are not explained so,
  /// or their factors are no other than 1: a quantized network as it was.
  /// - Parameter inputs: the factors of the channels that the layer reads, NaN taken as 1; nil: all 1.
  func outputFactors(inputs: [Float]?) -> [Float]? {
    let dimensions = float.shape.dimensions
    let isTransposed = node.operation.type != "Conv" && !node.hasTransposedWeights
    guard node.operation.type == "Conv" || dimensions.count == 2 else { return nil }
    let outputCount = isTransposed ? dimensions[1] : dimensions[0]
    let inputCount = isTransposed ? dimensions[0] : dimensions[1]
    let inner = dimensions.dropFirst(2).reduce(1, *)
    // A group of output channels reads a run of input channels.
    let groups = node.operation.type == "Conv" ? node.groupCount : 1
    guard inputs.map({ $0.count == inputCount * groups }) ?? true, outputCount % groups == 0 else {
      return nil
    }
    let (w, q) = (float.elements(of: Float.self), dequantized.elements(of: Float.self))
    var factors: [Float] = []
    var explained: [Double] = []
    for output in 0..<outputCount {
      let first = output / (outputCount / groups) * inputCount
      var (qv, vv, qq) = (0.0, 0.0, 0.0)
      for input in 0..<inputCount {
        let factor = inputs.map { Double($0[first + input].or1) } ?? 1
        for position in 0..<inner {
          let index =
            isTransposed
            ? input * outputCount + output : (output * inputCount + input) * inner + position
          let (code, weight) = (Double(q[index]), Double(w[index]) / factor)
          qv += code * weight
          vv += weight * weight
          qq += code * code
        }
      }
      let factor = vv > 0 && qv > 0 ? qv / vv : .nan
      factors.append(Float(factor))
      // What is left after the factor is a twentieth of the energy at most.
      if qv > 0, qq - qv * qv / vv <= 0.05 * qq { explained.append(abs(log2(factor))) }
    }
    let median = explained.sorted()[safe: explained.count / 2] ?? 0
    let isFound = explained.count * 2 > outputCount && median > Self.leastExponent
    return isFound ? factors : nil
  }

  /// How far factors are from 1 at least, as powers of two: what rounding alone does not do.
  private static let leastExponent = 0.1
}

extension Float {
  /// 1 in place of NaN.
  var or1: Float { isNaN ? 1 : self }
}

extension Array {
  /// The element, nil where there is none.
  fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}

extension Node {
  fileprivate var groupCount: Int {
    if case .int(let value)? = attributes["group"] { return Swift.max(value, 1) }
    return 1
  }

  /// Whether a Gemm's weights lie as `[out, in]`.
  fileprivate var hasTransposedWeights: Bool {
    if operation.type == "Gemm", case .int(let value)? = attributes["transB"] { return value != 0 }
    return false
  }

  /// Whether channels pass, each by itself, so that factors do as well.
  var keepsChannels: Bool {
    [
      "Relu", "LeakyRelu", "PRelu", "Clip", "Min", "MaxPool", "AveragePool", "GlobalAveragePool",
      "GlobalMaxPool", "Pad", "Flatten", "Identity", "Dropout",
    ].contains(operation.type)
  }
}

extension Tensor {
  /// The float32 values, each channel (axis 1) times a factor. Traps where there is not one factor a channel.
  func scalingChannels(by factors: [Float]) -> Tensor {
    precondition(shape.rank >= 2 && shape[1] == factors.count, "\(factors.count) for \(shape)")
    let inner = shape.dimensions[2...].reduce(1, *)
    var values = elements(of: Float.self)
    for index in values.indices { values[index] *= factors[index / inner % factors.count] }
    return Tensor(values, shape: shape)
  }
}
