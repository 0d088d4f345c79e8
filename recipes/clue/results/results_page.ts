/**
 * All results as one page, which opens without network. Figures of others stand apart, with their sources.
 *
 * @module
 */
import { type Chart, chartHtml, type Series } from "../../run/chart.ts";
import { type Html, html } from "../../run/html.ts";
import { tilesHtml } from "../../run/report.ts";
import { page } from "../../run/report_page.ts";
import { boardAverages, boardMetric, lackOf } from "./boards.ts";
import { type FigureSource, type Published, published } from "./published.ts";
import { type EpochRow, groupsOf, type ResultRow, type RowGroup } from "./result_row.ts";
import { countText, meanText } from "./results_table.ts";
import { scorePlotHtml } from "./score_plot.ts";

/** What a page shows. */
export interface ResultsReport {
  /** One line: what was learnt from, and where. */
  readonly subtitle: string;
  readonly rows: readonly ResultRow[];
  /** Values on the dev split after every epoch, where they are at hand. */
  readonly epochs: readonly EpochRow[];
  /** What went wrong, a line each. */
  readonly faults: readonly string[];
}

const style = `
.numbers td:nth-child(n + 2), .numbers th:nth-child(n + 2) { text-align: right; white-space: nowrap; padding-left: 16px; }
.numbers th { color: var(--soft); font-weight: normal; vertical-align: bottom; } .numbers th:first-child { text-align: left; }
.ours td:nth-child(-n + 3), .ours th:nth-child(-n + 3) { text-align: left; }
.numbers td { font-variant-numeric: tabular-nums; } .published.wide th { white-space: normal; min-width: 64px; }
.published td:nth-child(3) { padding-right: 12px; } section.published { border: 1px dashed var(--two); }
.published td:nth-child(n + 4) { color: var(--soft); font-style: italic; } .published td:nth-child(4) { border-left: 1px dashed var(--two); }
.published sup { font-size: 10px; font-style: normal; } .sources { color: var(--soft); font-size: 13px; padding-left: 20px; }
.scores path { fill: none; stroke: var(--one); stroke-width: 2; } .scores .figure { stroke: var(--two); stroke-width: 1.2; }
.scores .human { stroke-width: 2.5; } .key .published::before { border-color: var(--two); } .key .people::before { border-color: var(--two);
  border-top-width: 4px; } .faults { color: var(--two); }
`;

/** The metric that counts: a board's, or the task's first. */
function mainGroups(groups: readonly RowGroup[]): readonly RowGroup[] {
  const first = new Map(groups.toReversed().map(({ task, metric }) => [task, metric]));
  return groups.filter(({ task, metric }) => metric === (boardMetric(task) ?? first.get(task)));
}

function tiles(rows: readonly ResultRow[]): Html {
  const shown = boardAverages(rows).map((average): readonly [string, string] => [
    `${average.board.name}, ${average.split}`,
    average.summary?.mean.toFixed(2) ?? "–",
  ]);
  return shown.length === 0 ? html`` : html`<dl class="tiles">${tilesHtml(shown)}</dl>`;
}

function ownTable(groups: readonly RowGroup[], rows: readonly ResultRow[]): Html {
  const cells = (all: readonly string[]): Html =>
    html`<tr>${all.map((cell) => html`<td>${cell}</td>`)}</tr>`;
  const lines = groups.map(({ task, split, metric, summary, n, seeds }) =>
    cells([task, split, metric, meanText(summary), n.toLocaleString("en"), seeds.join(", ")])
  );
  const averages = boardAverages(rows).map((average) => {
    const { board: { name, tasks }, split, summary, seeds } = average, { length } = tasks;
    return summary
      ? cells([name, split, "average", meanText(summary), countText(length), seeds.join(", ")])
      : html`
        <tr>
          <td>${name}</td>
          <td>${split}</td>
          <td>average</td>
          <td colspan="3">${lackOf(average)}</td>
        </tr>
      `;
  });
  return html`
    <section class="wide">
      <h2>Our results</h2>
      <table class="numbers ours">
        <tr>
          <th>task</th><th>split</th><th>metric</th><th>mean ± spread</th><th>n</th><th>seeds</th>
        </tr>
        ${lines}${averages}
      </table>
    </section>
  `;
}

