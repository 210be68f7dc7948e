import NumberFormats

extension Recipe {
  /// The recipe as YAML with every key written out, which ``init(yaml:)`` reads back as the same recipe.
  public var yaml: String {
    var lines = [
      "name: \(quoted(name))", "explanation: \(quoted(explanation))", "method: \(method.rawValue)",
      "weights:",
      "  type: \(weights.type)", "  granularity: \(weights.granularity)",
      "  mapping: \(weights.mapping)", "  estimator: \(weights.estimator)",
      "  scaleType: \(weights.scaleType.rawValue)",
    ]
    if let activations {
      lines += [
        "activations:", "  type: \(activations.type)", "  mapping: \(activations.mapping)",
        "  estimator: \(activations.estimator)",
      ]
    }
    lines += [
      "transforms: [\(transforms.map(quoted).joined(separator: ", "))]",
      "biasCorrection: \(biasCorrection.rawValue)",
      "keepFloat: [\(keepFloat.map { quoted($0.description) }.joined(separator: ", "))]",
      "reduceRange: \(reduceRange)",
    ]
    lines.append(overrides.isEmpty ? "overrides: []" : "overrides:")
    lines += overrides.flatMap(\.lines)
    return lines.joined(separator: "\n") + "\n"
  }
}

extension Recipe.Override {
  fileprivate var lines: [String] {
    var lines = ["  - match: \(quoted(match.description))"]
    if let keepFloat { lines.append("    keepFloat: \(keepFloat)") }
    func append(_ name: String, _ parts: [(String, (any CustomStringConvertible)?)]) {
      let written = parts.compactMap { key, value in value.map { "      \(key): \($0)" } }
      if !written.isEmpty { lines += ["    \(name):"] + written }
    }
    if let weights {
      append(
        "weights",
        [
          ("type", weights.type), ("granularity", weights.granularity),
          ("mapping", weights.mapping), ("estimator", weights.estimator),
          ("scaleType", weights.scaleType?.rawValue),
        ])
    }
    if let activations {
      append(
        "activations",
        [
          ("type", activations.type), ("mapping", activations.mapping),
          ("estimator", activations.estimator),
        ])
    }
    return lines
  }
}

/// Text as YAML: plain where it begins with a letter, has nothing but letters, digits and a few signs, and can't be taken for a
/// truth value or nothing; else in double quotes.
private func quoted(_ text: String) -> String {
  let plain = text.utf8.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
      UInt8(ascii: "/"), UInt8(ascii: "."):
      true
    default: false
    }
  }
  let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"]
  if plain, let first = text.first, first.isLetter, !words.contains(text.lowercased()) {
    return text
  }
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\t": result += "\\t"
    case _ where scalar.value < 32 || (127...160).contains(scalar.value) || scalar.value == 0xFEFF:
      result += "\\U" + String(repeating: "0", count: 8 - hexadecimal(scalar).count)
      result += hexadecimal(scalar)
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}

private func hexadecimal(_ scalar: Unicode.Scalar) -> String { String(scalar.value, radix: 16) }
