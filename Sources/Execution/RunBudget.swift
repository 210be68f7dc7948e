import Synchronization

/// What one run of a network may take, the graphs that its nodes hold included: without bounds, a loop of 2⁶³ rounds or one
/// whose values grow each round would only end with the process.
package final class RunBudget: Sendable {
  /// The most node executions of one run by default: hours of work for the smallest nodes. A recurrent network of 100 nodes may
  /// go through twenty million steps.
  package static let standardNodeLimit = 1 << 31

  /// The most bytes that the values of one graph may take at once.
  let memoryLimit: Int
  private let nodeLimit: Int
  private let nodeCount = Atomic<Int>(0)

  /// A budget of which nothing is spent.
  package init(
    memoryLimit: Int = OperatorCall.totalByteCountLimit, nodeLimit: Int = standardNodeLimit
  ) {
    (self.memoryLimit, self.nodeLimit) = (memoryLimit, nodeLimit)
  }

  /// Counts one execution of a node, or one round of a graph that a node holds, which may have no nodes. Throws
  /// ``ExecutionError`` where it is one too many.
  func countExecution() throws {
    guard nodeCount.add(1, ordering: .relaxed).newValue > nodeLimit else { return }
    throw ExecutionError(
      .invalidValue,
      "the network has executed \(nodeLimit) nodes and is not done: its loops do not end; bound their "
        + "rounds, or give shorter inputs")
  }

  /// Refuses values that take more bytes at once than there are.
  func check(byteCount: Int) throws {
    try OperatorCall.check(total: byteCount, limit: memoryLimit)
  }
}
