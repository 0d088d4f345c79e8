/**
 * What a step did to a corpus, for people.
 *
 * @module
 */
import { dirname } from "@std/path";
import { ensureDir } from "@std/fs";
import { short } from "../cli/format.ts";
import { InputError } from "../cli/input_error.ts";
import { html } from "../run/html.ts";
import { page } from "../run/report_page.ts";
import { writeWhole } from "../run/write_whole.ts";
import type { RuleCounts } from "./rule_counts.ts";
import { documentRules } from "./rules/document_rules.ts";
import { lineRules } from "./rules/line_rules.ts";

/** What a step did to one source: its size, its quality and its part of the whole. */
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

/** Lines for a terminal. */
export function reportLines(report: CorpusReport): string[] {
  const { read, kept, rules, sources = [], tokens, words, synonyms, seconds } = report;
  const all = sources.reduce((sum, { characters }) => sum + characters, 0);
  return [
    ...sources.map((s) =>
      `${s.source}: ${short(s.bytes)}B, ${short(s.kept)} of ${short(s.read)} documents, ` +
      `${short(s.characters)} characters (${share(s.characters, all)})` +
      (s.bad > 0 ? `, ${s.bad} lines skipped` : "")
    ),
    ...ordered(rules).map(([name, { dropped, characters }]) =>
      `  ${name}: ${dropped} left out, ${short(characters)} characters`
    ),
    ...tokens === undefined ? [] : [`${tokens} tokens`],
    ...words === undefined ? [] : [`${synonyms} of ${words} words have synonyms`],
    `${short(kept)} of ${short(read)} documents stay` +
    (seconds === undefined ? "" : `, ${seconds.toFixed(1)} s`),
  ];
}

function about(name: string): string {
  return [...lineRules, ...documentRules].find((rule) => rule.name === name)?.about ?? "";
}

/** A page: what each source holds, what each rule left out, and examples. */
export function reportPage(step: string, report: CorpusReport): string {
  const { read, kept, rules, sources = [] } = report;
  const all = sources.reduce((sum, { characters }) => sum + characters, 0);
  const row = (cells: readonly (string | number)[]) =>
    html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`;
  return page(
    `data ${step}`,
    html`
      <header>
        <h1>data ${step}</h1>
        <p>${short(kept)} of ${short(read)} documents stay</p>
      </header>
      <main class="tables">
        ${sources.length > 0 && html`
          <section>
            <h2>Sources</h2>
            <table>${sources.map((s) =>
              row([
                s.source,
                `${short(s.bytes)}B, ${share(s.kept, s.read)} of ${short(s.read)} documents`,
                `weight ${s.weight}`,
                share(s.characters, all),
              ])
            )}</table>
          </section>
        `}
        ${ordered(rules).map(([name, { dropped, characters, examples }]) =>
          html`
            <section>
              <h2>${name}</h2>
              <p>${about(name)}</p>
              <table>
                ${row(["left out", dropped])}${row(["characters", short(characters)])}
                ${examples.map((example, i) => row([`example ${i + 1}`, example]))}
              </table>
            </section>
          `
        )}
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
