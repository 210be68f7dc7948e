/// How the report's page looks: one column on a phone, several on a wide screen, light or dark as the reader's system is.
enum PageStyle {
  static let css = """
    :root { color-scheme: light dark; --page: #f5f6f8; --card: #fff; --text: #1c2430;
      --soft: #5c6675; --line: #dde1e7; --before: #98a2b3; --after: #2563eb;
      --faint: #2563eb40; --good: #15803d; --bad: #c81e1e; --mark: #d97706; }
    @media (prefers-color-scheme: dark) {
      :root { --page: #0f141b; --card: #182029; --text: #e6eaf0; --soft: #9aa5b4;
        --line: #2b3542; --before: #66717f; --after: #60a5fa; --faint: #60a5fa4d;
        --good: #4ade80; --bad: #f87171; --mark: #fbbf24; } }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--page); color: var(--text);
      font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
    main { max-width: 1240px; margin: 0 auto; padding: 20px 14px 48px; }
    h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
    h2 { font-size: 1.1rem; margin: 0 0 10px; }
    h3 { font-size: .9rem; margin: 0 0 6px; overflow-wrap: anywhere; }
    p { margin: 0 0 10px; color: var(--soft); }
    .verdict { display: inline-block; border-radius: 99px; padding: 1px 12px; font-weight: 600;
      border: 1.5px solid; margin: 8px 0 0; }
    .good { color: var(--good); } .bad { color: var(--bad); }
    .grid { display: grid; gap: 14px; margin-top: 14px;
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); }
    .tiles { grid-template-columns: repeat(auto-fit, minmax(min(46%, 150px), 1fr)); }
    .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
      padding: 14px 16px; min-width: 0; }
    .below { margin-top: 14px; }
    .flow { column-width: 340px; column-gap: 14px; margin-top: 14px; }
    .flow .card { break-inside: avoid; margin-bottom: 14px; }
    .whole { margin-bottom: 14px; }
    small { display: block; color: var(--soft); }
    small:empty { display: none; }
    .tile b { display: block; font-size: 1.5rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
    .tile span { color: var(--soft); font-size: .85rem; }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; font-size: .87rem;
      font-variant-numeric: tabular-nums; }
    th, td { text-align: left; padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line);
      vertical-align: top; }
    th { color: var(--soft); font-weight: 500; white-space: nowrap; }
    .number { text-align: right; white-space: nowrap; }
    th:last-child, td:last-child { padding-right: 0; }
    .name { overflow-wrap: anywhere; min-width: 9em; }
    svg { display: block; width: 100%; overflow: visible; }
    svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
      fill: var(--text); font-variant-numeric: tabular-nums;
      paint-order: stroke; stroke: var(--card); stroke-width: 3px; }
    svg .soft { fill: var(--soft); }
    .before { fill: var(--before); } .after { fill: var(--after); } .faint { fill: var(--faint); }
    .track { fill: var(--line); opacity: .55; }
    .mark { stroke: var(--mark); stroke-width: 2; }
    .axis { stroke: var(--line); }
    .trace { fill: none; stroke: var(--after); stroke-width: 1.8; vector-effect: non-scaling-stroke; }
    .key { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: .82rem; color: var(--soft);
      margin-bottom: 8px; }
    .key i { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 6px; }
    .key .kb { background: var(--before); } .key .ka { background: var(--after); }
    .key .kf { background: var(--faint); } .key .km { background: var(--mark); height: 3px;
      vertical-align: middle; }
    summary { cursor: pointer; color: var(--soft); padding: 4px 0; }
    ul { margin: 0; padding-left: 1.2em; } li { overflow-wrap: anywhere; margin-bottom: 4px; }
    footer { color: var(--soft); font-size: .82rem; margin-top: 18px; }
    """
}
