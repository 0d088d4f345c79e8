/**
 * The report of a run: one page with its curves, numbers and examples, which opens without network.
 *
 * @module
 */
import { join } from "@std/path";
import { short } from "../cli/format.ts";
import { isRecord } from "../cli/schema.ts";
import { type Chart, chartHtml, type Point, type Series, smooth } from "./chart.ts";
import { type Html, html } from "./html.ts";
import { page } from "./report_page.ts";
import type { Row } from "./rows.ts";
import { writeWhole } from "./write_whole.ts";

/** A masked place in an example. */
export interface Blank {
  /** What stood there. */
  readonly truth: string;
  /** The model's guesses, the likeliest first. */
  readonly guesses: readonly { readonly token: string; readonly probability: number }[];
}

/** A text with masked places. */
export type Example = readonly (string | Blank)[];

/** All that a report shows. */
export interface Report {
  readonly title: string;
  /** One line under the title. */
  readonly subtitle: string;
  /** Figures for the top of the page, in order, ready to read. */
  readonly figures: readonly (readonly [name: string, value: string])[];
  readonly metrics: readonly Row[];
  readonly evaluations: readonly Row[];
  readonly unigramPerplexity?: number;
  /** Records shown as tables, by their titles. */
  readonly tables: { readonly [title: string]: object };
  readonly examples: readonly Example[];
}

function points(rows: readonly Row[], name: string): readonly Point[] {
  return rows.flatMap((row): Point[] => {
    const value = row[name];
    return typeof value === "number" ? [[row.step, value]] : [];
  });
}

/** A curve, and behind it the raw values, where there are enough to smooth. */
function smoothed(name: string, raw: readonly Point[]): readonly Series[] {
  if (raw.length < 20) return [{ name, points: raw, look: "main" }];
  const line = smooth(raw, raw.length / 25);
  return [{ name, points: raw, look: "faint" }, { name: "smoothed", points: line, look: "main" }];
}

function charts({ metrics, evaluations, unigramPerplexity }: Report): readonly Chart[] {
  const of = (name: string): readonly Point[] => points(metrics, name);
  const heldOut = points(evaluations, "mlm_ppl");
  return [
    { title: "Training loss", series: smoothed("loss", of("loss")) },
    {
      title: "Held-out perplexity",
      series: [{ name: "model", points: heldOut, look: "marked" }],
      ...unigramPerplexity !== undefined && { level: { name: "unigram", y: unigramPerplexity } },
      log: true,
    },
    {
      title: "Held-out distillation loss",
      series: [{ name: "student", points: points(evaluations, "distill_loss"), look: "marked" }],
    },
    {
      title: "Learning rate",
      series: [{ name: "rate", points: of("lr"), look: "main" }],
      fromZero: true,
    },
    { title: "Gradient norm", series: smoothed("norm", of("grad_norm")), log: true },
    ...of("loss_scale").length > 0
      ? [{
        title: "Loss scale",
        series: [{ name: "scale", points: of("loss_scale"), look: "main" as const }],
        log: true,
      }]
      : [],
    { title: "Tokens a second", series: smoothed("tokens/s", of("tokens_per_s")), fromZero: true },
  ];
}

/** A record's fields as rows, inner ones with the names of the outer ones before theirs. */
function fieldsOf(
  record: object,
  prefix = "",
): readonly (readonly [name: string, value: string])[] {
  return Object.entries(record).flatMap(([name, value]) =>
    isRecord(value)
      ? fieldsOf(value, `${prefix}${name}.`)
      : [[prefix + name, typeof value === "string" ? value : JSON.stringify(value)] as const]
  );
}

/** A record as a table under a title. */
export function tableHtml(title: string, record: object): Html {
  const rows = fieldsOf(record).map(([name, value]) =>
    html`
      <tr>
        <td>${name}</td>
        <td>${value}</td>
      </tr>
    `
  );
  return html`
    <section>
      <h2>${title}</h2>
      <table>${rows}</table>
    </section>
  `;
}

function exampleHtml(example: Example): Html {
  const blanks = example.filter((part) => typeof part !== "string");
  const text = example.map((part) => {
    if (typeof part === "string") return part;
    const best = part.guesses[0]?.token ?? "";
    return html`<mark class="${
      best === part.truth ? "right" : "wrong"
    }" title="${part.truth}">${best}</mark>`;
  });
  const guesses = blanks.map(({ truth, guesses }) =>
    `${truth}: ${
      guesses.map(({ token, probability }) => `${token} ${short(100 * probability)} %`).join(", ")
    }`
  );
  return html`
    <p class="masked" lang="zh-Hans">${text}</p>
    <p class="guesses" lang="zh-Hans">${guesses.join(" · ")}</p>
  `;
}

function examplesHtml(examples: readonly Example[]): Html {
  if (examples.length === 0) return html``;
  return html`<section><h2>Masked characters, as the model fills them in</h2>
${examples.map(exampleHtml)}
<p class="guesses">Underlined is the model's first guess, in another colour where it is wrong. Below each text stand the right characters and the guesses.</p>
</section>`;
}

/** Figures as tiles, for a list of the class `tiles`. */
export function tilesHtml(figures: Report["figures"]): readonly Html[] {
  return figures.map(([name, value]) =>
    html`
      <div>
        <dt>${name}</dt>
        <dd>${value}</dd>
      </div>
    `
  );
}

/** The page of a report. */
export function reportHtml(report: Report): string {
  const { title, subtitle, figures, tables, examples } = report;
  return page(
    title,
    html`
      <header>
        <h1>${title}</h1>
        <p>${subtitle}</p>
      </header>
      <dl class="tiles">${tilesHtml(figures)}</dl>
      <div class="charts">${charts(report).map(chartHtml)}${examplesHtml(examples)}</div>
      <div class="tables">${Object.entries(tables).map(([name, record]) =>
        tableHtml(name, record)
      )}</div>
    `,
  );
}

/** Writes `report.html` into a run's folder. */
export async function writeReport(run: string, report: Report): Promise<void> {
  await writeWhole(join(run, "report.html"), reportHtml(report));
}
