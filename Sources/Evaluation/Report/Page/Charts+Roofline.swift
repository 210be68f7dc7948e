import Execution
import Foundation

extension Charts {
  /// Steps by operations for each byte (along) and operations a second (up), both on logarithmic scales, under the roofs of the
  /// machine.
  static func roofline(_ steps: [StepTiming], _ limits: MachineLimits) -> Markup {
    let dots = steps.filter { $0.operations > 0 && $0.byteCount > 0 && $0.time > 0 }
    guard !dots.isEmpty else { return "" }
    let intensities = dots.map { Double($0.operations) / Double($0.byteCount) }
    let ridge = limits.byteRate / limits.workingRate
    let across = LogScale(intensities + [1, ridge * 2])
    let up = LogScale(dots.map(\.operationRate) + [limits.byteRate, limits.floatRate])
    func y(_ rate: Double) -> Double { (1 - up.place(rate)) * rooflineHeight }
    var (rows, names): ([Markup], [Markup]) = ([], [])
    for power in up.labelled(atMost: 7) {
      let place = fixed(y(power), 1)
      rows.append("<line class=\"axis\" x1=\"0\" x2=\"100%\" y1=\"\(place)\" y2=\"\(place)\"/>")
      names.append(
        """
        <text class="soft" x="-8" y="\(fixed(y(power) + 4, 1))" text-anchor="end">\(text(power / 1e9))</text>
        """)
    }
    for power in across.labelled(atMost: 6) {
      names.append(
        """
        <text class="soft" x="\(percent(across.place(power)))" y="258" text-anchor="middle">\
        \(text(power))</text>
        """)
    }
    names.append(
      """
      <text class="soft" x="-44" y="-14">GOP/s</text>\
      <text class="soft" x="100%" y="276" text-anchor="end">operations for each byte</text>
      """)
    rows += roofs(limits, across, up)
    names += roofNames(limits, across, up)
    for (step, intensity) in zip(dots, intensities) {
      let radius = 2.5 + 14 * step.share.squareRoot()
      rows.append(
        """
        <circle class="\(style(of: step))" fill-opacity="0.6" cx="\(percent(across.place(intensity)))" \
        cy="\(fixed(y(step.operationRate), 1))" r="\(fixed(radius, 1))"><title>\(tip(step))</title></circle>
        """)
    }
    let chart = svg(height: 280, "Roofline of all steps", rows + names, top: 24)
    return "<div class=\"chart\">\(chart)</div>"
  }

  private static let rooflineHeight = 240.0

  /// A slope, where memory limits, and a roof for each peak.
  private static func roofs(
    _ limits: MachineLimits, _ across: LogScale, _ up: LogScale
  ) -> [Markup] {
    [limits.byteRate, limits.floatRate].map { rate in
      // Where the slope enters the chart, so that it is not bent.
      let start = max(across.low, up.low / limits.workingRate)
      let points = [start, max(rate / limits.workingRate, start), across.high].map { intensity in
        let reached = max(min(rate, intensity * limits.workingRate), up.low)
        return
          "\(fixed(across.place(intensity) * 1000, 1)),\(fixed((1 - up.place(reached)) * rooflineHeight, 1))"
      }
      return """
        <svg x="0" y="0" width="100%" height="240" viewBox="0 0 1000 240" preserveAspectRatio="none">\
        <polyline class="trace" points="\(points.joined(separator: " "))"/></svg>
        """
    }
  }

  /// What the lines are: the roofs at their right ends, the slope at its foot.
  private static func roofNames(
    _ limits: MachineLimits, _ across: LogScale, _ up: LogScale
  ) -> [Markup] {
    func y(_ rate: Double) -> Double { (1 - up.place(rate)) * rooflineHeight }
    let isClose = abs(y(limits.byteRate) - y(limits.floatRate)) < 16
    let names = [("codes", limits.byteRate, -5.0), ("floats", limits.floatRate, isClose ? 14 : -5)]
    let foot = max(across.low, up.low / limits.workingRate)
    let rate = max(foot * limits.workingRate, up.low)
    return names.map { name, rate, offset in
      """
      <text x="100%" y="\(fixed(y(rate) + offset, 1))" text-anchor="end">\(name) \(text(rate / 1e9)) GOP/s</text>
      """
    } + [
      """
      <text x="\(percent(across.place(foot) + 0.04))" y="\(fixed(min(y(rate) + 13, rooflineHeight - 6), 1))">memory \
      \(text(limits.workingRate / 1e9)) GB/s</text>
      """
    ]
  }

  /// A bar a step: its time, and in it what its limit allows.
  static func steps(_ steps: [StepTiming]) -> Markup {
    let most = steps.map(\.time).max() ?? 1
    return Markup(
      steps.map { step in
        """
        <div class="bar layer" title="\(tip(step))">\
        <span><b>\(step.step.name)</b> <em>\(step.step.kind)</em></span>\
        <span>\(duration(milliseconds: step.time * 1000)) <em>\(fixed(step.share * 100, 1)) %</em></span>\
        <div class="track"><i class="faint" style="width:\(percent(step.time / most))"></i>\
        <i class="\(style(of: step)) thin" style="width:\(percent(min(step.limitTime, step.time) / most))"></i>\
        </div></div>
        """
      })
  }

  /// A number with three digits that count or more.
  private static func text(_ value: Double) -> String {
    value < 100 ? significant(value, 3) : fixed(value, 0)
  }

  private static func tip(_ step: StepTiming) -> String {
    "\(step.step.name)\(step.kindNote), \(duration(milliseconds: step.time * 1000)): \(step.reason)"
  }

  private static func style(of step: StepTiming) -> String {
    step.step.isReference ? "severe" : step.limit == .computation ? "after" : "before"
  }
}

/// Whole powers of ten around positive numbers.
private struct LogScale {
  let low, high: Double

  /// Traps where there are no positive numbers.
  init(_ values: [Double]) {
    let powers = values.filter { $0 > 0 }.map { log10($0) }
    let least = powers.min()!.rounded(.down)
    low = pow(10, least)
    high = pow(10, max(powers.max()!.rounded(.up), least + 1))
  }

  /// From 0 to 1.
  func place(_ value: Double) -> Double {
    log10(min(max(value, low), high) / low) / log10(high / low)
  }

  /// Powers of ten that have room for a number each: all, or every other, or every third.
  func labelled(atMost count: Int) -> [Double] {
    let (first, last) = (Int(log10(low).rounded()), Int(log10(high).rounded()))
    let step = max(1, (last - first + count - 1) / count)
    return stride(from: first, through: last, by: step).map { pow(10, Double($0)) }
  }
}
