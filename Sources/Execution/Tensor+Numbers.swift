import Graphs
import NumberFormats
import Tensors

extension Tensor {
  /// The first element as a number. Throws ``ExecutionError`` where there is none, or none of an ordinary type.
  func firstNumber() throws -> Double {
    guard count > 0 else {
      throw ExecutionError(.invalidValue, "is \(self); must hold a number")
    }
    switch elementType {
    case .float64: return elements(of: Double.self)[0]
    case _ where elementType.isFloatingPoint:
      return Double(try widened().elements(of: Float.self)[0])
    default: return Double(integers()[0])
    }
  }

  /// The elements as indices below `length`, negative ones counted from the end.
  ///
  /// Throws ``ExecutionError`` that names the first one out of range.
  func indices(below length: Int) throws -> [Int] {
    guard elementType == .int64 || elementType == .int32 else {
      throw ExecutionError(.invalidInput, "indices are \(self); must be int32 or int64")
    }
    var indices = integers()
    for position in indices.indices {
      let index = indices[position]
      guard index >= -length, index < length else {
        throw ExecutionError(
          .invalidValue,
          "index \(index) at position \(position) is out of range; must be \(-length) to \(length - 1)"
        )
      }
      if index < 0 { indices[position] = index + length }
    }
    return indices
  }
}

// MARK: - Narrow floating-point numbers

extension ElementType {
  /// Whether numbers are computed in float32 and rounded after each node.
  var isNarrowFloat: Bool { self == .float16 || self == .bfloat16 }
}

extension Tensor {
  /// The elements of a tensor of float16 or bfloat16 as float32, exactly; float32 as it is.
  ///
  /// Throws ``ExecutionError`` for other element types.
  func widened() throws -> Tensor {
    switch elementType {
    case .float32: return self
    case .float16, .bfloat16:
      let isHalf = elementType == .float16
      return reinterpreted(as: .uint16).withElements(of: UInt16.self) { source in
        Tensor(shape, of: Float.self) { target in
          guard let from = source.baseAddress, let to = target.baseAddress else { return }
          isHalf
            ? Kernels.float16ToFloat(from, to, count: source.count)
            : Kernels.bfloat16ToFloat(from, to, count: source.count)
        }
      }
    default:
      throw ExecutionError(
        .unsupported, "is not computed for \(elementType); put a Cast to float32 before it")
    }
  }
}

extension OperatorFunction {
  /// The same function, with float16 and bfloat16 computed in float32 and rounded at the end.
  ///
  /// `exact` inputs keep their element type. Outputs are rounded to the type that the operator's shape rule says.
  func widening(except exact: Int...) -> OperatorFunction {
    OperatorFunction(name: name) { decoded, call in
      let narrow = call.inputs.enumerated().compactMap { index, input -> ElementType? in
        guard let type = input?.elementType, !exact.contains(index) else { return nil }
        return type.isNarrowFloat ? type : nil
      }
      guard let type = narrow.first else { return try run(decoded, call) }
      let inputs = try call.inputs.enumerated().map { index, input in
        guard let input, input.elementType.isNarrowFloat, !exact.contains(index) else {
          return input
        }
        return try input.widened()
      }
      let types = try call.outputTypes(of: decoded)
      let results = try run(decoded, call.replacing(inputs))
      return zip(results, types).map { result, rule in
        result.rounded(to: rule.elementType ?? type)
      }
    }
  }
}

extension OperatorCall {
  /// The same call on other inputs.
  func replacing(_ inputs: [Tensor?]) -> OperatorCall {
    OperatorCall(
      inputs: inputs, outputCount: outputCount, pool: pool, opsets: opsets, scope: scope,
      bodies: bodies, budget: budget)
  }
}
