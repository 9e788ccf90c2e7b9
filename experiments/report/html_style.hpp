// The report's style sheet.
#pragma once

namespace dp::experiments::report {

/// Figures are drawn on white and stay on a white card in dark mode: their colours tell the modes
/// apart and must be those of the PNG files. Wide tables and figures scroll inside their own box.
inline constexpr const char* kStyleSheet = R"css(
:root { color-scheme: light dark; --text: #1b1f24; --soft: #57606a; --page: #ffffff;
  --line: #d0d7de; --band: #f3f5f7; --mark: #fff4d6; --link: #0b57d0; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e3e6ea; --soft: #a3acb6; --page: #14171a; --line: #3a4149; --band: #1e2328;
    --mark: #3b3216; --link: #8ab4f8; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1rem 1rem 4rem; max-width: 60rem; background: var(--page);
  color: var(--text); font: 1rem/1.55 system-ui, "DejaVu Sans", sans-serif;
  overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1rem 0 .3rem; }
h2 { font-size: 1.3rem; margin: 2.4rem 0 .6rem; padding-top: .4rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1.08rem; margin: 1.6rem 0 .4rem; }
p, ul, ol { margin: .6rem 0; max-width: 46rem; }
a { color: var(--link); }
.subtitle, figcaption, .note, caption { color: var(--soft); font-size: .9rem; }
nav ol { columns: 16rem; padding-left: 1.4rem; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .88em; }
pre { background: var(--band); border: 1px solid var(--line); border-radius: 6px; padding: .8rem;
  overflow-x: auto; }
.scroll { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .4rem; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: right;
  vertical-align: top; }
th { background: var(--band); font-weight: 600; }
td { white-space: nowrap; }
td.left { white-space: normal; min-width: 4rem; }
.left { text-align: left; }
tr.marked td { background: var(--mark); font-style: italic; }
figure { margin: 1.2rem 0; }
figcaption { margin-top: .4rem; }
.card { background: #ffffff; border: 1px solid var(--line); border-radius: 6px; padding: .4rem;
  overflow-x: auto; }
.card svg { display: block; width: 100%; min-width: 34rem; height: auto; margin: 0 auto; }
@page { margin: 16mm 14mm; }
@media print {
  :root { --text: #000; --soft: #333; --page: #fff; --line: #999; --band: #eee; --mark: #fff4d6;
    --link: #000; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; }
  h1, h2, h3 { break-after: avoid; }
  figure, tr, pre { break-inside: avoid; }
  thead { display: table-header-group; }
  .scroll, .card { overflow: visible; }
  .card { border: 0; padding: 0; }
  .card svg { min-width: 0; max-height: 200mm; }
  table { font-size: 7.5pt; }
  th, td { padding: .15rem .3rem; }
  td { white-space: normal; }
  .short { break-inside: avoid; }
}
)css";

}  // namespace dp::experiments::report
