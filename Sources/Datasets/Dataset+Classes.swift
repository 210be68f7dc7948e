public import Graphs
import Tensors

extension Dataset {
  /// Throws ``DatasetError`` where classes were numbered by the order of their names, and a network's first output has another
  /// number of classes: the numbers then can't be the network's.
  ///
  /// An output whose last axis is of unknown length can't be checked.
  public func checkClasses(for graph: Graph) throws {
    guard let classNames,
      let length = graph.outputs.first?.type.dimensions?.last?.length, length != classNames.count
    else { return }
    let examples = classNames.prefix(3).enumerated().map { "'\($1)' as \($0)" }
    let list = examples.joined(separator: ", ") + (classNames.count > 3 ? ", …" : "")
    throw DatasetError(
      .mismatch,
      "names \(counted(classNames.count, "class", "classes")) (\(list)), the network has "
        + "\(length); names that are numbers are class numbers, other names are numbered in sorted "
        + "order: name the folders by the network's class numbers, or give a CSV of file,number")
  }
}
