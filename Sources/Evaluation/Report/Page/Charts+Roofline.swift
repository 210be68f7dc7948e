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
    let height = 240.0
    func y(_ rate: Double) -> Double { (1 - up.place(rate)) * height }
    var (rows, names): ([Markup], [Markup]) = ([], [])
    for power in up.powers {
      let place = fixed(y(power), 1)
      rows.append("<line class=\"axis\" x1=\"0\" x2=\"100%\" y1=\"\(place)\" y2=\"\(place)\"/>")
      names.append(
        "<text class=\"soft\" x=\"-44\" y=\"\(fixed(y(power) + 4, 1))\">\(text(power / 1e9))</text>"
      )
    }
    for power in across.powers {
      names.append(
        """
        <text class="soft" x="\(percent(across.place(power)))" y="258" text-anchor="middle">\
        \(text(power))</text>
        """)
    }
    for rate in [limits.byteRate, limits.floatRate] {
      let corner = rate / limits.workingRate
      let points = [across.low, corner, across.high].map { intensity in
        let place = across.place(intensity) * 1000
        let reached = max(min(rate, intensity * limits.workingRate), up.low)
        return "\(fixed(place, 1)),\(fixed(y(reached), 1))"
      }
      rows.append(
        """
        <svg x="0" y="0" width="100%" height="240" viewBox="0 0 1000 240" preserveAspectRatio="none">\
        <polyline class="trace" points="\(points.joined(separator: " "))"/></svg>
        """)
    }
    for (step, intensity) in zip(dots, intensities) {
      let radius = 2.5 + 14 * step.share.squareRoot()
      rows.append(
        """
        <circle class="\(style(of: step))" fill-opacity="0.6" cx="\(percent(across.place(intensity)))" \
        cy="\(fixed(y(step.operationRate), 1))" r="\(fixed(radius, 1))"><title>\(tip(step))</title></circle>
        """)
    }
    let chart = svg(height: 262, "Roofline of all steps", rows + names, top: 6)
    return "<div class=\"chart\">\(chart)</div>"
  }

  /// A bar a step: its time, and in it what its limit allows.
  static func steps(_ steps: [StepTiming]) -> Markup {
    let most = steps.map(\.time).max() ?? 1
    return Markup(
      steps.map { step in
        """
        <div class="bar layer" title="\(tip(step))">\
        <span><b>\(step.step.label)</b> <em>\(step.step.kind)</em></span>\
        <span>\(milliseconds(step.time * 1000)) <em>\(fixed(step.share * 100, 1)) %</em></span>\
        <div class="track"><i class="faint" style="width:\(percent(step.time / most))"></i>\
        <i class="\(style(of: step)) thin" style="width:\(percent(min(step.limitTime, step.time) / most))"></i>\
        </div></div>
        """
      })
  }

  /// A power of ten.
  private static func text(_ power: Double) -> String {
    power < 1 ? significant(power, 3) : fixed(power, 0)
  }

  private static func tip(_ step: StepTiming) -> String {
    "\(step.step.label) (\(step.step.kind)), \(milliseconds(step.time * 1000)): \(step.reason)"
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

  var powers: [Double] {
    (Int(log10(low).rounded())...Int(log10(high).rounded())).map { pow(10, Double($0)) }
  }
}
