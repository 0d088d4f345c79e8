/**
 * Line charts as SVG, drawn for the report: no library and no network is needed to see them.
 *
 * @module
 */
import { short } from "../cli/format.ts";
import { type Html, html } from "./html.ts";
import { linearScale, logScale, type Scale } from "./scale.ts";

/** A point. */
export type Point = readonly [x: number, y: number];

/** One curve. */
export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** `main`: a line; `faint`: the raw values behind it; `other`: a line in the second colour; `marked`: a line with its points. */
  readonly look: "main" | "faint" | "other" | "marked";
}

/** A chart over steps, or over what it says. */
export interface Chart {
  readonly title: string;
  /** What the axis counts, in the singular; without it: step. */
  readonly over?: string;
  readonly series: readonly Series[];
  /** A line at one height, to compare with. */
  readonly level?: { readonly name: string; readonly y: number };
  readonly log?: boolean;
  /** Must the axis begin at 0? */
  readonly fromZero?: boolean;
}

const W = 560, H = 260;
const BOX = { left: 52, right: W - 14, top: 12, bottom: H - 30 };
/** More points than pixels say nothing. */
const POINTS = 400;

/** At most `limit` points: means over stretches of equal length. */
export function thin(points: readonly Point[], limit: number = POINTS): readonly Point[] {
  if (points.length <= limit) return points;
  return Array.from({ length: limit }, (_, i): Point => {
    const part = points.slice(
      Math.floor(i * points.length / limit),
      Math.floor((i + 1) * points.length / limit),
    );
    const mean = (k: 0 | 1): number => part.reduce((sum, p) => sum + p[k], 0) / part.length;
    return [mean(0), mean(1)];
  });
}

/** The mean of the points so far, the latest weighing most, over about `span` points. */
export function smooth(points: readonly Point[], span: number): readonly Point[] {
  const keep = 1 - 1 / Math.max(1, span);
  let sum = 0, weight = 0;
  return points.map(([x, y]): Point => {
    sum = keep * sum + (1 - keep) * y;
    weight = keep * weight + (1 - keep);
    return [x, sum / weight];
  });
}

const px = (n: number): number => Math.round(n * 10) / 10;
const xOf = (scale: Scale, x: number): number =>
  px(BOX.left + scale.at(x) * (BOX.right - BOX.left));
const yOf = (scale: Scale, y: number): number =>
  px(BOX.bottom - scale.at(y) * (BOX.bottom - BOX.top));

function grid(x: Scale, y: Scale): Html {
  const rows = y.ticks.map((tick) => {
    const at = yOf(y, tick);
    return html`
      <line class="grid" x1="${BOX.left}" x2="${BOX.right}" y1="${at}" y2="${at}" />
      <text x="${BOX.left - 8}" y="${at + 4}" text-anchor="end">${short(tick)}</text>
    `;
  });
  const columns = x.ticks.map((tick) =>
    html`<text x="${xOf(x, tick)}" y="${BOX.bottom + 20}" text-anchor="middle">${
      short(tick)
    }</text>`
  );
  return html`${rows}${columns}`;
}

function curve({ points, look }: Series, x: Scale, y: Scale): Html {
  const at = points.map(([px, py]) => `${xOf(x, px)},${yOf(y, py)}`);
  const dots = look === "marked" || points.length === 1
    ? at.map((point) => {
      const [cx = "", cy = ""] = point.split(",");
      return html`
        <circle class="${look}" cx="${cx}" cy="${cy}" r="3" />
      `;
    })
    : [];
  return html`
    <polyline class="${look}" points="${at.join(" ")}" />${dots}
  `;
}

function scales({ series, level, log, fromZero }: Chart): readonly [x: Scale, y: Scale] {
  const all = series.flatMap(({ points }) => points);
  const xs = all.map(([x]) => x), ys = all.map(([, y]) => y);
  if (level) ys.push(level.y);
  const low = ys.reduce((a, b) => Math.min(a, b)), high = ys.reduce((a, b) => Math.max(a, b));
  const lastX = xs.reduce((a, b) => Math.max(a, b));
  return [
    linearScale(0, Math.max(1, lastX), 5),
    log && low > 0 ? logScale(low, high) : linearScale(fromZero ? Math.min(0, low) : low, high, 5),
  ];
}

/**
 * A chart as a figure. Points that are not finite are left out. The curves' numbers go along for the page's script, which shows those
 * under the pointer.
 */
export function chartHtml(chart: Chart): Html {
  const series = chart.series
    .map((s) => ({ ...s, points: thin(s.points.filter((p) => p.every(Number.isFinite))) }))
    .filter(({ points }) => points.length > 0);
  if (series.length === 0) return html``;
  const shown = { ...chart, series };
  const [x, y] = scales(shown);
  const { level, over = "step" } = chart;
  const names = series.length + (level ? 1 : 0) > 1;
  const key = [
    ...series,
    ...level ? [{ name: `${level.name} ${short(level.y)}`, look: "level" }] : [],
  ];
  const last = x.ticks.at(-1)!;
  const data = JSON.stringify({
    over,
    box: [BOX.left, BOX.right, x.ticks[0], last, W],
    series: series.map((
      { name, points },
    ) => [name, points.map(([a, b]) => [Math.round(a), short(b)])]),
  });
  return html`<figure data-chart="${data}">
<figcaption><h2>${chart.title}</h2><output></output></figcaption>
${names && html`<ul class="key">${key.map((k) => html`<li class="${k.look}">${k.name}</li>`)}</ul>`}
<svg viewBox="0 0 ${W} ${H}" role="img" aria-label="${chart.title} over ${over}s">
${grid(x, y)}
${
    level &&
    html`
      <line class="level" x1="${BOX.left}" x2="${BOX.right}" y1="${yOf(y, level.y)}" y2="${yOf(
        y,
        level.y,
      )}" />
    `
  }
${series.map((s) => curve(s, x, y))}
<line class="pointer" y1="${BOX.top}" y2="${BOX.bottom}" visibility="hidden"/>
</svg>
</figure>`;
}
