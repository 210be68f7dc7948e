import ArgumentParser
import Tessera

struct BenchmarkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark", _superCommandName: "tessera",
    abstract: "Measure how fast a network runs, where the time goes, and what limits it.",
    discussion: """
      EXAMPLE: tessera benchmark net.int8.onnx --against net.onnx --threads 1 2 --profile --html speed.html

      Without --inputs they are random, and open lengths are 1. Two networks run in turns. What this machine can do \
      at most is measured first, with as many threads. With thresholds the command ends with exit code 1 where one is \
      missed with any number of threads. The load of the machine is told with the figures: they hold where it is quiet.
      """)

  @Argument(help: "The model to measure.")
  var model: String

  @Option(
    help: ArgumentHelp(
      "A model that runs in turns with it, as a rule the float one.", valueName: "model"))
  var against: String?

  @Option(help: ArgumentHelp("An .npz file with one array per input.", valueName: "file"))
  var inputs: String?

  @Option(
    help: ArgumentHelp(
      "The length of the inputs' first axis, where it is open. (default: 1)", valueName: "n"))
  var batch: Int?

  @Option(
    help: ArgumentHelp(
      "The shape of an input, as in images=1,3,224,224; for several inputs again.",
      valueName: "name=lengths"))
  var shape: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "How many threads to use; each number is measured in turn. (default: TESSERA_THREADS, or else as many as processors)",
      valueName: "n"))
  var threads: [Int] = []

  @Option(
    help:
      "How long each network is measured, in seconds, 10 runs at least. (default: 2)")
  var seconds: Double?

  @Option(help: "How many runs of each network are measured, instead of seconds.")
  var rounds: Int?

  @Option(name: .customLong("warm-up"), help: "How long each network runs before that, in seconds.")
  var warmUp = 0.3

  @Flag(help: "Time each step of the plan, and say what limits it.")
  var profile = false

  @Option(help: "How many steps --profile lists, the slowest first. (default: 10)")
  var steps: Int?

  @Option(
    name: .customLong("max-latency"), help: "How many milliseconds a run may take, as the median.")
  var maxLatency: Double?

  @Option(
    name: .customLong("min-speedup"), help: "How many times faster than --against it must be.")
  var minSpeedup: Double?

  @Option(
    help: ArgumentHelp(
      "Write the figures as JSON; - prints them instead of the text.", valueName: "file"))
  var json: String?

  @Option(help: ArgumentHelp("Write the figures as a page to look at.", valueName: "file"))
  var html: String?

  @Flag(name: .shortAndLong, help: "Say nothing but the result and warnings.")
  var quiet = false

  @Option(help: "The seed of random inputs.")
  var seed: UInt64 = 0

  func validate() throws {
    for count in threads { try checkThreadCount(count) }
    if let steps { try checkCount(steps, "--steps") }
    if steps != nil, !profile {
      throw ValidationError("--steps lists the steps of --profile; give it too")
    }
    if let batch, batch < 1 { throw ValidationError("--batch is \(batch); must be 1 or more") }
    if let rounds, rounds < 1 { throw ValidationError("--rounds is \(rounds); must be 1 or more") }
    if rounds != nil, seconds != nil {
      throw ValidationError("--rounds and --seconds both say how long to measure; give one")
    }
    for (option, value) in [("--seconds", seconds), ("--warm-up", warmUp)] {
      if let value, !(0...Self.longest ~= value) {
        throw ValidationError(
          "\(option) is \(value); must be from 0 to \(Int(Self.longest)) seconds")
      }
    }
    for (option, value) in [("--max-latency", maxLatency), ("--min-speedup", minSpeedup)] {
      if let value, !(value > 0 && value.isFinite) {
        throw ValidationError("\(option) is \(value); must be more than 0, as in 1.5")
      }
    }
    if minSpeedup != nil, against == nil {
      throw ValidationError("--min-speedup compares with another network; name it with --against")
    }
    if seconds == 0 {
      throw ValidationError("--seconds is 0.0; must be more than 0, or give --rounds")
    }
    if html == Self.standardOutput {
      throw ValidationError("--html is '-'; only --json goes to standard output, name a file")
    }
    if inputs != nil, batch != nil || !shape.isEmpty {
      throw ValidationError("--inputs has shapes of its own; leave --batch and --shape out")
    }
    _ = try shapes()
  }

  /// The most seconds that can be asked for: an hour.
  private static let longest = 3600.0

  private static let standardOutput = "-"

  func run() throws {
    warnOfEnvironment()
    let sources = [model] + [against, inputs].compactMap { $0 }
    let outputs = try outputGroup([jsonFile, html], sources: sources)
    let source = try Model(contentsOf: model)
    warnOfNumbers(in: source, model)
    let given =
      try inputs.map { try readInputs($0, for: source.graph) } ?? randomInputs(for: source.graph)
    func loaded(_ path: String) throws -> LoadedNetwork {
      try LoadedNetwork(path, byteCount: try Model.byteCount(ofFile: path), on: given) {
        try Model(contentsOf: path)
      }
    }
    let network = try loaded(model)
    let reference = try against.map(loaded)
    var benchmark = try Benchmark(
      of: network, beside: reference, on: given, source: inputs ?? "random, seed \(seed)",
      settings: settings
    ) { if !quiet { Terminal.say($0) } }
    benchmark.limits = Thresholds(minSpeedup: minSpeedup, maxLatency: maxLatency)
    if let jsonFile { try outputs.write(jsonFile) { try benchmark.writeJSON(to: $0) } }
    if let html { try outputs.write(html) { try benchmark.writeHTML(to: $0) } }
    try outputs.commit()
    print(
      json == Self.standardOutput ? benchmark.json : benchmark.text(stepCount: steps ?? 10),
      terminator: "")
    if !benchmark.isMet { throw MissedThreshold() }
  }

  /// The file that JSON goes to, where it goes to one.
  private var jsonFile: String? { json == Self.standardOutput ? nil : json }

  private var settings: Benchmark.Settings {
    var settings = Benchmark.Settings()
    if !threads.isEmpty { settings.threadCounts = threads }
    settings.latency.warmUp = warmUp
    if let seconds { settings.latency.duration = seconds }
    if let rounds { settings.latency.runCount = rounds }
    settings.profiles = profile
    return settings
  }

  private func randomInputs(for graph: Graph) throws -> [String: Tensor] {
    var random = BenchmarkInputs()
    (random.batch, random.seed) = (batch, seed)
    random.shapes = try shapes()
    do {
      return try random.tensors(for: graph)
    } catch let error as EvaluationError {
      throw ValidationError("\(error.inside(model)); see --shape and --batch")
    }
  }

  /// The shapes that are given, by input.
  private func shapes() throws -> [String: Shape] {
    var shapes: [String: Shape] = [:]
    for text in shape {
      guard let (name, shape) = BenchmarkInputs.shape(text) else {
        throw ValidationError(
          "--shape is '\(text)'; give an input and its lengths, as in images=1,3,224,224")
      }
      guard shapes.updateValue(shape, forKey: name) == nil else {
        throw ValidationError("--shape gives '\(name)' twice; give it once")
      }
    }
    return shapes
  }
}
