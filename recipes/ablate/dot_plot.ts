/**
 * Values of several seeds as points on a line, a line a variant.
 *
 * @module
 */
import { short } from "../cli/format.ts";
import { type Html, html } from "../run/html.ts";
import { linearScale } from "../run/scale.ts";
import type { Summary } from "./statistics.ts";

/** A line. */
export interface DotRow {
  readonly name: string;
  readonly summary: Summary;
  /** Drawn in the second colour. */
  readonly marked: boolean;
}

const W = 560, ROW = 24;
const BOX = { left: 150, right: W - 20, top: 10 };

/** A figure: small points are seeds, the large one is their mean, the bar its spread. What is not finite is left out. */
export function dotPlotHtml(title: string, all: readonly DotRow[]): Html {
  const rows = all.filter(({ summary }) => summary.values.every(Number.isFinite));
  if (rows.length === 0) return html``;
  const ends = rows.flatMap(({ summary: { values, mean, spread = 0 } }) => [
    ...values,
    mean - spread,
    mean + spread,
  ]);
  const x = linearScale(Math.min(...ends), Math.max(...ends), 5);
  const at = (value: number): number =>
    Math.round(10 * (BOX.left + x.at(value) * (BOX.right - BOX.left))) / 10;
  const bottom = BOX.top + ROW * rows.length;
  const grid = x.ticks.map((tick) =>
    html`
      <line class="grid" x1="${at(tick)}" x2="${at(tick)}" y1="${BOX.top}" y2="${bottom}" />
      <text x="${at(tick)}" y="${bottom + 18}" text-anchor="middle">${short(tick)}</text>
    `
  );
  const lines = rows.map(({ name, summary: { values, mean, spread = 0 }, marked }, i) => {
    const y = BOX.top + ROW * (i + 0.5), look = marked ? "other" : "main";
    return html`
      <text x="${BOX.left - 10}" y="${y + 4}" text-anchor="end">${name}</text>
      <polyline class="${look}" points="${at(mean - spread)},${y} ${at(mean + spread)},${y}" />
      ${values.map((value) =>
        html`
          <circle class="${look}" cx="${at(value)}" cy="${y}" r="2.5" opacity="0.5" />
        `
      )}
      <circle class="${look}" cx="${at(mean)}" cy="${y}" r="4.5"
        style="fill: var(--${marked ? "two" : "one"})" />
    `;
  });
  return html`
    <figure>
      <figcaption>
        <h2>${title}</h2>
      </figcaption>
      <svg viewBox="0 0 ${W} ${bottom + 26}" role="img"
        aria-label="${title}">${grid}${lines}</svg>
    </figure>
  `;
}
