/// Rows of cells in columns, for a terminal.
package struct TextTable {
  /// How a column's cells stand.
  package enum Alignment: Sendable {
    case left
    case right
  }

  private let heading: [String]
  private let alignments: [Alignment]
  private var rows: [[String]] = []

  /// A table of the given columns.
  package init(_ columns: (heading: String, alignment: Alignment)...) { self.init(columns) }

  /// A table of the given columns.
  package init(_ columns: [(heading: String, alignment: Alignment)]) {
    heading = columns.map(\.heading)
    alignments = columns.map(\.alignment)
  }

  /// Adds a row. Traps where it has not one cell a column.
  package mutating func add(_ cells: String...) { add(cells) }

  /// Adds a row. Traps where it has not one cell a column.
  package mutating func add(_ cells: [String]) {
    precondition(cells.count == heading.count, "\(cells.count) cells in \(heading.count) columns")
    rows.append(cells)
  }

  /// The table's lines; where it is wider than `width`, the first column is shortened in the middle, to `leastName` cells at
  /// least and never so far that different names look alike: lines may then be longer.
  package func text(width: Int = 100, leastName: Int = 8) -> String {
    let lines = [heading] + rows
    var widths = heading.indices.map { column in
      lines.map { $0[column].displayWidth }.max() ?? 0
    }
    let total = widths.reduce(0, +) + 2 * (widths.count - 1)
    if total > width {
      let least = max(widths[0] - (total - width), min(widths[0], leastName))
      let names = Set(rows.map { $0[0] })
      widths[0] =
        (least..<widths[0]).first { width in
          Set(names.map { $0.shortened(to: width) }).count == names.count
        } ?? widths[0]
    }
    let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
    var text = lines.map { line($0, widths) }
    text.insert(rule, at: 1)
    return text.joined(separator: "\n")
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    let padded = cells.indices.map { column in
      let cell = cells[column].shortened(to: widths[column])
      let space = String(repeating: " ", count: max(widths[column] - cell.displayWidth, 0))
      return alignments[column] == .left ? cell + space : space + cell
    }
    var line = padded.joined(separator: "  ")
    while line.last == " " { line.removeLast() }
    return line
  }
}

extension String {
  /// The number of a terminal's cells that the text takes: 2 for each wide East Asian character and emoji, else 1.
  package var displayWidth: Int { reduce(0) { $0 + $1.displayWidth } }

  /// The text, or its beginning and end with `…` between, at most `width` cells wide.
  package func shortened(to width: Int) -> String {
    guard displayWidth > width, width > 0 else { return self }
    var head = Array(self)
    var tail: [Character] = []
    // Half of what is left goes to each side.
    let half = (width - 1) / 2
    while tail.reduce(0, { $0 + $1.displayWidth }) < half, let last = head.popLast() {
      tail.insert(last, at: 0)
    }
    let room = width - 1 - tail.reduce(0) { $0 + $1.displayWidth }
    while head.reduce(0, { $0 + $1.displayWidth }) > room { head.removeLast() }
    return String(head) + "…" + String(tail)
  }
}

extension Character {
  fileprivate var displayWidth: Int {
    guard let scalar = unicodeScalars.first else { return 0 }
    // Unicode Standard Annex 11: the blocks of wide and fullwidth characters.
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }
}
