/// How many bits a code has: 1 to 8, or 16.
public enum BitWidth: Int, Hashable, Sendable, CaseIterable {
  case one = 1
  case two, three, four, five, six, seven, eight
  case sixteen = 16
}

extension BitWidth: ExpressibleByIntegerLiteral {
  /// The width of that many bits. Traps for other numbers than 1 to 8 and 16; numbers that come from outside go through
  /// `init(rawValue:)`.
  public init(integerLiteral bits: Int) {
    guard let width = BitWidth(rawValue: bits) else {
      preconditionFailure("codes of \(bits) bits: must be 1 to 8, or 16")
    }
    self = width
  }
}
