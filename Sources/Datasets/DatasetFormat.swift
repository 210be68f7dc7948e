import Foundation
public import Graphs
public import Tensors

/// A kind of data that a ``Dataset`` can be made from.
public struct DatasetFormat: Sendable {
  /// What it is called, as in `.npz`.
  public let name: String
  /// What such data has to look like, in one sentence.
  public let expectation: String
  /// Whether a file or folder is of the kind, told from its name and its first bytes.
  let recognizes: @Sendable (_ path: String, _ isFolder: Bool) -> Bool
  let open: @Sendable (_ path: String, Graph, Preprocessing?) throws -> any DatasetSource
}

/// Every kind of data; the first one that recognizes a path reads it.
public let datasetFormats: [DatasetFormat] = [
  DatasetFormat(
    name: "picture folder",
    expectation:
      "a folder of JPEG or PNG files; sub-folders, or a file labels.csv in it, give the classes",
    recognizes: { _, isFolder in isFolder }, open: openPictureFolder),
  DatasetFormat(
    name: ".npz",
    expectation: "one array per input of the network, first axis the sample, and labels (int64)",
    recognizes: { path, _ in path.hasSuffix(".npz") },
    open: { path, graph, preprocessing in
      try located(path) {
        try refuse(preprocessing, "arrays")
        let archive = try unlocated {
          try NumPyArchive(contentsOf: path) { try ArraySource.check($0, graph) }
        }
        return try ArraySource(archive.arrays, for: graph)
      }
    }),
  DatasetFormat(
    name: ".npy", expectation: "the one input of the network, first axis the sample",
    recognizes: { path, _ in path.hasSuffix(".npy") }, open: openArray),
  DatasetFormat(
    name: "IDX",
    expectation: "pictures in MNIST's format, .gz or not; labels beside them by name",
    recognizes: { path, _ in IDXFile.recognizes(path) }, open: openIDX),
  DatasetFormat(
    name: "CSV", expectation: "lines of file,label with files beside the list",
    recognizes: { path, _ in path.hasSuffix(".csv") }, open: openPictureList),
]

extension Dataset {
  /// The data in a file or folder, as the inputs of a network.
  ///
  /// - Parameters:
  ///   - path: any of ``datasetFormats``.
  ///   - graph: the network whose inputs the samples become.
  ///   - preprocessing: how pictures become inputs; nil derives it from the network's input, see
  ///     ``describedPreprocessing``.
  ///
  /// Throws ``DatasetError`` where the data is of no known kind, empty, damaged or does not fit the network, ``FileError`` where
  /// it can't be read.
  public init(
    contentsOf path: String, for graph: Graph, preprocessing: Preprocessing? = nil
  ) throws {
    var isFolder: ObjCBool = false
    if !FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
      _ = try MappedFile(path: path)
    }
    guard let format = datasetFormats.first(where: { $0.recognizes(path, isFolder.boolValue) })
    else {
      let list = datasetFormats.map { "\($0.name) (\($0.expectation))" }.joined(separator: "; ")
      throw DatasetError(
        .unsupported, "is no data of a known kind; there are \(list)", path: [path])
    }
    self.init(try format.open(path, graph, preprocessing), path: path)
  }

  /// Samples in memory: one array per input of the network, first axis the sample, and `labels` if you like.
  ///
  /// Throws ``DatasetError`` where they don't fit the network.
  public init(_ arrays: [String: Tensor], for graph: Graph) throws {
    self.init(try ArraySource(arrays, for: graph))
  }
}

// MARK: - Opening

/// Runs `body`; its errors lose the outermost place, which the caller adds.
private func unlocated<Result>(_ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch var error as any LocatedError {
    error.path.removeFirst()
    throw error
  }
}

/// A number of things, as in `1 picture` and `2 pictures`.
package func counted(_ count: Int, _ one: String, _ many: String? = nil) -> String {
  "\(count) \(count == 1 ? one : many ?? one + "s")"
}

private func refuse(_ preprocessing: Preprocessing?, _ what: String) throws {
  guard preprocessing == nil else {
    throw DatasetError(
      .invalidSetting, "holds \(what), which are used as they are; leave the preprocessing out")
  }
}

