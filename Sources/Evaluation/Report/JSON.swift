import Foundation

/// A JSON document whose members keep their order, so that the same report gives the same bytes.
package indirect enum JSON: Sendable, Equatable {
  case null
  case bool(Bool)
  case int(Int)
  /// Written with six digits that count, whole numbers with all; null where it is not finite, which JSON can't say.
  case number(Double)
  case string(String)
  case array([JSON])
  case object([Member])

  /// One key and its value.
  package struct Member: Sendable, Equatable {
    let key: String
    let value: JSON
  }

  /// An object without the members whose value is nil.
  package static func members(_ members: KeyValuePairs<String, JSON?>) -> JSON {
    .object(members.compactMap { key, value in value.map { Member(key: key, value: $0) } })
  }

  /// The document as text, indented by two spaces a level, ending in a line break.
  package var text: String {
    var text = ""
    write(to: &text, indentation: "\n")
    return text + "\n"
  }

  private func write(to text: inout String, indentation: String) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .int(let value): text += String(value)
    case .number(let value): text += value.isFinite ? JSON.digits(value) : "null"
    case .string(let value): text += JSON.quoted(value)
    case .array(let values):
      JSON.writeList("[", "]", values, to: &text, indentation) { value, text, deeper in
        value.write(to: &text, indentation: deeper)
      }
    case .object(let members):
      JSON.writeList("{", "}", members, to: &text, indentation) { member, text, deeper in
        text += JSON.quoted(member.key) + ": "
        member.value.write(to: &text, indentation: deeper)
      }
    }
  }

  private static func digits(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : String(format: "%.6g", value)
  }

  private static func writeList<Item>(
    _ opening: String, _ closing: String, _ items: [Item], to text: inout String,
    _ indentation: String, _ write: (Item, inout String, String) -> Void
  ) {
    text += opening
    for (index, item) in items.enumerated() {
      text += (index == 0 ? "" : ",") + indentation + "  "
      write(item, &text, indentation + "  ")
    }
    text += (items.isEmpty ? "" : indentation) + closing
  }

  private static func quoted(_ value: String) -> String {
    var text = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20: text += String(format: "\\u%04x", scalar.value)
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}