/** Figures of others beside ours; the numbers at them name the source. */
function othersTable(groups: readonly RowGroup[]): Html {
  const tasks = new Set(groups.map(({ task, metric }) => `${task} ${metric}`));
  const figures = published.filter(({ task, metric }) => tasks.has(`${task} ${metric}`));
  if (figures.length === 0) return html``;
  const columns = [...new Set(figures.map(({ system, split }) => `${system}, ${split}`))];
  const sources = [...new Set(figures.map(({ source }) => source))];
  const mark = (source: FigureSource): number => sources.indexOf(source) + 1;
  const figure = ({ value, source }: Published): Html =>
    html`
      ${value.toFixed(2)}<sup>${mark(source)}</sup>
    `;
  const ours = (task: string, metric: string, split: string): string => {
    const own = groups.find((group) =>
      group.task === task && group.metric === metric && group.split === split
    );
    return own ? meanText(own.summary) : "–";
  };
  const lines = [...tasks].flatMap((name) => {
    const [task = "", metric = ""] = name.split(" ");
    const own = figures.filter((one) => one.task === task && one.metric === metric);
    if (own.length === 0) return [];
    const cells = columns.map((column) =>
      html`<td>${
        own.filter(({ system, split }) => `${system}, ${split}` === column).map(figure)
      }</td>`
    );
    return [
      html`<tr><td>${task}, ${metric}</td><td>${ours(task, metric, "dev")}</td><td>${
        ours(task, metric, "test")
      }</td>${cells}</tr>`,
    ];
  });
  return html`
    <section class="published wide">
      <h2>Published by others</h2>
      <p class="guesses">
        In italics, to compare with: on the official splits, which ours may not be, and in no average above.
      </p>
      <table class="numbers">
        <tr>
          <th>task</th><th>ours, dev</th><th>ours, test</th>${columns.map((column) =>
            html`<th>${column}</th>`
          )}
        </tr>
        ${lines}
      </table>
      <ol class="sources">${sources.map(({ name, about }) => html`<li>${name}: ${about}</li>`)}</ol>
    </section>
  `;
}

/** Curves over epochs: the mean over seeds where there are several, and each of them. */
function curves(epochs: readonly EpochRow[]): readonly Html[] {
  return [...Map.groupBy(epochs, ({ task }) => task).values()].flatMap((own) => {
    const { task, metric } = own.find((row) => row.metric === boardMetric(row.task)) ?? own[0]!;
    const rows = own.filter((row) => row.metric === metric);
    if (new Set(rows.map(({ epoch }) => epoch)).size < 2) return [];
    const bySeed = [...Map.groupBy(rows, ({ seed }) => seed)];
    const series = bySeed.map(([seed, own]): Series => ({
      name: `seed ${seed}`,
      points: own.map(({ epoch, value }) => [epoch, value]),
      look: bySeed.length > 1 ? "faint" : "marked",
    }));
    const means: Series = {
      name: "mean",
      points: [...Map.groupBy(rows, ({ epoch }) => epoch)]
        .filter(([, own]) => own.length === bySeed.length)
        .map((
          [epoch, own],
        ) => [epoch, own.reduce((sum, { value }) => sum + value, 0) / own.length]),
      look: "marked",
    };
    const chart: Chart = {
      title: `${task}, dev ${metric}`,
      over: "epoch",
      series: bySeed.length > 1 ? [...series, means] : series,
    };
    return [chartHtml(chart)];
  });
}

/** The page. */
export function resultsHtml({ subtitle, rows, epochs, faults }: ResultsReport): string {
  const groups = groupsOf(rows), counted = mainGroups(groups);
  const lines = counted.map((ours) => ({
    ours,
    others: published.filter(({ task, metric }) => task === ours.task && metric === ours.metric),
  }));
  const shown = curves(epochs);
  return page(
    "CLUE",
    html`
      <style>${{ html: style }}</style>
      <header>
        <h1>CLUE</h1>
        <p>${subtitle}</p>
        ${faults.map((fault) =>
          html`
            <p class="faults">${fault}</p>
          `
        )}
      </header>
      ${tiles(rows)}${ownTable(groups, rows)}${scorePlotHtml(lines)}${shown.length > 0 &&
        html`<div class="charts">${shown}</div>`}${othersTable(groups)}
    `,
  );
}
