import Execution

/// Says in words why a step takes the time it takes.
struct StepJudge {
  let steps: [StepProfile]
  let index: Int
  let limits: MachineLimits
  let isQuantized: Bool
  let limit: StepTiming.Limit
  let limitTime: Double

  /// The reached share of a limit from which on it is said to be what limits.
  static let limitingShare = 0.75
  /// Steps below so many seconds are said to be small where no limit explains their time.
  static let smallTime = 20e-6
  /// The share of a step's time from which on starting threads is worth a word.
  static let notableRegionShare = 0.2

  private var step: StepProfile { steps[index] }
  private var time: Double { step.duration / .seconds(1) }
  private var reached: Double { time > 0 ? limitTime / time : 0 }

  /// The most telling of what is known: no kernel, a change of form, a limit, a small step, sums too short for a peak.
  var reason: String {
    if step.isReference { return withoutKernel }
    if let change { return change }
    if reached >= Self.limitingShare { return float + limited }
    if time < Self.smallTime { return float + small }
    return float + unexplained
  }

  private var withoutKernel: String {
    let codes = "codes "
    if step.kind.hasPrefix(codes) {
      return "codes are moved by the reference function of \(step.kind.dropFirst(codes.count))"
    }
    return
      "no \(isQuantized ? "integer " : "")kernel for \(step.kind): its reference function computes it"
  }

  /// What steps are for that compute nothing.
  private var change: String? {
    switch step.kind {
    case "change layout": "layout change between \(before) and \(after)"
    case "flip sign": "signed codes become unsigned or back, between \(before) and \(after)"
    case "quantize": "numbers become codes, between \(before) and \(after)"
    case "dequantize": "codes become numbers, between \(before) and \(after)"
    case "round to codes":
      "numbers become those that codes stand for, between \(before) and \(after)"
    case "constant": "a constant is copied to where \(after) reads values"
    default: nil
    }
  }

  private var before: String { step.sources.last.map { steps[$0].label } ?? "the input" }

  private var after: String {
    steps.first { $0.sources.contains(index) }?.label ?? "the output"
  }

  private var limited: String {
    let share = "\(fixed(reached * 100, 0)) %"
    if limit == .computation { return "limited by computation, \(share) of the peak" }
    return "limited by memory, \(share) of \(fixed(limits.workingRate / 1e9, 0)) GB/s"
      + (reached > 1 ? ": from nearer caches" : "")
  }

  private var small: String {
    let text = "small: \(fixed(time * 1e6, 0)) µs, "
    guard limits.regionTime >= Self.notableRegionShare * time else { return text + unexplained }
    return text + "\(fixed(limits.regionTime * 1e6, 1)) µs of it to start threads"
  }

  private var unexplained: String {
    let share =
      "\(fixed(reached * 100, 0)) % of the \(limit == .computation ? "peak" : "rate of memory")"
    return step.kind.contains("depthwise") ? share + ": depthwise, sums of a few products" : share
  }

  /// What is said first of a step that computes numbers in a network of codes.
  private var float: String {
    isQuantized && step.kind.hasPrefix("float ") ? "float in a network of codes; " : ""
  }
}
