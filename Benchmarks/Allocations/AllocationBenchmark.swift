import CountedMemory
import Foundation
import Tessera

/// Counts how often memory is asked for in a run of a network whose plan is made; see ``usage``.
@main struct AllocationBenchmark {
  private static let usage = """
    usage: allocation-benchmark MODEL.onnx…

    Counts how often memory is asked for in 100 runs of each network whose plan is made, with one thread and two: seconds.
    Inputs are random, open lengths 1. A network without operators that are left to reference functions should need none.

    """

  static let runs = 100

  static func main() {
    do {
      try count()
    } catch {
      FileHandle.standardError.write(Data("\(error)\n".utf8))
      exit(3)
    }
  }

  private static func count() throws {
    let paths = CommandLine.arguments.dropFirst()
    if paths.contains(where: { ["-h", "--help"].contains($0) }) {
      return print(usage, terminator: "")
    }
    guard !paths.isEmpty, !paths.contains(where: { $0.hasPrefix("-") }) else {
      FileHandle.standardError.write(Data(usage.utf8))
      exit(2)
    }
    print("allocations in \(runs) runs, by network and number of threads\n")
    for path in paths {
      let model = try Model(contentsOf: path)
      let network = try CompiledModel(model)
      let inputs = try BenchmarkInputs().tensors(for: model.graph)
      for threads in [1, 2] {
        Threads.count = threads
        let count = try allocations(of: network, on: inputs)
        print("\(path), \(threads == 1 ? "1 thread" : "\(threads) threads"): \(count)")
      }
    }
  }

  private static func allocations(
    of network: CompiledModel, on inputs: [String: Tensor]
  ) throws -> UInt64 {
    var outputs: [String: Tensor] = [:]
    // Until every thread has taken part, which gets memory of its own when it does so first.
    let start = ContinuousClock.now
    repeat {
      try network.run(inputs, into: &outputs)
    } while start.duration(to: .now) < .seconds(0.2)
    let before = counted_allocations()
    for _ in 0..<runs { try network.run(inputs, into: &outputs) }
    return counted_allocations() - before
  }
}
