import NumberFormats
import Tensors
import Yams

/// A YAML mapping of which every key must be known, read key by key.
///
/// Errors name the line and the key.
struct StrictMapping {
  private struct Entry {
    let value: Node
    let line: Int
  }

  private let place: [String]
  private let line: Int
  private var entries: [String: Entry] = [:]

  /// The mapping that `node` is. Throws ``RecipeError`` where it is none, or has a key that is not among `known`.
  init(_ node: Node, _ place: [String], known: [String]) throws {
    line = node.mark?.line ?? 1
    self.place = place
    guard case .mapping(let mapping) = node else {
      throw Self.error(
        .invalidValue,
        "is \(Self.text(of: node)); must be a mapping with the keys \(Self.list(known))",
        line, place)
    }
    for (key, value) in mapping {
      let line = key.mark?.line ?? self.line
      guard case .scalar(let name) = key, known.contains(name.string) else {
        throw Self.error(
          .unknownKey,
          "unknown key \(Self.text(of: key)); must be one of \(Self.list(known))", line, place)
      }
      entries[name.string] = Entry(value: value, line: line)
    }
  }

  // MARK: Values

  /// Whether the key is there.
  func has(_ key: String) -> Bool { entries[key] != nil }

  /// The text of a key, nil where it is absent.
  func text(_ key: String) throws -> String? {
    try entries[key].map { try text($0.value, key, $0.line) }
  }

  /// A list of texts, nil where the key is absent.
  func texts(_ key: String) throws -> [String]? {
    try sequence(key, "a list of texts")?.map { try text($0, key, $0.mark?.line ?? line) }
  }

  /// `true` or `false`, nil where the key is absent.
  func flag(_ key: String) throws -> Bool? {
    guard let entry = entries[key] else { return nil }
    guard case .scalar(let scalar) = entry.value, entry.value.tag == Tag(.bool),
      ["true", "false"].contains(scalar.string)
    else { throw wrong(entry.value, key, "true or false", entry.line) }
    return scalar.string == "true"
  }

  /// The mapping of a key, nil where it is absent.
  func mapping(_ key: String, known: [String]) throws -> StrictMapping? {
    try entries[key].map { try StrictMapping($0.value, place + [key], known: known) }
  }

  /// A list of mappings, nil where the key is absent.
  func mappings(_ key: String, known: [String]) throws -> [StrictMapping]? {
    try sequence(key, "a list")?.enumerated().map { index, node in
      try StrictMapping(node, place + ["\(key)[\(index)]"], known: known)
    }
  }

  /// What a text stands for, nil where the key is absent; errors of `decode` gain line and key.
  func value<Value>(_ key: String, _ decode: (String) throws -> Value) throws -> Value? {
    guard let entry = entries[key], let text = try text(key) else { return nil }
    return try located(key, entry.line) { try decode(text) }
  }

  /// What a list of texts stands for, nil where the key is absent.
  func values<Value>(_ key: String, _ decode: (String) throws -> Value) throws -> [Value]? {
    try sequence(key, "a list of texts")?.map { node in
      let line = node.mark?.line ?? line
      let text = try text(node, key, line)
      return try located(key, line) { try decode(text) }
    }
  }

  // MARK: Errors

  /// An error about the mapping, or one of its keys.
  func error(_ code: RecipeError.Code, _ message: String, key: String? = nil) -> RecipeError {
    let line = key.flatMap { entries[$0]?.line } ?? self.line
    return Self.error(code, message, line, place + (key.map { [$0] } ?? []))
  }

  private func text(_ node: Node, _ key: String, _ line: Int) throws -> String {
    guard case .scalar(let scalar) = node, node.tag == Tag(.str) else {
      throw wrong(node, key, "text, in quotes where it could be taken for something else", line)
    }
    return scalar.string
  }

  private func sequence(_ key: String, _ expected: String) throws -> [Node]? {
    guard let entry = entries[key] else { return nil }
    guard case .sequence(let sequence) = entry.value else {
      throw wrong(entry.value, key, expected, entry.line)
    }
    return Array(sequence)
  }

  private func located<Value>(
    _ key: String, _ line: Int, _ body: () throws -> Value
  ) throws -> Value {
    do {
      return try body()
    } catch let error as any LocatedError {
      throw Self.error(.invalidValue, error.message, line, place + [key])
    }
  }

  private func wrong(_ node: Node, _ key: String, _ expected: String, _ line: Int) -> RecipeError {
    Self.error(
      .invalidValue, "is \(Self.text(of: node)); must be \(expected)", line, place + [key])
  }

  private static func error(
    _ code: RecipeError.Code, _ message: String, _ line: Int, _ place: [String]
  ) -> RecipeError { RecipeError(code, message, path: ["line \(line)"] + place) }

  private static func list(_ keys: [String]) -> String { keys.joined(separator: ", ") }

  private static func text(of node: Node) -> String {
    switch node {
    case .scalar(let scalar): scalar.string.isEmpty ? "empty" : "'\(scalar.string)'"
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .alias: "an alias"
    }
  }
}
