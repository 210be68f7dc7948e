public import Execution
public import Tensors

/// How a network runs on given inputs: the steps of its plan, what each computes, and how long it takes.
public struct PlanProfile: Sendable {
  /// The steps in their order; none where shapes follow only from data, so that there is no plan.
  public let steps: [StepProfile]

  /// Times each step: the median of `runs`, after one that does not count.
  ///
  /// Throws ``ExecutionError`` as running the model does.
  public init(_ model: CompiledModel, on inputs: [String: Tensor], runs: Int = 5) throws {
    steps = try model.profile(inputs, runs: runs)
  }

  /// The version of what the JSON means; changes when a key's name or meaning does.
  public static let schema = "tessera.profile/1"

  /// The profile as a JSON document.
  public var json: String {
    JSON.members([
      "schema": .string(Self.schema),
      "steps": .array(
        steps.map { step in
          .members([
            "name": .string(step.name), "node": .string(step.label),
            "outputs": .array(step.outputs.map(JSON.string)), "kind": .string(step.kind),
            "multiplications": .int(step.multiplications),
            "latency_ms": .number(step.duration / .milliseconds(1)),
          ])
        }),
    ]).text
  }
}
