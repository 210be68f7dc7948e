import CKernels

extension Kernels {
  /// An element-wise operation on two floats. `max` and `min` give NaN where either side is NaN.
  package enum Binary: UInt32, CaseIterable, Sendable {
    case add, subtract, multiply, divide, max, min
  }

  /// An element-wise function of one float, within 0.53 ulp of the exact value.
  package enum Unary: UInt32, CaseIterable, Sendable {
    case relu, sigmoid, tanh, exp, erf
    /// `x / 2 · (1 + erf(x / √2))`.
    case gelu
    /// `x / 2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
    case geluTanh
    /// `x · sigmoid(x)`.
    case silu
  }

  /// `y[i] = a[i] op b[i]`.
  package static func apply(
    _ operation: Binary, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    _ y: UnsafeMutablePointer<Float>, count: Int
  ) { table.pointee.binary(tk_binary(rawValue: operation.rawValue), a, 1, b, 1, y, count) }

  /// `y[i] = a[i] op b`.
  package static func apply(
    _ operation: Binary, _ a: UnsafePointer<Float>, _ b: Float, _ y: UnsafeMutablePointer<Float>,
    count: Int
  ) {
    withUnsafePointer(to: b) { b in
      table.pointee.binary(tk_binary(rawValue: operation.rawValue), a, 1, b, 0, y, count)
    }
  }

  /// `y[i] = a op b[i]`.
  package static func apply(
    _ operation: Binary, _ a: Float, _ b: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
    count: Int
  ) {
    withUnsafePointer(to: a) { a in
      table.pointee.binary(tk_binary(rawValue: operation.rawValue), a, 0, b, 1, y, count)
    }
  }

  /// `y[i] = a[i × aStep] op b[i × bStep]`, steps 0 or 1.
  package static func apply(
    _ operation: Binary, _ a: UnsafePointer<Float>, step aStep: Int, _ b: UnsafePointer<Float>,
    step bStep: Int, _ y: UnsafeMutablePointer<Float>, count: Int
  ) { table.pointee.binary(tk_binary(rawValue: operation.rawValue), a, aStep, b, bStep, y, count) }

  /// `y[i] = function(x[i])`.
  package static func apply(
    _ function: Unary, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int
  ) { table.pointee.unary(tk_unary(rawValue: function.rawValue), x, y, count) }

  /// Clamps; NaN stays NaN.
  package static func clamp(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int,
    to range: ClosedRange<Float>
  ) { table.pointee.clamp(x, y, count, range.lowerBound, range.upperBound) }

  /// Softmax of each row of `[rows, count]`. A row of −inf only, or with NaN or +inf, gives NaN.
  package static func softmax(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, rows: Int, count: Int
  ) { table.pointee.softmax(x, y, rows, count) }

  /// `(x − mean) / √(variance + epsilon) · gamma + beta` of each row of `[rows, count]`.
  package static func layerNorm(
    _ x: UnsafePointer<Float>, gamma: UnsafePointer<Float>?, beta: UnsafePointer<Float>?,
    epsilon: Float, _ y: UnsafeMutablePointer<Float>, rows: Int, count: Int
  ) { table.pointee.layer_norm(x, gamma, beta, epsilon, y, rows, count) }

  /// `x / √(mean(x²) + epsilon) · gamma` of each row of `[rows, count]`.
  package static func rmsNorm(
    _ x: UnsafePointer<Float>, gamma: UnsafePointer<Float>?, epsilon: Float,
    _ y: UnsafeMutablePointer<Float>, rows: Int, count: Int
  ) { table.pointee.rms_norm(x, gamma, epsilon, y, rows, count) }
}
