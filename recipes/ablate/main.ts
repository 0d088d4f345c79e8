/**
 * `deno task ablate`: the article's claims at small scale.
 *
 * @module
 */
import { join } from "@std/path";
import { openDevice } from "../../core/device/open.ts";
import { duration } from "../cli/format.ts";
import { type Interrupt, runMain } from "../cli/main.ts";
import { helpText } from "../cli/options.ts";
import { type ProgressView, progressView } from "../cli/progress.ts";
import { changed } from "../pretrain/load_config.ts";
import { openCorpus } from "../pretrain/open_corpus.ts";
import type { RunCorpus } from "../pretrain/run_corpus.ts";
import { writeWhole } from "../run/write_whole.ts";
import { type AblateData, ablateData } from "./ablate_data.ts";
import { contentHash } from "./cell_store.ts";
import { chosenAblations } from "./ablations.ts";
import { baseConfig } from "./base.ts";
import { ablateCommand, type AblateOptions, ablateOptions } from "./options.ts";
import { type Done, type Outcome, outcomeOf } from "./outcome.ts";
import { type Cell, cellsOf, phasesOf, type PlanSettings } from "./plan.ts";
import { reportHtml } from "./report.ts";
import { type Ran, runCells } from "./run.ts";
import { outcomeLines } from "./table.ts";

function corpusOf(
  { data, corpus, set }: AblateOptions,
  view: ProgressView,
): Promise<RunCorpus> {
  const size = changed(baseConfig(1, 1), set).data.vocabularySize;
  return openCorpus({ packed: data ?? null, corpus: corpus ?? null, size }, view);
}

/** What is planned, and the user's files that it reads. */
function planOf({ steps, seeds, set, synonyms, phrases, clicks }: AblateOptions): {
  readonly settings: PlanSettings;
  readonly files: readonly string[];
} {
  const given = {
    ...synonyms !== undefined && { synonyms },
    ...phrases !== undefined && { phrases },
  };
  const files = [...Object.values(given), ...clicks === undefined ? [] : [clicks]];
  const settings = { steps, seeds, set, files: given, ...clicks !== undefined && { clicks } };
  return { settings, files };
}

/** Reads the user's files, so that what is wrong in them is said before the work, not hours later. */
async function readFiles(
  cells: readonly Cell[],
  { clicks }: PlanSettings,
  data: AblateData,
): Promise<void> {
  for (const { config: { mask } } of cells.filter(({ variant }) => variant.needs)) {
    await data.tables(mask);
  }
  const config = cells.flatMap(phasesOf).find(({ click }) => click !== null);
  if (clicks !== undefined && config) await data.clicks(config.click!);
}

/** A cell for `--json`. */
function cellRow({ cell: { ablation, variant, seed }, result }: Done, trained: boolean): object {
  const { values, seconds } = result;
  return { ablation, variant: variant.name, group: variant.group, seed, values, seconds, trained };
}

/** The end of `--json`. */
function summaryRow(
  outcomes: readonly Outcome[],
  { trained, left, leftSeconds }: Ran,
  report: string,
): object {
  const verdicts = outcomes.flatMap(({ ablation, questions, groups, missing }) =>
    groups.map(({ name, rows, verdicts }) => ({
      ablation: ablation.name,
      group: name,
      verdicts: verdicts.map((verdict, i) => ({ question: questions[i]!.name, ...verdict })),
      missing,
      rows: rows.map(({ variant, seeds, summaries }) => ({
        variant,
        seeds,
        found: Object.fromEntries(questions.map(({ name }, i) => {
          const { mean = null, spread = null } = summaries[i] ?? {};
          return [name, { mean, spread }];
        })),
      })),
    }))
  );
  return { verdicts, trained, left, left_s: leftSeconds, report };
}

async function main(interrupt: Interrupt): Promise<number> {
  const options = ablateOptions(Deno.args), began = performance.now();
  if (options.help) {
    console.log(helpText(ablateCommand));
    return 0;
  }
  const { only, minutes, out, json, steps, seeds } = options;
  const chosen = chosenAblations(only), { settings, files } = planOf(options);
  const cells = cellsOf(chosen, settings);
  for (const file of files) await contentHash(file); // before the work, not after it
  using view = progressView();
  const device = await openDevice(options.device), corpus = await corpusOf(options, view);
  const data = ablateData(corpus, options["skip-bad"], (line) => view.note(line));
  await readFiles(cells, settings, data);
  view.note(`${cells.length} trainings on ${device.description}`);
  const ran = await runCells({
    cells,
    data,
    device,
    out,
    ...minutes !== undefined && { until: began + minutes * 60_000 },
    interrupt,
    view,
    emit: (done, trained) => json && console.log(JSON.stringify(cellRow(done, trained))),
  });
  const outcomes: Outcome[] = [];
  for (const ablation of chosen) {
    outcomes.push(await outcomeOf(ablation, ran.done, settings, data));
  }
  const report = join(out, "report.html"), { vocabulary } = corpus;
  const { length } = changed(baseConfig(1, 1), options.set).data;
  const left = `${ran.left} left${
    ran.leftSeconds > 0 ? `, about ${duration(ran.leftSeconds)}` : ""
  }`;
  const head = {
    subtitle: `${corpus.report.corpus} on ${device.description}`,
    figures: [
      ["trainings", `${ran.total - ran.left} of ${ran.total}`],
      ...ran.left > 0 ? [["to be trained", left] as const] : [],
      ["steps of each", String(steps)],
      ["seeds", String(seeds)],
      ["tokens", String(vocabulary.tokens.length)],
      [`unigram perplexity, ${length} tokens`, data.unigram({ name: "", length }).toFixed(1)],
    ] as const,
  };
  await writeWhole(report, reportHtml(head, outcomes));
  const rest = ran.left > 0 ? `${left}: the same command goes on; ` : "";
  const time = duration((performance.now() - began) / 1000);
  if (json) console.log(JSON.stringify(summaryRow(outcomes, ran, report)));
  else {
    for (const outcome of outcomes) console.log([...outcomeLines(outcome), ""].join("\n"));
    const late = ran.trained === 0 && ran.left > 0 && minutes !== undefined;
    if (late && !interrupt.requested) {
      console.log(`Nothing was trained: --minutes ${minutes} is too little for any that is left`);
    }
    console.log(`${ran.trained} trained in ${time}, ${rest}see ${report}`);
  }
  return 0;
}

if (import.meta.main) await runMain(main);
