import Tensors
import Testing

@testable import Execution

@Suite struct MemoryPlanTests {
  private func step(reads: [Int], writes: [Int]) -> PlanStep {
    PlanStep(
      "", kind: "", reads: reads.map { Slot(index: $0) }, writes: writes.map { Slot(index: $0) }
    ) { _ in {} }
  }

  @Test func memoryIsSharedByValuesOfDifferentTimes() {
    let steps = [
      step(reads: [0], writes: [1]), step(reads: [1], writes: [2]), step(reads: [2], writes: [3]),
    ]
    let plan = MemoryPlan(
      sizes: [1000, 1000, 1000, 1000], steps: steps, inputs: [Slot(index: 0)],
      outputs: [Slot(index: 3)])
    #expect(plan.byteCount <= 2 * 1152)
  }

  @Test(arguments: 0..<50) func noTwoLivingValuesOverlap(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let count = 30
    let sizes = (0..<count).map { _ in generator.index(below: 5000) }
    let steps = (1..<count).map { index in
      let reads = (0..<generator.index(below: 3)).map { _ in generator.index(below: index) }
      return step(reads: reads, writes: [index])
    }
    let plan = MemoryPlan(
      sizes: sizes, steps: steps, inputs: [Slot(index: 0)], outputs: [Slot(index: count - 1)])
    func lifetime(_ slot: Int) -> ClosedRange<Int> {
      let times = steps.indices.filter {
        (steps[$0].reads + steps[$0].writes).contains(Slot(index: slot))
      }
      let first = slot == 0 ? -1 : times.min() ?? 0
      return first...max(first, slot == count - 1 ? steps.count : times.max() ?? first)
    }
    for a in 0..<count {
      #expect(plan.offsets[a] % MemoryPlan.alignment == 0)
      #expect(plan.offsets[a] + sizes[a] + MemoryPlan.margin <= plan.byteCount)
      for b in 0..<a where lifetime(a).overlaps(lifetime(b)) {
        let (first, second) = plan.offsets[a] < plan.offsets[b] ? (a, b) : (b, a)
        #expect(plan.offsets[first] + sizes[first] + MemoryPlan.margin <= plan.offsets[second])
      }
    }
  }
}
