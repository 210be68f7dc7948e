import Graphs
import Tensors

extension ModelSummary {
  /// The summary for a terminal.
  ///
  /// - Parameters:
  ///   - width: the cells of a line; names are shortened to fit.
  ///   - listsNodes: whether every node is listed with the types of its outputs and the work that it is.
  public func text(width: Int = 120, listsNodes: Bool = false) -> String {
    var lines = ["graph       \(name)"]
    if !producer.isEmpty { lines.append("producer    \(producer)") }
    let versions = opsets.sorted { $0.key < $1.key }
      .map { "\($0.key.isEmpty ? "ai.onnx" : $0.key) \($0.value)" }
    lines.append("opset       \(versions.joined(separator: ", "))")
    lines += inputs.map { "input       \($0.name): \($0.type)" }
    lines += outputs.map { "output      \($0.name): \($0.type)" }
    let sizes = constantBytes.map { "\($0.type) \(counted($0.count)) (\(bytes($0.bytes)))" }
    let all = constantBytes.reduce(0) { $0 + $1.bytes }
    lines.append(
      "parameters  \(counted(parameterCount)) (\(bytes(all)))"
        + (sizes.count > 1 ? ": " + sizes.joined(separator: ", ") : ""))
    let atLeast = lacksMultiplications ? "at least " : ""
    lines.append(
      "work        \(atLeast)\(counted(multiplications)) multiply-adds a run\(openLengths)")
    var tables = [operatorTable]
    if listsNodes { tables.append(nodeTable) }
    if !tensors.isEmpty { tables.append(tensorTable) }
    if !quantizedValues.isEmpty { tables.append(valueTable) }
    return lines.joined(separator: "\n") + "\n\n"
      + tables.map { $0.text(width: width, leastName: 24) }.joined(separator: "\n\n")
  }

  /// What open lengths were taken as, as in ` with N = 1`.
  private var openLengths: String {
    let names = inputs.flatMap { $0.type.dimensions ?? [] }.filter { $0.length == nil }
    let unique = Array(Set(names.map(\.description))).sorted()
    return unique.isEmpty ? "" : " with " + unique.map { "\($0) = 1" }.joined(separator: ", ")
  }

  private var operatorTable: TextTable {
    var table = TextTable(
      ("operator", .left), ("nodes", .right), ("parameters", .right), ("multiply-adds", .right))
    for entry in operators {
      table.add(
        "\(entry.operation)" + (entry.isSupported ? "" : " (not supported)"), "\(entry.count)",
        entry.parameterCount == 0 ? "" : counted(entry.parameterCount),
        entry.multiplications.map { $0 == 0 ? "" : counted($0) } ?? "–")
    }
    return table
  }

  private var nodeTable: TextTable {
    var table = TextTable(
      ("node", .left), ("operator", .left), ("output", .left), ("parameters", .right),
      ("multiply-adds", .right))
    for node in nodes {
      table.add(
        node.label, "\(node.operation)", node.outputs.first.map { "\($0.type)" } ?? "",
        node.parameterCount == 0 ? "" : counted(node.parameterCount),
        node.multiplications.map { $0 == 0 ? "" : counted($0) } ?? "–")
    }
    return table
  }

  private var tensorTable: TextTable {
    let hasCodes = tensors.contains { $0.quantization != nil }
    var table = TextTable(
      [
        ("constant", .left), ("type", .left), ("size", .right), ("least", .right),
        ("greatest", .right), ("mean", .right), ("deviation", .right), ("spread", .left),
      ] + (hasCodes ? [("scales", .left)] : []))
    for tensor in tensors {
      let spread = tensor.spread
      func figure(_ value: Double?) -> String { value.map { significant($0, 3) } ?? "–" }
      let shown = [spread.map { "│\($0.sparkline)│" } ?? "", tensor.nonFinite.summary]
      let cells = [
        tensor.name, "\(tensor.elementType)\(tensor.shape)", bytes(tensor.byteCount),
        figure(spread?.minimum), figure(spread?.maximum), figure(spread?.mean),
        figure(spread?.deviation), shown.filter { !$0.isEmpty }.joined(separator: " "),
      ]
      let scales = tensor.quantization.map { "\($0.scaleText) \($0.granularity)" } ?? ""
      table.add(cells + (hasCodes ? [scales] : []))
    }
    return table
  }

  private var valueTable: TextTable {
    var table = TextTable(
      ("quantized value", .left), ("codes", .left), ("least", .right), ("greatest", .right),
      ("scale", .left), ("zero point", .right), ("granularity", .left))
    for value in quantizedValues {
      let points = value.zeroPoints
      table.add(
        value.name, value.code.rawValue,
        value.range.map { significant($0.lowerBound, 4) } ?? "–",
        value.range.map { significant($0.upperBound, 4) } ?? "–", value.scaleText,
        points.count == 1 ? "\(points.lowerBound)" : "\(points.lowerBound)…\(points.upperBound)",
        value.granularity)
    }
    return table
  }
}

extension QuantizationSummary {
  /// The scale, or the least and the greatest, as in `0.00012…0.31`.
  fileprivate var scaleText: String {
    let (low, high) = (significant(scales.lowerBound, 3), significant(scales.upperBound, 3))
    return low == high ? low : "\(low)…\(high)"
  }
}
