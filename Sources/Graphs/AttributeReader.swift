public import Tensors

/// Decodes a node's attributes, and remembers which ones were asked for.
public struct AttributeReader {
  private let attributes: [String: AttributeValue]
  private var asked: Set<String> = []

  /// The version of the operator set that the node is written in.
  public let opset: Int

  /// A reader of the given attributes.
  public init(_ attributes: [String: AttributeValue], opset: Int) {
    self.attributes = attributes
    self.opset = opset
  }

  /// The names of attributes that nobody asked for, in order.
  public var unread: [String] { attributes.keys.filter { !asked.contains($0) }.sorted() }

  /// Marks attributes as known though their values play no role.
  public mutating func ignore(_ names: String...) { asked.formUnion(names) }

  /// An integer, nil where the attribute is absent.
  public mutating func int(_ name: String) throws -> Int? {
    try value(name, "an integer") { if case .int(let value) = $0 { value } else { nil } }
  }

  /// An integer, or what it is where the attribute is absent.
  public mutating func int(_ name: String, default absent: Int) throws -> Int {
    try int(name) ?? absent
  }

  /// An integer that is either 0 or 1.
  public mutating func flag(_ name: String, default absent: Bool) throws -> Bool {
    guard let value = try int(name) else { return absent }
    guard value == 0 || value == 1 else { throw invalid(name, "is \(value); must be 0 or 1") }
    return value == 1
  }

  /// A number, nil where the attribute is absent.
  public mutating func float(_ name: String) throws -> Float? {
    try value(name, "a number") { if case .float(let value) = $0 { value } else { nil } }
  }

  /// A number, or what it is where the attribute is absent.
  public mutating func float(_ name: String, default absent: Float) throws -> Float {
    try float(name) ?? absent
  }

  /// A text, nil where the attribute is absent.
  public mutating func string(_ name: String) throws -> String? {
    try value(name, "a text") { if case .string(let value) = $0 { value } else { nil } }
  }

  /// One of the cases of an enum of texts, or what it is where the attribute is absent.
  public mutating func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, default absent: Choice
  ) throws -> Choice where Choice.RawValue == String {
    guard let text = try string(name) else { return absent }
    guard let choice = Choice(rawValue: text) else {
      let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw invalid(name, "is '\(text)'; known are \(known)")
    }
    return choice
  }

  /// A list of integers, nil where the attribute is absent.
  public mutating func ints(_ name: String) throws -> [Int]? {
    try value(name, "a list of integers") {
      if case .ints(let value) = $0 { value } else { nil }
    }
  }

  /// A list of numbers, nil where the attribute is absent.
  public mutating func floats(_ name: String) throws -> [Float]? {
    try value(name, "a list of numbers") {
      if case .floats(let value) = $0 { value } else { nil }
    }
  }

  /// A list of texts, nil where the attribute is absent.
  public mutating func strings(_ name: String) throws -> [String]? {
    try value(name, "a list of texts") {
      if case .strings(let value) = $0 { value } else { nil }
    }
  }

  /// A tensor, nil where the attribute is absent.
  public mutating func tensor(_ name: String) throws -> Tensor? {
    try value(name, "a tensor") { if case .tensor(let value) = $0 { value } else { nil } }
  }

  /// A graph, nil where the attribute is absent.
  public mutating func graph(_ name: String) throws -> Graph? {
    try value(name, "a graph") { if case .graph(let value) = $0 { value } else { nil } }
  }

  /// What an attribute is, which must be there.
  public func required<Value>(_ name: String, _ value: Value?) throws -> Value {
    guard let value else { throw invalid(name, "is missing; the operator needs it") }
    return value
  }

  /// The error that says what is wrong with an attribute.
  public func invalid(_ name: String, _ problem: String) -> GraphError {
    GraphError(.invalidAttribute, "attribute '\(name)' \(problem)")
  }

  private mutating func value<Value>(
    _ name: String, _ kind: String, _ read: (AttributeValue) -> Value?
  ) throws -> Value? {
    asked.insert(name)
    guard let attribute = attributes[name] else { return nil }
    guard let value = read(attribute) else {
      throw invalid(name, "is \(attribute.kind); must be \(kind)")
    }
    return value
  }
}
