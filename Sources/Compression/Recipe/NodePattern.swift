/// Which nodes a line of a recipe is about.
public enum NodePattern: Hashable, Sendable {
  /// Those whose name is this text, in which each `*` stands for any characters; a node without a name is also known by what
  /// plans and reports call it, as in `Gather → e`.
  case name(String)
  /// Those of one operator, as in `operator:Softmax`; those of other domains than ONNX's own with the domain in front, as in
  /// `operator:com.microsoft.QGemm`.
  case operation(String)
  /// The first node in the graph that has weights.
  case first
  /// The last node in the graph that has weights.
  case last
}

/// What patterns look at.
public struct NodeIdentity: Hashable, Sendable {
  /// The node's name; that of its first output where it has none.
  public var name: String
  /// What plans and reports call it, where that is not its name.
  public var label: String?
  /// The operator, with its domain in front where that is not ONNX's own.
  public var operation: String
  /// Whether it is the first node in the graph that has weights.
  public var isFirst: Bool
  /// Whether it is the last node in the graph that has weights.
  public var isLast: Bool

  /// What patterns look at.
  public init(
    name: String, label: String? = nil, operation: String, isFirst: Bool = false,
    isLast: Bool = false
  ) {
    (self.name, self.label, self.operation) = (name, label, operation)
    (self.isFirst, self.isLast) = (isFirst, isLast)
  }
}

extension NodePattern {
  private static let operatorPrefix = "operator:"

  /// Whether the pattern is about that node.
  public func matches(_ node: NodeIdentity) -> Bool {
    switch self {
    case .name(let pattern):
      [node.name, node.label].compactMap { $0 }.contains {
        NodePattern.matches(Array(pattern.utf8), Array($0.utf8))
      }
    case .operation(let operation): operation == node.operation
    case .first: node.isFirst
    case .last: node.isLast
    }
  }

  /// Matches text against a pattern with `*`, in time proportional to the product of their lengths at worst.
  private static func matches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
    let star = UInt8(ascii: "*")
    var (p, t) = (0, 0)
    /// Where the latest star stands and how far it reaches, to extend it where the rest does not match.
    var retry: (star: Int, text: Int)?
    while t < text.count {
      if p < pattern.count, pattern[p] == star {
        retry = (p, t)
        p += 1
      } else if p < pattern.count, pattern[p] == text[t] {
        (p, t) = (p + 1, t + 1)
      } else if let (from, reached) = retry {
        retry = (from, reached + 1)
        (p, t) = (from + 1, reached + 1)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == star }
  }
}

extension NodePattern: CustomStringConvertible {
  /// As it stands in a recipe.
  public var description: String {
    switch self {
    case .name(let pattern): pattern
    case .operation(let operation): NodePattern.operatorPrefix + operation
    case .first: "first"
    case .last: "last"
    }
  }

  /// The pattern that text stands for. Throws ``RecipeError`` where it is empty or names no operator.
  public init(_ text: String) throws {
    switch text {
    case "first": self = .first
    case "last": self = .last
    case "", NodePattern.operatorPrefix:
      throw RecipeError(
        .invalidValue,
        "'\(text)' matches nothing; must be a node's name, in which * stands for any characters, "
          + "operator:NAME, first or last")
    default:
      self =
        text.hasPrefix(NodePattern.operatorPrefix)
        ? .operation(String(text.dropFirst(NodePattern.operatorPrefix.count))) : .name(text)
    }
  }
}
