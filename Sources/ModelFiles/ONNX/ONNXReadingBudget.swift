import Tensors

/// How much memory the parts of a network's description may take while they are read.
///
/// A node of five bytes in a file takes hundreds in memory, so a file of nothing else would take fifty times its size. Each
/// part is charged what it takes, the checks of names and order that follow included; beyond the file's own size plus
/// ``allowance`` the file is refused. Weights are not charged: they stay in the file.
final class ONNXReadingBudget {
  /// What one part takes at most, in bytes: measured on files that hold millions of it.
  enum Part: Int {
    case number = 24
    case text = 48
    case value = 200
    case node = 250
    case attribute = 300
    case tensor = 400
    case graph = 500
  }

  /// What a description may take beyond the file's size: room for some 250,000 nodes, ten times what the largest
  /// networks in use have.
  static let allowance = 512 << 20

  private let limit: Int
  private var spent = 0

  /// The budget of a file of so many bytes.
  init(fileByteCount: Int) { limit = fileByteCount + Self.allowance }

  /// Accounts for `count` parts before they are made. Throws ``ModelFileError`` where they are too many.
  func spend(_ part: Part, _ count: Int = 1) throws {
    // Counts are bounded by the file's size: no overflow.
    spent += part.rawValue * count
    guard spent <= limit else {
      throw ModelFileError(
        .unsupported,
        "describes so many nodes, names and settings that they would take more than "
          + "\(limit >> 20) MiB of memory; no network in use comes near: export it again")
    }
  }
}
