import Foundation

/// A number with a fixed number of digits after the point, `–` where it is NaN, `∞` where it is infinite.
package func fixed(_ value: Double, _ digits: Int) -> String {
  if value.isNaN { return "–" }
  if value.isInfinite { return value > 0 ? "∞" : "−∞" }
  return String(format: "%.\(digits)f", value)
}

/// As ``fixed(_:_:)`` with the sign that people read, `−`, before negative numbers; none before zero.
package func signed(_ value: Double, _ digits: Int) -> String {
  let text = fixed(abs(value), digits)
  return value < 0 && text.contains { ("1"..."9").contains($0) || $0 == "∞" } ? "−" + text : text
}

/// A number with the given number of digits that count.
package func significant(_ value: Double, _ digits: Int) -> String {
  value.isFinite ? String(format: "%.\(digits)g", value) : fixed(value, 0)
}

/// A ratio in decibels; `exact` where there is no noise.
package func decibels(_ value: Double) -> String {
  value == .infinity ? "exact" : "\(signed(value, 2)) dB"
}

/// A count with a unit where it is long, as in `4.69 M`.
package func counted(_ count: Int) -> String {
  switch Double(abs(count)) {
  case ..<1e4: "\(count)"
  case ..<1e6: "\(fixed(Double(count) / 1e3, 1)) k"
  case ..<1e9: "\(fixed(Double(count) / 1e6, 2)) M"
  default: "\(fixed(Double(count) / 1e9, 2)) G"
  }
}

/// A size with a unit, as in `17.4 MB`; 1 MB is 10⁶ bytes.
package func bytes(_ count: Int) -> String {
  switch Double(abs(count)) {
  case ..<1e3: "\(count) B"
  case ..<1e6: "\(fixed(Double(count) / 1e3, 1)) kB"
  case ..<1e9: "\(fixed(Double(count) / 1e6, 1)) MB"
  default: "\(fixed(Double(count) / 1e9, 2)) GB"
  }
}

/// A time in microseconds or milliseconds, whichever fits, with four digits that count, as in `41.90 µs` or `1.777 ms`.
package func duration(milliseconds value: Double) -> String {
  let (number, unit) = value < 1 ? (value * 1000, "µs") : (value, "ms")
  return "\(fixed(number, timeDigits(number))) \(unit)"
}

/// The digits after the point of a time.
func timeDigits(_ value: Double) -> Int { value < 10 ? 3 : value < 100 ? 2 : 1 }
