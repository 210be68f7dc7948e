import Execution

/// Says in words why a step takes the time it takes.
struct StepJudge {
  let steps: [StepProfile]
  let index: Int
  let limits: MachineLimits
  let isQuantized: Bool
  let limit: StepTiming.Limit
  let limitTime: Double

  /// Steps below so many seconds are too short for rates.
  static let tinyTime = 1e-6
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

  /// The reference function may use kernels itself, but the plan has no step for this form of its operator.
  private var withoutKernel: String {
    let codes = "codes "
    let operation = step.kind.hasPrefix(codes) ? step.kind.dropFirst(codes.count) : step.kind[...]
    let what = step.kind.hasPrefix(codes) ? "codes are moved" : "computed"
    return "\(what) by the reference function of \(operation), since the plan has no step for it: "
      + "made apart, then copied; \(share)"
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

  private var before: String { step.sources.last.map { steps[$0].name } ?? "the input" }

  private var after: String {
    steps.first { $0.sources.contains(index) }?.name ?? "the output"
  }

  private var limited: String {
    let share = "\(fixed(reached * 100, 0)) %"
    if limit == .computation { return "limited by computation, \(share) of the peak" }
    return "limited by memory, \(share) of \(fixed(limits.workingRate / 1e9, 0)) GB/s"
      + (reached > 1 ? ": from nearer caches" : "")
  }

  private var small: String {
    let text = "small: \(duration(milliseconds: time * 1000)), "
    if limits.regionTime >= Self.notableRegionShare * time {
      return text
        + "of which starting threads takes up to \(duration(milliseconds: limits.regionTime * 1000))"
    }
    return text + (time < Self.tinyTime ? "of which beginning it is a part" : unexplained)
  }

  private var unexplained: String {
    if step.kind.contains("depthwise") { return share + ": depthwise, sums of a few products" }
    return share + (isFunction ? ": its functions of numbers are not counted as operations" : "")
  }

  private var share: String {
    "\(fixed(reached * 100, 0)) % of the \(limit == .computation ? "peak" : "rate of memory")"
  }

  /// Whether it computes more than multiply-adds for each number: exponentials, roots, divisions.
  private var isFunction: Bool {
    [
      "Softmax", "response normalization", "Sigmoid", "Tanh", "Exp", "Erf", "Gelu", "float divide",
    ].contains(step.kind)
  }

  /// What is said first of a step that computes numbers in a network of codes.
  private var float: String {
    isQuantized && step.kind.hasPrefix("float ") ? "float in a network of codes; " : ""
  }
}
