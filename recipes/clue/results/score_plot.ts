/**
 * Scores of tasks on one axis from 0 to 100: ours filled, with their spread; those of others hollow, in the second colour.
 *
 * @module
 */
import { type Html, html } from "../../run/html.ts";
import { linearScale } from "../../run/scale.ts";
import type { Published } from "./published.ts";
import type { RowGroup } from "./result_row.ts";
import { meanText } from "./results_table.ts";

/** A line of the plot. */
export interface ScoreLine {
  readonly ours: RowGroup;
  readonly others: readonly Published[];
}

const W = 1160, ROW = 26;
const BOX = { left: 190, right: W - 20, top: 8 };

const scale = linearScale(0, 100, 10);
const at = (value: number): number =>
  Math.round(10 * (BOX.left + scale.at(value) * (BOX.right - BOX.left))) / 10;

/** Figures of others in a word or two. */
export const figureText = ({ system, split, value, source }: Published): string =>
  `${system}, ${split}: ${value.toFixed(2)} (${source.name})`;

function lineHtml({ ours, others }: ScoreLine, i: number): Html {
  const { task, split, metric, summary: { mean, spread = 0, values } } = ours;
  const y = BOX.top + ROW * (i + 0.5), [low, high] = [mean - spread, mean + spread];
  const marks = others.map((figure) => {
    const x = at(figure.value), r = 5;
    const shape = figure.human
      ? html`<path class="figure human" d="M${x} ${y - r}V${y + r}">`
      : html`
        <path class="figure"
          d="M${x} ${y - r}L${x + r} ${y}L${x} ${y + r}L${x - r} ${y}Z">
      `;
    return html`${shape}<title>${figureText(figure)}</title></path>`;
  });
  return html`
    <text x="${BOX.left - 12}" y="${y + 4}" text-anchor="end">${task} ${split}, ${metric}</text>
    ${marks}
    <path class="spread"
      d="M${at(low)} ${y}H${at(high)}M${at(low)} ${y - 4}v8M${at(high)} ${y - 4}v8"></path>
    ${values.map((value) =>
      html`
        <circle cx="${at(value)}" cy="${y}" r="2.5" opacity="0.5"></circle>
      `
    )}
    <circle cx="${at(mean)}" cy="${y}" r="4.5">
      <title>ours: ${meanText(ours.summary)}</title>
    </circle>
  `;
}

/** The figure; nothing where there is nothing to show. */
export function scorePlotHtml(lines: readonly ScoreLine[]): Html {
  if (lines.length === 0) return html``;
  const bottom = BOX.top + ROW * lines.length;
  const grid = scale.ticks.map((tick) =>
    html`
      <line class="grid" x1="${at(tick)}" x2="${at(tick)}" y1="${BOX.top}" y2="${bottom}" />
      <text x="${at(tick)}" y="${bottom + 18}" text-anchor="middle">${tick}</text>
    `
  );
  return html`
    <figure class="scores wide">
      <figcaption>
        <h2>Scores</h2>
      </figcaption>
      <ul class="key">
        <li class="ours">ours: mean, spread and seeds</li>
        <li class="published">published by others: models</li>
        <li class="people">published by others: people</li>
      </ul>
      <svg viewBox="0 0 ${W} ${bottom + 26}" role="img" aria-label="Scores of tasks">
        ${grid}${lines.map(lineHtml)}</svg>
    </figure>
  `;
}
