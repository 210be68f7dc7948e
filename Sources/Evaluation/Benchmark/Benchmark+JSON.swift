import Execution
import Graphs
import Tensors

extension Benchmark {
  /// The version of what the JSON means; changes when a key's name or meaning does.
  public static let schema = "tessera.benchmark/2"

  /// The figures as JSON; units stand in the keys.
  public var json: String {
    JSON.members([
      "schema": .string(Self.schema), "network": network.json, "reference": reference?.json,
      "circumstances": circumstances.json, "source": .string(source),
      "inputs": .array(
        inputs.map { .members(["name": .string($0.name), "type": .string("\($0.type)")]) }),
      "runs": .array(
        runs.map { run in
          .members([
            "thread_count": .int(run.limits.threadCount), "machine": run.limits.json,
            "latency": run.latency.json, "reference_latency": run.comparison?.first.json,
            "speedup": run.comparison.map { .number($0.speedup) },
            "speedup_low": run.comparison.map { .number($0.speedupRange.lowerBound) },
            "speedup_high": run.comparison.map { .number($0.speedupRange.upperBound) },
            "verdict": verdict(on: run).map(JSON.string),
            "others_ratio": run.others.map(JSON.number),
            "warnings": .array(warnings(on: run).map(JSON.string)),
            "steps_ms": run.steps.isEmpty ? nil : .number(run.stepTime.total * 1000),
            "steps_ratio": run.stepShare.map(JSON.number),
            "steps": run.steps.isEmpty ? nil : .array(run.steps.map(\.json)),
          ])
        }),
      "thresholds": .array(thresholds.map(\.json)), "thresholds_met": .bool(isMet),
    ]).text
  }

  /// Writes the figures as JSON. Throws ``FileError``.
  public func writeJSON(to path: String) throws { try writeFile(json, to: path) }
}

extension Benchmark.Network {
  fileprivate var json: JSON {
    .members([
      "file": .string(file), "size_bytes": byteCount.map(JSON.int),
      "is_quantized": .bool(isQuantized), "load_ms": .number(loadTime),
      "plan_ms": .number(planTime), "load_count": .int(loadCount),
      "weight_bytes": memory.map { .int($0.weightByteCount) },
      "arena_bytes": memory.map { .int($0.arenaByteCount) },
      "peak_memory_bytes": peakMemory.map(JSON.int),
    ])
  }
}

extension MachineLimits {
  fileprivate var json: JSON {
    .members([
      "instruction_set": .string(instructionSet),
      "float_peak_gop_per_s": .number(floatRate / 1e9), "float_peak_gain": .number(peakGain),
      "u8s8_peak_gop_per_s": .number(byteRate / 1e9),
      "memory_gb_per_s": .number(memoryRate / 1e9), "working_bytes": .int(workingByteCount),
      "working_gb_per_s": .number(workingRate / 1e9), "region_us": .number(regionTime * 1e6),
    ])
  }
}

extension Latency {
  fileprivate var json: JSON {
    .members([
      "median_ms": .number(median), "mean_ms": .number(mean), "min_ms": .number(minimum),
      "p10_ms": .number(percentile10), "p90_ms": .number(percentile90),
      "p99_ms": .number(percentile99), "spread": .number(spread), "run_count": .int(runCount),
      "warm_up_count": .int(warmUpCount),
    ])
  }
}

extension StepTiming {
  fileprivate var json: JSON {
    .members([
      "name": .string(step.name), "node": .string(step.label),
      "outputs": .array(step.outputs.map(JSON.string)), "kind": .string(step.kind),
      "latency_ms": .number(time * 1000), "share": .number(share),
      "operation_count": .int(operations), "value_bytes": .int(step.valueByteCount),
      "weight_bytes": .int(step.weightByteCount),
      "gop_per_s": .number(operationRate / 1e9), "gb_per_s": .number(byteRate / 1e9),
      "limit": .string(limit.rawValue), "limit_ms": .number(limitTime * 1000),
      "reached_ratio": .number(reachedShare), "reason": .string(reason),
    ])
  }
}