@Sendable private func openArray(
  _ path: String, _ graph: Graph, _ preprocessing: Preprocessing?
) throws -> any DatasetSource {
  let array = try Tensor(contentsOfNumPy: path)
  return try located(path) {
    try refuse(preprocessing, "an array")
    let inputs = graph.givenInputs
    guard inputs.count == 1 else {
      let list = inputs.map { "'\($0.name)'" }.joined(separator: ", ")
      throw DatasetError(
        .mismatch,
        "is one array, the network has \(inputs.count) inputs (\(list)); give them as .npz")
    }
    return try ArraySource([inputs[0].name: array], for: graph)
  }
}

@Sendable private func openPictureFolder(
  _ path: String, _ graph: Graph, _ preprocessing: Preprocessing?
) throws -> any DatasetSource {
  if FileManager.default.fileExists(atPath: path + "/" + PictureFolder.listName) {
    return try openPictureList(path + "/" + PictureFolder.listName, graph, preprocessing)
  }
  let folder = try PictureFolder(contentsOf: path)
  var title = "\(counted(folder.files.count, "picture")) in \(path)"
  if let labels = folder.labels {
    title += " of \(counted(Set(labels).count, "class", "classes")) by folder"
  }
  if !folder.otherFiles.isEmpty {
    title += " (left out, no pictures: \(folder.otherFiles.joined(separator: ", ")))"
  }
  let files = folder.files
  return try located(path) {
    try PictureSource(
      title, count: files.count, labels: folder.labels, classNames: folder.classNames,
      names: files, for: graph, preprocessing
    ) { try Picture(contentsOf: path + "/" + files[$0]) }
  }
}

@Sendable private func openPictureList(
  _ path: String, _ graph: Graph, _ preprocessing: Preprocessing?
) throws -> any DatasetSource {
  let list = try PictureList(contentsOf: path)
  let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
  let files = list.files.map { URL(fileURLWithPath: $0, relativeTo: folder).path }
  let missing = zip(list.files, files).filter { !FileManager.default.fileExists(atPath: $1) }
  guard missing.isEmpty else {
    throw DatasetError(
      .invalidFile,
      "lists \(missing.count) files that are not there: "
        + missing.map(\.0).joined(separator: ", "), path: [path])
  }
  var title = "\(counted(files.count, "picture")) listed in \(path)"
  if let labels = list.labels { title += " of \(counted(Set(labels).count, "class", "classes"))" }
  return try located(path) {
    try PictureSource(
      title, count: files.count, labels: list.labels, classNames: list.classNames,
      names: list.files,
      labelPlace: { "line \(list.lines[$0]) of \(URL(fileURLWithPath: path).lastPathComponent)" },
      for: graph, preprocessing
    ) { try Picture(contentsOf: files[$0]) }
  }
}

@Sendable private func openIDX(
  _ path: String, _ graph: Graph, _ preprocessing: Preprocessing?
) throws -> any DatasetSource {
  let pictures = try IDXFile(contentsOf: path).array
  let shape = pictures.shape
  try located(path) {
    guard shape.rank == 3 || shape.rank == 4 && shape[3] == 3 else {
      throw DatasetError(
        .mismatch,
        "holds an array of shape \(shape); pictures of [count, rows, columns] are expected"
          + (shape.rank == 1 ? ": give the file of pictures, its labels are found beside it" : ""))
    }
    guard shape.count > 0 else { throw DatasetError(.empty, "holds no pictures") }
  }
  var labels: [Int]?
  var labelsName = ""
  var title = "\(counted(shape[0], "picture")) of \(shape[1]) × \(shape[2]) pixels in \(path)"
  if let labelsPath = IDXFile.labelsPath(besides: path) {
    let array = try IDXFile(contentsOf: labelsPath).array
    guard array.shape == [shape[0]] else {
      throw DatasetError(
        .mismatch,
        "holds labels of shape \(array.shape) for \(counted(shape[0], "picture")) in \(path)",
        path: [labelsPath])
    }
    labels = array.integers()
    labelsName = URL(fileURLWithPath: labelsPath).lastPathComponent
    title += ", labels from \(labelsName)"
  }
  let labelPlace: @Sendable (Int) -> String = { [labelsName] in "sample \($0) of \(labelsName)" }
  return try located(path) {
    try PictureSource(
      title, count: shape[0], labels: labels, labelPlace: labelPlace, for: graph, preprocessing
    ) {
      IDXFile.picture($0, of: pictures)
    }
  }
}
