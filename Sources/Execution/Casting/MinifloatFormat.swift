import Tensors

/// How numbers of at most eight bits with an exponent are coded.
struct MinifloatFormat {
  /// What codes stand for beside numbers.
  enum Specials {
    /// NaN alone, sign and all other bits set; no infinity.
    case finiteWithNaN
    /// Infinities and NaN as in IEEE 754.
    case ieee
    /// NaN in place of −0.
    case unsignedZero
    /// None.
    case none
  }

  let exponentBits: Int
  let fractionBits: Int
  let bias: Int
  let specials: Specials

  /// The format of an element type; nil for other types than floats of 4 and 8 bits with a sign.
  init?(_ type: ElementType) {
    switch type {
    case .float8e4m3fn: self.init(4, 3, bias: 7, .finiteWithNaN)
    case .float8e4m3fnuz: self.init(4, 3, bias: 8, .unsignedZero)
    case .float8e5m2: self.init(5, 2, bias: 15, .ieee)
    case .float8e5m2fnuz: self.init(5, 2, bias: 16, .unsignedZero)
    case .float4e2m1: self.init(2, 1, bias: 1, .none)
    default: return nil
    }
  }

  private init(_ exponentBits: Int, _ fractionBits: Int, bias: Int, _ specials: Specials) {
    self.exponentBits = exponentBits
    self.fractionBits = fractionBits
    self.bias = bias
    self.specials = specials
  }

  private var signBit: Int { 1 << (exponentBits + fractionBits) }

  /// The code of the greatest number.
  private var greatestCode: Int {
    switch specials {
    case .finiteWithNaN: signBit - 2
    case .ieee: ((1 << exponentBits) - 1) << fractionBits - 1
    case .unsignedZero, .none: signBit - 1
    }
  }

  private func notANumber(_ sign: Int) -> Int {
    switch specials {
    case .finiteWithNaN, .ieee: sign | (signBit - 1)
    case .unsignedZero, .none: signBit
    }
  }

  /// The nearest number's code, ties to even.
  ///
  /// What is beyond the range becomes the greatest number where it `saturates`; else infinity, or NaN where there is
  /// none. NaN becomes −0 in a format that has no NaN.
  func code(_ x: Float, saturates: Bool) -> UInt8 {
    let sign = x.sign == .minus ? signBit : 0
    if x.isNaN { return UInt8(notANumber(sign)) }
    var code = greatestCode + 1
    if x.isFinite {
      let exponent = max(x == 0 ? 1 - bias : Int(x.exponent), 1 - bias)
      let steps =
        x.magnitude * Float(sign: .plus, exponent: fractionBits - exponent, significand: 1)
      code = min((exponent + bias - 1) << fractionBits + Int(steps.rounded(.toNearestOrEven)), code)
    }
    if code > greatestCode, saturates || specials == .none { code = greatestCode }
    if code > greatestCode {
      return UInt8(specials == .ieee ? sign | code : notANumber(sign))
    }
    return UInt8(code == 0 && specials == .unsignedZero ? 0 : sign | code)
  }

  /// The number that a code stands for.
  func value(_ code: UInt8) -> Float {
    let magnitude = Int(code) & (signBit - 1)
    let isNegative = Int(code) & signBit != 0
    if specials == .unsignedZero, isNegative, magnitude == 0 { return .nan }
    if magnitude > greatestCode {
      if specials == .ieee, magnitude == greatestCode + 1 {
        return isNegative ? -.infinity : .infinity
      }
      return .nan
    }
    let exponent = max(magnitude >> fractionBits, 1)
    let fraction = magnitude - (exponent - 1) << fractionBits
    let value = Float(
      sign: .plus, exponent: exponent - bias - fractionBits, significand: Float(fraction))
    return isNegative ? -value : value
  }
}

/// Powers of two from 2⁻¹²⁷ to 2¹²⁷ in eight bits (float8e8m0); code 255 is NaN.
enum PowerOfTwoCode {
  /// The power that a code stands for.
  static func value(_ code: UInt8) -> Float {
    code == 255 ? .nan : Float(sign: .plus, exponent: Int(code) - 127, significand: 1)
  }

  /// How a number becomes a power.
  enum Rounding { case up, down, nearest }

  /// The code of a power near the magnitude of `x`; what is beyond the range becomes the last power where it `saturates`,
  /// NaN otherwise.
  static func code(_ x: Float, _ rounding: Rounding, saturates: Bool) -> UInt8 {
    if x.isNaN { return 255 }
    guard x.isFinite else { return saturates ? 254 : 255 }
    guard x != 0 else { return saturates ? 0 : 255 }
    let fraction = x.significand.magnitude
    let roundsUp =
      switch rounding {
      case .up: fraction > 1
      case .down: false
      case .nearest: fraction >= 1.5
      }
    let code = Int(x.exponent) + 127 + (roundsUp ? 1 : 0)
    return (0...254).contains(code) ? UInt8(code) : saturates ? (code < 0 ? 0 : 254) : 255
  }
}
