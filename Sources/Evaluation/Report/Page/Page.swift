/// A page of HTML that loads nothing else and reads on a phone as on a wide screen.
func page(_ title: String, _ body: Markup) -> String {
  let page: Markup = """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(title) – Tessera report</title>
    <style>
    \(Markup(stringLiteral: PageStyle.css))
    </style>
    </head>
    <body><main>
    \(body)
    </main></body>
    </html>

    """
  return page.text
}

/// A card with a heading.
func card(_ title: String, _ body: Markup) -> Markup {
  """
  <section class="card"><h3>\(title)</h3>
  \(body)</section>
  """
}

/// Whether all limits are met, and those that are not.
func thresholdVerdict(_ thresholds: [Thresholds.Result]) -> Markup {
  let missed = thresholds.filter { !$0.isMet }
  if thresholds.isEmpty { return "" }
  if missed.isEmpty {
    let count = thresholds.count
    return """
      <div class="verdict good">✓ \(count == 1 ? "The threshold is" : "All \(count) thresholds are") met</div>
      """
  }
  let list = missed.map { "\($0.name) is \($0.measured), \($0.limit)" }.joined(separator: "; ")
  return """
    <div class="verdict bad">✗ \(missed.count) of \(thresholds.count) thresholds missed \
    <span>– \(list)</span></div>
    """
}
