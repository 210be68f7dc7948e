/// How much of a network's weights became codes, and what stayed float.
public struct WeightShare: Sendable, CustomStringConvertible {
  /// A constant that stayed float.
  public struct FloatWeight: Sendable {
    /// The constant's name, the node that reads it with its operator, and why it stayed float; the last may be empty.
    public let name, node, operation, reason: String
    /// The bytes it takes.
    public let byteCount: Int

    /// A constant that stayed float.
    public init(name: String, node: String, operation: String, byteCount: Int, reason: String) {
      (self.name, self.node, self.operation) = (name, node, operation)
      (self.byteCount, self.reason) = (byteCount, reason)
    }
  }

  /// The bytes of all floating-point constants before.
  public let total: Int
  /// Those that stayed float, the largest first.
  public let float: [FloatWeight]

  /// How many of them a text names.
  private static let namedCount = 6

  /// What became of `total` bytes, of which `float` stayed as they were.
  public init(total: Int, float: [FloatWeight]) { (self.total, self.float) = (total, float) }

  /// The bytes that stayed float.
  public var floatByteCount: Int { float.reduce(0) { $0 + $1.byteCount } }

  /// The share of the bytes that became codes, from 0 to 1; 1 where there are none.
  public var codes: Double {
    total == 0 ? 1 : Double(total - floatByteCount) / Double(total)
  }

  /// As in `94.2 % of the weights' 18.8 MB become codes; float stay 1.1 MB`.
  public var summary: String {
    "\(fixed(codes * 100, 1)) % of the weights' \(bytes(total)) become codes"
      + (float.isEmpty ? "" : "; float stay \(bytes(floatByteCount))")
  }

  /// The largest that stayed float, and how many more there are: name, bytes, reader, reason.
  var rows: [[String]] {
    var rows = float.prefix(Self.namedCount).map { weight in
      [weight.name, bytes(weight.byteCount), "\(weight.operation) \(weight.node)", weight.reason]
    }
    let rest = float.dropFirst(Self.namedCount)
    if !rest.isEmpty {
      rows.append(["… and \(rest.count) more", bytes(rest.reduce(0) { $0 + $1.byteCount }), "", ""])
    }
    return rows
  }

  /// The summary, and below it a line for each of the largest that stayed float.
  public var description: String { text(width: 100) }

  /// The same in lines of at most `width` cells, as far as names and reasons can be shortened.
  func text(width: Int) -> String {
    guard !float.isEmpty else { return summary }
    var table = TextTable(
      ("stays float", .left), ("bytes", .right), ("read by", .left), ("why", .left))
    for row in rows { table.add(row[0], row[1], row[2], row[3]) }
    return summary + "\n" + table.text(width: width)
  }
}
