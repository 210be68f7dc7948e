import Foundation
import Graphs
import Tensors

/// The picture files below a folder, with the classes that sub-folders or a list give them.
struct PictureFolder {
  /// Paths below the folder.
  private(set) var files: [String] = []
  private(set) var labels: [Int]?
  private(set) var classNames: [String]?
  /// Files that are no pictures.
  private(set) var otherFiles: [String] = []
  let path: String

  /// The name of the list that gives classes where it lies in the folder.
  static let listName = "labels.csv"

  /// Finds the pictures of a folder: those in it without classes, or those in its sub-folders, one a class.
  ///
  /// Sub-folders that are all named by numbers are these classes; other names are numbered in alphabetical order. Throws
  /// ``DatasetError`` where there is none, or the folder holds pictures of a kind that is not read.
  init(contentsOf path: String) throws {
    self.path = path
    try located(path) {
      let all = try Self.files(below: path)
      let endings = Set(PictureFormat.all.flatMap(\.endings))
      files = all.filter { endings.contains(Self.ending($0)) }
      let unread = all.filter { PictureFormat.otherEndings.contains(Self.ending($0)) }
      guard unread.isEmpty else {
        throw DatasetError(
          .unsupported,
          "holds pictures that are neither \(PictureFormat.names): "
            + "\(unread.joined(separator: ", ")); convert or remove them")
      }
      otherFiles = all.filter { !endings.contains(Self.ending($0)) && $0 != Self.listName }
      guard !files.isEmpty else {
        throw DatasetError(
          .empty, "holds no picture; \(PictureFormat.names) files are expected in it or its folders"
        )
      }
      try readClasses()
    }
  }

  private mutating func readClasses() throws {
    let folders = files.map { $0.split(separator: "/", maxSplits: 1).dropLast().first }
    let names = Set(folders.compactMap { $0.map(String.init) }).sorted()
    if names.isEmpty { return }
    guard !folders.contains(nil) else {
      throw DatasetError(
        .invalidFile,
        "holds pictures both beside and inside of sub-folders, which name classes; "
          + "move those beside into a folder")
    }
    let classes = Classes(names: names)
    labels = folders.map { classes.number(of: String($0!)) }
    classNames = classes.names
  }

  static func ending(_ name: String) -> String {
    URL(fileURLWithPath: name).pathExtension.lowercased()
  }

  /// The paths of all files below a folder but hidden ones, in the order of their bytes.
  private static func files(below path: String) throws -> [String] {
    var files: [String] = []
    var folders = [""]
    while let folder = folders.popLast() {
      let names: [String]
      do {
        names = try FileManager.default.contentsOfDirectory(atPath: path + "/" + folder)
      } catch {
        throw FileError(.unreadable, "can't be listed; check its permissions", path: [folder])
      }
      for name in names where !name.hasPrefix(".") {
        let file = folder.isEmpty ? name : folder + "/" + name
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: path + "/" + file, isDirectory: &isFolder)
        if !isFolder.boolValue {
          files.append(file)
        } else if folder.split(separator: "/").count < greatestDepth {
          folders.append(file)
        }
      }
    }
    return files.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Folders in folders are followed so far: links can make circles.
  private static let greatestDepth = 16
}

/// Class names and their numbers.
struct Classes {
  /// The names by number, nil where the names are numbers themselves.
  let names: [String]?
  private let numbers: [String: Int]

  /// Names that are all whole numbers from 0 mean themselves; others are numbered in the order of their bytes.
  init(names: some Sequence<String>) {
    let names = Set(names).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let own = names.compactMap { name in
      name.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        ? Int(name) : nil
    }
    let areNumbers = own.count == names.count
    self.names = areNumbers ? nil : names
    numbers = Dictionary(
      uniqueKeysWithValues: zip(names, areNumbers ? own : Array(names.indices)))
  }

  func number(of name: String) -> Int { numbers[name]! }
}
