import Foundation
import Tensors

/// A CSV file that lists pictures and their classes: `file,label` a line, files below the list's folder.
struct PictureList {
  /// Paths as the list has them.
  let files: [String]
  /// The line of each picture, from 1.
  let lines: [Int]
  /// The class of each picture, nil where the list has one column.
  let labels: [Int]?
  let classNames: [String]?

  /// Lists are lines of names; anything longer is another kind of file.
  private static let greatestByteCount = 1 << 28

  /// Reads a list; a first line that begins with `file`, `filename`, `path` or `image` is a heading.
  ///
  /// Throws ``DatasetError`` that names the line.
  init(contentsOf path: String) throws {
    let file = try MappedFile(path: path)
    guard file.byteCount <= Self.greatestByteCount else {
      throw DatasetError(.invalidFile, "is too long for a list of files", path: [path])
    }
    var records = try located(path) {
      try Self.records(String(decoding: file.bytes, as: UTF8.self))
    }
    let headings = ["file", "filename", "path", "image"]
    if let first = records.first, headings.contains(first.fields[0].lowercased()) {
      records.removeFirst()
    }
    guard let first = records.first else {
      throw DatasetError(
        .empty, "lists no files; expected lines of file,label", path: [path])
    }
    for record in records {
      guard record.fields.count == first.fields.count, record.fields.count <= 2,
        !record.fields.contains("")
      else {
        throw DatasetError(
          .invalidFile, "line \(record.line) is not a file and a label; expected file,label",
          path: [path])
      }
    }
    files = records.map { $0.fields[0] }
    lines = records.map(\.line)
    if first.fields.count == 2 {
      let classes = Classes(names: records.map { $0.fields[1] })
      labels = records.map { classes.number(of: $0.fields[1]) }
      classNames = classes.names
    } else {
      (labels, classNames) = (nil, nil)
    }
  }

  private typealias Record = (line: Int, fields: [String])

  /// Source: RFC 4180, without line breaks inside of quotes.
  private static func records(_ text: String) throws -> [Record] {
    var records: [Record] = []
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() {
      if line.allSatisfy(\.isWhitespace) { continue }
      records.append((index + 1, try fields(line, index + 1)))
    }
    return records
  }

  private static func fields(_ line: Substring, _ number: Int) throws -> [String] {
    var fields: [String] = []
    var field = ""
    var isQuoted = false
    var rest = line[...]
    while let character = rest.popFirst() {
      switch (character, isQuoted) {
      case ("\"", true) where rest.first == "\"": field.append(rest.removeFirst())
      case ("\"", _): isQuoted.toggle()
      case (",", false):
        fields.append(field.trimmingCharacters(in: .whitespaces))
        field = ""
      default: field.append(character)
      }
    }
    guard !isQuoted else {
      throw DatasetError(.invalidFile, "line \(number) has a quote that does not end")
    }
    return fields + [field.trimmingCharacters(in: .whitespaces)]
  }
}
