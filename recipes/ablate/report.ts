/**
 * All outcomes as one page, which opens without network.
 *
 * @module
 */
import { chartHtml, type Point, type Series } from "../run/chart.ts";
import { type Html, html } from "../run/html.ts";
import { page } from "../run/report_page.ts";
import { type Ablation, isClicks } from "./ablation.ts";
import { dotPlotHtml } from "./dot_plot.ts";
import { type Outcome, type OutcomeGroup, type OutcomeRow, verdictLines } from "./outcome.ts";
import { number, summaryOf, text } from "./statistics.ts";

/** What stands above the outcomes. */
export interface ReportHead {
  readonly subtitle: string;
  readonly figures: readonly (readonly [name: string, value: string])[];
}

function table({ questions, groups, floors }: Outcome): Html {
  const cells = (row: OutcomeRow): Html =>
    html`<tr><td>${row.variant}</td><td>${row.seeds} ${row.seeds === 1 ? "seed" : "seeds"}</td>${
      row.summaries.map((summary, i) => {
        const shown = summary ? text(summary) : "-";
        return html`<td>${row.best[i] ? html`<b>${shown}</b>` : shown}</td>`;
      })
    }</tr>`;
  return html`<table class="bars"><tr><td></td><td></td>${
    questions.map((question) => html`<td>${question.name}${isClicks(question) ? " ↑" : " ↓"}</td>`)
  }</tr>${
    groups.map(({ name, rows }) =>
      html`${
        name !== undefined && html`
          <tr>
            <td><b>${name}</b></td>
          </tr>
        `
      }${rows.map(cells)}`
    )
  }${
    floors.some((value) => value !== undefined) &&
    html`<tr><td>floor</td><td></td>${
      floors.map((value) => html`<td>${value === undefined ? "-" : number(value)}</td>`)
    }</tr>`
  }</table>`;
}

/** The claimed variant in the colour that it has among the points too, the best other in the first, the rest fainter. */
function lines(
  { claimed }: Ablation,
  higher: boolean,
  group: OutcomeGroup,
  pointsOf: (row: OutcomeRow) => readonly Point[],
): readonly Series[] {
  const mean = ({ summaries: [first] }: OutcomeRow): number =>
    first ? higher ? -first.mean : first.mean : Infinity;
  const others = group.rows.filter(({ variant }) => variant !== claimed);
  const [best] = others.toSorted((a, b) => mean(a) - mean(b));
  return group.rows.map((row): Series => ({
    name: row.variant,
    points: pointsOf(row),
    look: row.variant === claimed ? "other" : row === best ? "main" : "faint",
  }));
}

/** The mean over seeds of the training loss. */
function lossOf({ done }: OutcomeRow): readonly Point[] {
  const [first] = done;
  if (!first) return [];
  return first.result.curve.map(([step], i): Point => {
    const losses = done.map(({ result }) => result.curve[i]?.[1] ?? NaN);
    return [step, summaryOf(losses).mean];
  });
}

function overLength({ questions }: Outcome): (row: OutcomeRow) => readonly Point[] {
  return ({ summaries }) =>
    questions.flatMap((question, i): Point[] => {
      const summary = summaries[i];
      return summary && !isClicks(question) ? [[question.length, summary.mean]] : [];
    }).sort(([a], [b]) => a - b);
}

function plots(outcome: Outcome): readonly Html[] {
  const { ablation, questions, groups } = outcome;
  return groups.flatMap((group) => {
    const title = (what: string): string =>
      group.name === undefined ? what : `${what}, ${group.name}`;
    const first = questions[0]!, higher = isClicks(first);
    const dots = questions.map((question, i) =>
      dotPlotHtml(
        title(isClicks(question) ? question.name : `Held-out perplexity, ${question.name}`),
        group.rows.flatMap(({ variant: name, summaries }) =>
          summaries[i] ? [{ name, summary: summaries[i], marked: name === ablation.claimed }] : []
        ),
      )
    );
    const curves = ablation.overLength
      ? {
        title: title("Held-out perplexity by length"),
        over: "token",
        series: lines(ablation, higher, group, overLength(outcome)),
        log: true,
      }
      : {
        title: title("Training loss, mean over seeds"),
        series: lines(ablation, higher, group, lossOf),
      };
    return [...ablation.overLength ? dots.slice(0, 1) : dots, chartHtml(curves)];
  });
}

function section(outcome: Outcome): Html {
  const { ablation: { name, claim, note }, missing, absent } = outcome;
  return html`
    <section
      id="${name}"><h2>${name}</h2><p>${claim}</p>${table(outcome)}${verdictLines(outcome).map((
        line,
      ) => html`<p><b>${line}</b></p>`)}${note !== undefined &&
        html`<p class="guesses">${note}</p>`}${missing.length > 0 &&
        html`<p class="guesses">To be trained: ${missing.join(", ")}</p>`}${absent.map((what) =>
          html`<p class="guesses">Left out: ${what}</p>`
        )}</section>
    <div class="charts" style="margin-top: 16px">${plots(outcome)}</div>
  `;
}

/** The page. */
export function reportHtml(
  { subtitle, figures }: ReportHead,
  outcomes: readonly Outcome[],
): string {
  return page(
    "Ablations",
    html`
      <header>
        <h1>Ablations</h1>
        <p>${subtitle}</p>
      </header>
      <dl class="tiles">${figures.map(([name, value]) =>
        html`
          <div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>
        `
      )}</dl>
      <p
        class="guesses">Perplexity ↓: lower is better; figures of titles ↑: higher is. Mean ± standard deviation over seeds; bold is the best
      mean of a group. A claim shows where the difference to the best other variant is larger than the larger of the two spreads. Floors are
      those of a unigram model and of chance's order.</p>
      ${outcomes.map(section)}
    `,
  );
}
