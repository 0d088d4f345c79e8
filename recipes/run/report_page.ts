/**
 * The report's look and its script: all that the page needs is in it.
 *
 * @module
 */
import { type Html, html } from "./html.ts";

const style = `
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --ink: #1b1f24; --soft: #626b76; --line: #e4e7eb;
  --one: #2563c9; --two: #c2560c; }
@media (prefers-color-scheme: dark) { :root { --page: #0e1116; --card: #171b22; --ink: #e6e9ee; --soft: #97a1ae;
  --line: #2a303a; --one: #76a9f9; --two: #f0a05a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1240px; padding: 32px 24px 64px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; }
h1 { font-size: 24px; margin: 0; } h2 { font-size: 15px; margin: 0; }
header p { color: var(--soft); margin: 4px 0 24px; }
.tiles, .charts, .tables { display: grid; gap: 16px; margin-bottom: 16px; }
.tiles { grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); }
.charts { grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); }
.tables { grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr)); align-items: start; }
.tiles div, figure, section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px;
  margin: 0; min-width: 0; }
.tiles dt { color: var(--soft); font-size: 13px; } .tiles dd { margin: 0; font-size: 22px; font-variant-numeric: tabular-nums; }
figcaption { display: flex; justify-content: space-between; gap: 12px; min-height: 1.6em; }
figcaption output, .key { color: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
.key { display: flex; flex-wrap: wrap; gap: 14px; list-style: none; margin: 0; padding: 0; }
.key li::before { content: ""; display: inline-block; width: 14px; margin-right: 6px; vertical-align: middle;
  border-top: 2px solid var(--one); }
.key .faint::before { opacity: .4; } .key .other::before { border-color: var(--two); }
.key .level::before { border-top: 2px dashed var(--two); }
svg { display: block; width: 100%; height: auto; margin-top: 6px; } svg text { fill: var(--soft); font-size: 12px; }
svg .grid { stroke: var(--line); } svg polyline { fill: none; stroke: var(--one); stroke-width: 2; stroke-linejoin: round; }
svg circle { fill: var(--one); } svg polyline.faint { stroke-width: 1; opacity: .4; } svg .other { stroke: var(--two); }
svg .level { stroke: var(--two); stroke-width: 1.5; stroke-dasharray: 6 5; } svg .pointer { stroke: var(--soft); }
table { border-collapse: collapse; width: 100%; margin-top: 8px; font-size: 13px; }
td { border-top: 1px solid var(--line); padding: 4px 0; overflow-wrap: anywhere; vertical-align: top; }
td:first-child { color: var(--soft); padding-right: 16px; white-space: nowrap; } td:last-child { text-align: right; }
.bars td { padding-right: 16px; } .bars td:nth-child(n + 3) { text-align: right; white-space: nowrap; padding-right: 0; padding-left: 16px;
  font-variant-numeric: tabular-nums; } .bar { height: 6px; margin-top: 3px; min-width: 1px; border-radius: 3px; background: var(--one); }
.masked { font-size: 17px; margin: 10px 0 2px; line-height: 1.9; } .masked mark { background: none; color: var(--one);
  border-bottom: 2px solid var(--one); padding: 0 2px; } .masked mark.wrong { color: var(--two); border-color: var(--two); }
.grid th { color: var(--soft); font-weight: normal; padding: 0 0 4px 16px; } .grid th, .grid td:nth-child(n + 2) { text-align: right; }
.wide { margin-bottom: 16px; overflow-x: auto; }
.examples { margin: 8px 0 0; padding-left: 18px; color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
.guesses { color: var(--soft); font-size: 13px; margin: 0 0 12px; }
`;

const script = `
for (const figure of document.querySelectorAll("[data-chart]")) {
  const { over, box: [left, right, from, to, width], series } = JSON.parse(figure.dataset.chart);
  const svg = figure.querySelector("svg"), line = figure.querySelector(".pointer"), out = figure.querySelector("output");
  svg.addEventListener("pointermove", (event) => {
    const { x, width: shown } = svg.getBoundingClientRect();
    const wanted = from + ((event.clientX - x) * width / shown - left) / (right - left) * (to - from);
    const found = series.map(([name, points]) =>
      [name, points.reduce((a, b) => Math.abs(b[0] - wanted) < Math.abs(a[0] - wanted) ? b : a)]);
    const step = found[0][1][0], at = left + (step - from) / (to - from) * (right - left);
    line.setAttribute("x1", at); line.setAttribute("x2", at); line.setAttribute("visibility", "visible");
    out.textContent = over + " " + step + found.map(([name, [, y]]) => ", " + name + " " + y).join("");
  });
  svg.addEventListener("pointerleave", () => { line.setAttribute("visibility", "hidden"); out.textContent = ""; });
}
`;

/** A whole page. */
export function page(title: string, body: Html): string {
  return html`
    <!doctype html>
    <html lang="en">
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title}</title>
    <style>${{ html: style }}</style>
    ${body}
    <script>${{ html: script }}</script>
    </html>
  `.html;
}
