import Datasets
import Foundation
import Tensors

/// The version of Tessera, as `tessera --version` says it.
package let tesseraVersion = "0.1.0"

/// Where and when figures were measured, so that they can be compared with others later.
public struct Circumstances: Sendable, Equatable {
  /// The version of Tessera.
  public let version: String
  /// When measuring began, in UTC, as in `2026-11-21T21:23:32Z`.
  public let date: String
  /// What the processor calls itself; nil where the system does not tell.
  public let processor: String?
  /// How many processors this process may use.
  public let processorCount: Int
  /// The operating system and the architecture, as in `Linux x86_64`.
  public let system: String
  /// The instruction set of the kernels, as in `avx512`.
  public let instructionSet: String
  /// How many programs wanted a processor, over the minute before; nil where the system does not tell.
  public let load: Double?

  /// Circumstances as they are given.
  public init(
    version: String, date: String, processor: String?, processorCount: Int, system: String,
    instructionSet: String, load: Double?
  ) {
    self.version = version
    self.date = date
    self.processor = processor
    self.processorCount = processorCount
    self.system = system
    self.instructionSet = instructionSet
    self.load = load
  }

  /// What holds now, here.
  public static var current: Circumstances {
    Circumstances(
      version: tesseraVersion,
      date: ISO8601DateFormatter.string(
        from: Date(), timeZone: TimeZone(identifier: "UTC") ?? .current,
        formatOptions: .withInternetDateTime),
      processor: processorName, processorCount: usableProcessorCount,
      system: "\(operatingSystem) \(architecture)", instructionSet: Kernels.instructionSet,
      load: text("/proc/loadavg")?.split(separator: " ").first.flatMap { Double($0) })
  }

  private static func text(_ path: String) -> String? {
    try? String(contentsOfFile: path, encoding: .utf8)
  }

  private static var usableProcessorCount: Int {
    let line = text("/proc/self/status")?.split(separator: "\n")
      .first { $0.hasPrefix("Cpus_allowed_list:") }
    return line.flatMap { listedCount($0.drop { !$0.isNumber }) }
      ?? ProcessInfo.processInfo.activeProcessorCount
  }

  /// How many numbers a list such as `0-3,6` holds; nil where it is no such list.
  static func listedCount(_ list: Substring) -> Int? {
    var count = 0
    for part in list.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2,
        first <= last
      else { return nil }
      count += last - first + 1
    }
    return count
  }

  /// Linux names processors in a file; those of Arm by numbers only.
  private static var processorName: String? {
    text("/proc/cpuinfo")?.split(separator: "\n").first { $0.hasPrefix("model name") }?
      .split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
  }

  private static var operatingSystem: String {
    #if os(Linux)
      "Linux"
    #elseif os(macOS)
      "macOS"
    #else
      ProcessInfo.processInfo.operatingSystemVersionString
    #endif
  }

  private static var architecture: String {
    #if arch(x86_64)
      "x86_64"
    #elseif arch(arm64)
      "arm64"
    #else
      "of another architecture"
    #endif
  }
}

extension Circumstances: CustomStringConvertible {
  /// One line, as in `tessera 0.1.0, 2026-11-21T21:23:32Z; AMD EPYC, 2 processors, avx512, Linux x86_64, load 0.46`.
  public var description: String {
    let machine = [
      processor, counted(processorCount, "processor"), instructionSet, system,
      load.map { "load \(fixed($0, 2))" },
    ]
    return "tessera \(version), \(date); "
      + machine.compactMap { $0 }.joined(separator: ", ")
  }
}

extension Circumstances {
  var json: JSON {
    .members([
      "version": .string(version), "date": .string(date),
      "processor": processor.map(JSON.string), "processor_count": .int(processorCount),
      "system": .string(system), "instruction_set": .string(instructionSet),
      "load_average": load.map(JSON.number),
    ])
  }
}
