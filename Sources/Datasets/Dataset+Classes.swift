public import Graphs
import Tensors

extension Dataset {
  /// Throws ``DatasetError`` where classes were numbered by the order of their names, and a network's first output has another
  /// number of classes: the numbers then can't be the network's. So where a label is none of the network's classes.
  ///
  /// An output whose last axis is of unknown length can't be checked.
  public func checkClasses(for graph: Graph) throws {
    try checkLabels(for: graph)
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

  /// Refuses labels that are numbers of no class, where the network scores each sample once and says of how many classes.
  private func checkLabels(for graph: Graph) throws {
    guard classNames == nil, let labels, let dimensions = graph.outputs.first?.type.dimensions,
      dimensions.count == 2, let length = dimensions[1].length,
      let index = labels.firstIndex(where: { !(0..<length).contains($0) })
    else { return }
    throw DatasetError(
      .mismatch,
      "\(labelPlace(at: index)) has the label \(labels[index]), the network has "
        + "\(counted(length, "class", "classes")); number the classes from 0 as the network does")
  }
}
