/// How the report's page looks: one column on a phone, several on a wide screen, light or dark as the reader's system is.
enum PageStyle {
  static let css = """
    :root { color-scheme: light dark; --page: #f5f6f8; --card: #fff; --text: #1c2430;
      --soft: #5c6675; --line: #dde1e7; --track: #eceff3; --before: #98a2b3; --after: #2563eb;
      --faint: #2563eb38; --good: #15803d; --bad: #c81e1e; --mark: #c2610c; }
    @media (prefers-color-scheme: dark) {
      :root { --page: #0f141b; --card: #182029; --text: #e6eaf0; --soft: #9aa5b4;
        --line: #2b3542; --track: #222c38; --before: #7b8797; --after: #60a5fa;
        --faint: #60a5fa45; --good: #4ade80; --bad: #f87171; --mark: #fbbf24; } }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--page); color: var(--text); -webkit-text-size-adjust: 100%;
      font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
    main { max-width: 1320px; margin: 0 auto; padding: 20px 14px 48px; }
    h1 { font-size: 1.6rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
    h2 { font-size: 1.15rem; margin: 30px 0 2px; }
    h3 { font-size: .95rem; margin: 0 0 6px; overflow-wrap: anywhere; }
    p { margin: 0 0 10px; color: var(--soft); overflow-wrap: anywhere; }
    em { font-style: normal; color: var(--soft); }
    small { display: block; color: var(--soft); }
    small:empty { display: none; }
    .verdict { border-radius: 8px; padding: 6px 12px; font-weight: 600; border: 1.5px solid;
      margin: 10px 0 0; }
    .verdict span { font-weight: 400; }
    .good { color: var(--good); } .bad { color: var(--bad); }
    .grid { display: grid; gap: 14px; margin-top: 14px; align-items: start;
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); }
    .measures { grid-template-columns: repeat(auto-fit, minmax(min(100%, 235px), 1fr));
      align-items: stretch; }
    .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
      padding: 14px 16px; min-width: 0; margin-top: 14px; }
    .grid > .card, .grid > div > .card:first-child { margin-top: 0; }
    .chart { padding-left: 44px; }
    @media (min-width: 1000px) { .split { grid-template-columns: 3fr 2fr; } }
    .columns { column-width: 320px; column-gap: 28px; }
    .big { display: block; font-size: 1.5rem; line-height: 1.3; font-weight: 650;
      font-variant-numeric: tabular-nums; }
    .big em { font-size: .95rem; font-weight: 400; }
    .limit { font-size: .85rem; margin: 0 0 8px; font-weight: 600; }
    .bar { display: grid; grid-template-columns: minmax(0, 1fr) auto; column-gap: 12px;
      font-size: .8rem; font-variant-numeric: tabular-nums; break-inside: avoid;
      padding-bottom: 7px; }
    .bar b { font-weight: 500; }
    .bar > span:first-child { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .track { grid-column: 1 / 3; position: relative; height: 10px; background: var(--track);
      border-radius: 3px; }
    .track i { position: absolute; left: 0; top: 0; bottom: 0; border-radius: 3px; }
    .track .thin { top: 2px; bottom: 2px; }
    .track u { position: absolute; top: -3px; bottom: -3px; width: 2px; margin-left: -1px;
      background: var(--mark); }
    i.before { background: var(--before); } i.after { background: var(--after); }
    i.faint { background: var(--faint); } i.severe { background: var(--bad); }
    i.marked { background: var(--mark); }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; font-size: .87rem;
      font-variant-numeric: tabular-nums; }
    th, td { text-align: left; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line);
      vertical-align: top; }
    tr:last-child td { border-bottom: 0; }
    th { color: var(--soft); font-weight: 500; white-space: nowrap; }
    .number { text-align: right; white-space: nowrap; }
    th:last-child, td:last-child { padding-right: 0; }
    .name { overflow-wrap: anywhere; min-width: 9em; }
    .wide td { white-space: nowrap; } .wide .note { white-space: normal; min-width: 12em; }
    svg { display: block; width: 100%; overflow: visible; }
    svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
      fill: var(--text); font-variant-numeric: tabular-nums;
      paint-order: stroke; stroke: var(--card); stroke-width: 3px; }
    svg .soft { fill: var(--soft); }
    svg .before { fill: var(--before); } svg .after { fill: var(--after); }
    svg .severe { fill: var(--bad); } svg .marked { fill: var(--mark); }
    .mark { stroke: var(--mark); stroke-width: 1.5; stroke-dasharray: 4 3; }
    .axis { stroke: var(--line); }
    .trace { fill: none; stroke: var(--before); stroke-width: 1.6;
      vector-effect: non-scaling-stroke; }
    .pair { display: grid; gap: 14px 24px;
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 240px), 1fr)); }
    .key { display: flex; flex-wrap: wrap; gap: 2px 16px; font-size: .82rem; color: var(--soft);
      margin: 6px 0 8px; }
    .key i { display: inline-block; width: 11px; height: 11px; border-radius: 2px;
      margin-right: 6px; }
    .key .line { height: 3px; vertical-align: middle; background: var(--mark); }
    summary { cursor: pointer; padding: 2px 0; }
    code { font: .85rem ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
    dl { margin: 0; } dt { color: var(--soft); font-size: .82rem; }
    dd { margin: 0 0 6px; overflow-wrap: anywhere; }
    footer { color: var(--soft); font-size: .82rem; margin-top: 22px; }
    """
}
