/// What one step of a plan is, and how long it takes.
public struct StepProfile: Sendable {
  /// What no other step of the plan is called: ``label``, with the kind behind it where another step has the same.
  public let name: String
  /// The nodes that it computes, or the value that it brings into another form.
  public let label: String
  /// The values of the network that it leaves behind; none where it only brings one into another form.
  public let outputs: [String]
  /// What kind of work it is, as in `int8 convolution`.
  public let kind: String
  /// The multiply-accumulate operations it makes; 0 where a reference function computes it, which does not count.
  public let multiplications: Int
  /// The bytes of the values that it reads and writes, memory for its own use included; of what it looks elements up in, as many
  /// as it takes.
  public let valueByteCount: Int
  /// The bytes of weights, tables and other constants that it reads, as they lie in memory; of those that it looks elements up
  /// in, as many as it takes.
  public let weightByteCount: Int
  /// Whether the operator's reference function computes it, since no kernel does.
  public let isReference: Bool
  /// The steps that wrote what it reads, by their place in the plan; inputs of the network have none.
  public let sources: [Int]
  /// How long it takes.
  public let duration: Duration

  /// A step of the given figures.
  package init(
    name: String? = nil, label: String, outputs: [String] = [], kind: String, multiplications: Int,
    valueByteCount: Int, weightByteCount: Int = 0, isReference: Bool = false, sources: [Int] = [],
    duration: Duration
  ) {
    self.name = name ?? label
    self.label = label
    self.outputs = outputs
    self.kind = kind
    self.multiplications = multiplications
    self.valueByteCount = valueByteCount
    self.weightByteCount = weightByteCount
    self.isReference = isReference
    self.sources = sources
    self.duration = duration
  }
}

/// What a plan holds in memory.
public struct PlanMemory: Sendable, Equatable {
  /// The bytes that all values between steps share.
  public let arenaByteCount: Int
  /// The bytes of weights, tables and other constants, as kernels take them.
  public let weightByteCount: Int

  /// Memory of the given sizes.
  package init(arenaByteCount: Int, weightByteCount: Int) {
    self.arenaByteCount = arenaByteCount
    self.weightByteCount = weightByteCount
  }
}

extension Plan {
  /// What each step is, given how long it takes.
  func profiles(_ durations: [Duration]) -> [StepProfile] {
    // Several steps may write parts of one slot.
    var writers: [Slot: [Int]] = [:]
    let names = stepNames
    let outputs = Dictionary(grouping: order.filter { values[$0] != nil }) { values[$0]!.step }
    return steps.enumerated().map { index, step in
      let moved = Set(step.reads + step.writes)
      let sources = Set(step.reads.flatMap { writers[$0] ?? [] }).sorted()
      for slot in step.writes { writers[slot, default: []].append(index) }
      return StepProfile(
        name: names[index], label: step.label, outputs: outputs[index] ?? [], kind: step.kind,
        multiplications: step.multiplications,
        valueByteCount: moved.reduce(-step.unread.values) { $0 + movedBytes($1, step) },
        weightByteCount: step.weightByteCount - step.unread.weights,
        isReference: step.isReference, sources: sources, duration: durations[index])
    }
  }

  /// The bytes of a slot that a step reads or writes.
  private func movedBytes(_ slot: Slot, _ step: PlanStep) -> Int {
    let size = slotSizes[slot.index]
    guard let part = step.part, part.slot == slot else { return size }
    return size / part.all * part.channels
  }

  /// A name for each step that no other has: its label, its kind, a number, as far as they are needed.
  private var stepNames: [String] {
    let labels = Dictionary(grouping: steps, by: \.label).mapValues(\.count)
    var taken: Set<String> = []
    return steps.map { step in
      let name = labels[step.label] == 1 ? step.label : "\(step.label) (\(step.kind))"
      var (unique, number) = (name, 1)
      while !taken.insert(unique).inserted {
        number += 1
        unique = "\(name) \(number)"
      }
      return unique
    }
  }
}
