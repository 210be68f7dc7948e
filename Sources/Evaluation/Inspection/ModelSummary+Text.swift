import Graphs
import Tensors

extension ModelSummary {
  /// The summary for a terminal.
  public func text(width: Int = 110) -> String {
    var lines = ["graph     \(name)"]
    if !producer.isEmpty { lines.append("producer  \(producer)") }
    let versions = opsets.sorted { $0.key < $1.key }
      .map { "\($0.key.isEmpty ? "ai.onnx" : $0.key) \($0.value)" }
    lines.append("opset     \(versions.joined(separator: ", "))")
    lines += inputs.map { "input     \($0.name): \($0.type)" }
    lines += outputs.map { "output    \($0.name): \($0.type)" }
    lines += constantBytes.map { "constants \($0.type): \($0.count) numbers, \(bytes($0.bytes))" }
    lines.append("")
    lines.append(operatorTable.text(width: width))
    if !tensors.isEmpty {
      lines.append("")
      lines.append(tensorTable.text(width: width))
    }
    return lines.joined(separator: "\n")
  }

  private var operatorTable: TextTable {
    var table = TextTable(("operator", .left), ("nodes", .right), ("", .left))
    for entry in operators {
      table.add("\(entry.operation)", "\(entry.count)", entry.isSupported ? "" : "not supported")
    }
    return table
  }

  private var tensorTable: TextTable {
    var table = TextTable(
      ("constant", .left), ("type", .left), ("size", .right), ("least", .right),
      ("greatest", .right), ("deviation", .right), ("spread", .left))
    for tensor in tensors {
      let spread = tensor.spread
      func figure(_ value: Double?) -> String { value.map { significant($0, 4) } ?? "–" }
      let warning = tensor.nonFiniteCount > 0 ? " \(tensor.nonFiniteCount) not finite" : ""
      table.add(
        tensor.name, "\(tensor.elementType)\(tensor.shape)", bytes(tensor.byteCount),
        figure(spread?.minimum), figure(spread?.maximum), figure(spread?.deviation),
        (spread.map { "│\($0.sparkline)│" } ?? "") + warning)
    }
    return table
  }

  /// The summary as JSON; bytes in keys that end in `_bytes`.
  public var json: String {
    JSON.members([
      "schema": .string("tessera.inspection/1"), "name": .string(name),
      "producer": .string(producer),
      "opsets": .array(
        opsets.sorted { $0.key < $1.key }.map {
          .members(["domain": .string($0.key), "version": .int($0.value)])
        }),
      "inputs": .array(inputs.map(Self.json)), "outputs": .array(outputs.map(Self.json)),
      "operators": .array(
        operators.map {
          .members([
            "operator": .string("\($0.operation)"), "count": .int($0.count),
            "supported": .bool($0.isSupported),
          ])
        }),
      "constants": .array(tensors.map(\.json)),
    ]).text
  }

  private static func json(_ value: Graph.Value) -> JSON {
    .members(["name": .string(value.name), "type": .string("\(value.type)")])
  }
}

extension TensorSummary {
  fileprivate var json: JSON {
    .members([
      "name": .string(name), "type": .string(elementType.rawValue),
      "shape": .array(shape.dimensions.map { .int($0) }), "size_bytes": .int(byteCount),
      "not_finite": .int(nonFiniteCount), "least": spread.map { .number($0.minimum) },
      "greatest": spread.map { .number($0.maximum) }, "mean": spread.map { .number($0.mean) },
      "deviation": spread.map { .number($0.deviation) },
      "histogram": spread.map { .array($0.histogram.counts.map { .int($0) }) },
    ])
  }
}
