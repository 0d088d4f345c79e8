/**
 * What a step did to a corpus, for people.
 *
 * @module
 */
import { dirname } from "@std/path";
import { ensureDir } from "@std/fs";
import { short } from "../cli/format.ts";
import { InputError } from "../cli/input_error.ts";
import { type Html, html } from "../run/html.ts";
import { page } from "../run/report_page.ts";
import { writeWhole } from "../run/write_whole.ts";
import type { Breadth } from "./breadth.ts";
import type { RuleCounts } from "./rule_counts.ts";
import { documentRules } from "./rules/document_rules.ts";
import { repeatedLine } from "./rules/repeated_line.ts";
import { lineRules } from "./rules/line_rules.ts";

/** What a step did to one source: its size, its quality, its breadth and its part of the whole. */
export interface SourceReport {
  readonly source: string;
  readonly weight: number;
  readonly bytes: number;
  /** Documents before and after. */
  readonly read: number;
  readonly kept: number;
  /** Units: UTF-16, afterwards. */
  readonly characters: number;
  /** Lines that were no documents. */
  readonly bad: number;
  readonly breadth: Breadth;
  readonly rules: RuleCounts;
}

/** What a step did. */
export interface CorpusReport {
  /** Documents before and after. */
  readonly read: number;
  readonly kept: number;
  readonly rules: RuleCounts;
  readonly sources?: readonly SourceReport[];
  /** Perplexities that part the thirds of `filter`. */
  readonly bounds?: readonly [number, number];
  /** Of a vocabulary that was built. */
  readonly tokens?: number;
  /** Tokens of a packed corpus. */
  readonly packed?: {
    readonly train: number;
    readonly heldOut: number;
    /** How many of both are [UNK]. */
    readonly unknown: number;
  };
  /** Words that synonyms were looked for, and for how many they were found. */
  readonly words?: number;
  readonly synonyms?: number;
  readonly seconds?: number;
}

const share = (part: number, whole: number): string =>
  whole === 0 ? "-" : `${(100 * part / whole).toFixed(2)} %`;

/** The rules that did something, those that left out most first. */
function ordered(rules: RuleCounts): readonly (readonly [string, RuleCounts[string]])[] {
  return Object.entries(rules).sort(([, a], [, b]) => b.characters - a.characters);
}

/** What a step that leaves nothing out made of a corpus. */
function made({ tokens, packed, words, synonyms }: CorpusReport): string | undefined {
  if (tokens !== undefined) return `${tokens} tokens`;
  if (words !== undefined) return `${synonyms} of ${words} words have synonyms`;
  if (!packed) return undefined;
  const { train, heldOut, unknown } = packed;
  return `${short(train)} tokens to train on, ${short(heldOut)} held out, ${
    share(unknown, train + heldOut)
  } [UNK]`;
}

/** Lines for a terminal. */
export function reportLines(report: CorpusReport): string[] {
  const { read, kept, rules, sources = [], bounds, seconds } = report;
  const all = sources.reduce((sum, { characters }) => sum + characters, 0);
  const result = made(report);
  return [
    ...sources.map((s) =>
      `${s.source}: ${short(s.bytes)}B, ${short(s.kept)} of ${short(s.read)} documents, ` +
      `${short(s.characters)} characters (${share(s.characters, all)})` +
      (s.bad > 0 ? `, bad lines skipped: ${s.bad}` : "")
    ),
    ...bounds
      ? [`head up to a perplexity of ${short(bounds[0])}, middle up to ${short(bounds[1])}`]
      : [],
    ...ordered(rules).map(([name, { dropped, characters }]) =>
      `  ${name}: ${dropped} left out, ${short(characters)} characters`
    ),
    (result
      ? `${result}; ${short(read)} documents`
      : `${short(kept)} of ${short(read)} documents stay`) +
    (seconds === undefined ? "" : `, ${seconds.toFixed(1)} s`),
  ];
}

/** What a rule of `clean` leaves out; other steps' rules say it by their names. */
function about(name: string): string | undefined {
  return [...lineRules, repeatedLine, ...documentRules].find((rule) => rule.name === name)?.about;
}

/** The sources, and how much of an epoch each is. */
function sourcesHtml(sources: readonly SourceReport[]): Html {
  const sum = (f: (s: SourceReport) => number): number => sources.reduce((n, s) => n + f(s), 0);
  const characters = sum((s) => s.characters), seen = sum((s) => s.weight * s.characters);
  return html`
    <table class="grid">
      ${headHtml([
        "",
        "size",
        "documents",
        "stay",
        "characters",
        "a document",
        "different pairs",
        "of all",
        "weight",
        "of an epoch",
      ])}
      ${sources.map((s) =>
        rowHtml([
          s.source,
          `${short(s.bytes)}B`,
          short(s.read),
          share(s.kept, s.read),
          short(s.characters),
          s.kept === 0 ? "-" : short(s.characters / s.kept),
          `${short(s.breadth.pairs)} in ${short(s.breadth.characters)}`,
          share(s.characters, characters),
          s.weight,
          share(s.weight * s.characters, seen),
        ])
      )}
    </table>
  `;
}

const rowHtml = (cells: readonly (string | number)[]): Html =>
  html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`;
const headHtml = (cells: readonly string[]): Html =>
  html`<tr>${cells.map((cell) => html`<th>${cell}</th>`)}</tr>`;

/** A page: what each source holds, what each rule left out, and examples. */
export function reportPage(step: string, report: CorpusReport): string {
  const { rules, sources = [] } = report,
    [last] = reportLines({ ...report, sources: [] }).slice(-1);
  return page(
    `data ${step}`,
    html`
      <header>
        <h1>data ${step}</h1>
        <p>${last!}</p>
      </header>
      <main>
        ${sources.length > 0 && html`
          <section class="wide"><h2>Sources</h2>${sourcesHtml(sources)}</section>
        `}
        <div class="tables">
        ${ordered(rules).map(([name, { dropped, characters, examples }]) =>
          html`
            <section>
              <h2>${name}</h2>
              ${about(name) !== undefined && html`<p>${about(name)}</p>`}
              <p>${dropped} left out, ${short(characters)} characters</p>
              <ul class="examples">${examples.map((example) => html`<li>${example}</li>`)}</ul>
            </section>
          `
        )}
        </div>
      </main>
    `,
  );
}

/**
 * Refuses a report's file before the work is done that it would report.
 *
 * @throws InputError where it is neither a page nor data by its name.
 */
export function checkReportName(path: string): void {
  if (/\.(html|json)$/.test(path)) return;
  throw new InputError(`Cannot write the report ${path}: its name must end in .html or .json`);
}

/** Leaves a report in a file, a page or data by its name. */
export async function writeCorpusReport(
  path: string,
  step: string,
  report: CorpusReport,
): Promise<void> {
  checkReportName(path);
  await ensureDir(dirname(path));
  const isPage = path.endsWith(".html");
  await writeWhole(path, isPage ? reportPage(step, report) : JSON.stringify(report, null, 2));
}
