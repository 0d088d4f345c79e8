/**
 * `deno task data`: from raw text to a corpus, step by step.
 *
 * @module
 */
import { openDevice } from "../../core/device/open.ts";
import { InputError } from "../cli/input_error.ts";
import { type Interrupt, runMain } from "../cli/main.ts";
import { anyOf, suggestion } from "../cli/nearest.ts";
import { helpText, type OptionsOf, parseOptions } from "../cli/options.ts";
import { progressView } from "../cli/progress.ts";
import { readAntonyms } from "../masking/antonyms.ts";
import { mineSynonyms } from "../synonyms/mine.ts";
import { readVocabulary } from "../text/read_vocabulary.ts";
import { check } from "./check.ts";
import { clean } from "./clean.ts";
import { dedup } from "./dedup.ts";
import { filter, type Third } from "./filter.ts";
import { commands, type Verb } from "./options.ts";
import { pack } from "./pack.ts";
import { checkReportName, type CorpusReport, reportLines, writeCorpusReport } from "./report.ts";
import { sourcesOf } from "./sources.ts";
import type { StageOptions } from "./stage.ts";
import { vocabulary } from "./vocabulary.ts";

type Given<V extends Verb> = OptionsOf<typeof commands[V]>;

function needed<T>(value: T | undefined, verb: Verb, option: string): T {
  if (value !== undefined) return value;
  throw new InputError(
    `Cannot data ${verb} without --${option}; see deno task data ${verb} --help`,
  );
}

/** What each step does with its options. */
const stages: {
  readonly [V in Verb]: (o: Given<V>, stage: StageOptions) => Promise<CorpusReport | undefined>;
} = {
  async clean(o, stage) {
    const sources = await sourcesOf(needed(o.in, "clean", "in"));
    return await clean({ ...stage, sources, skipBad: o["skip-bad"] });
  },
  dedup: (o, stage) =>
    dedup({
      ...stage,
      in: needed(o.in, "dedup", "in"),
      threshold: o.threshold,
      shortest: o.shortest,
    }),
  filter: (o, stage) =>
    filter({
      ...stage,
      in: needed(o.in, "filter", "in"),
      good: needed(o.good, "filter", "good"),
      keep: o.keep.split(",") as Third[],
    }),
  check: (o, stage) =>
    check({
      ...stage,
      in: needed(o.in, "check", "in"),
      against: needed(o.against, "check", "against").split(","),
    }),
  vocab: (o, stage) => vocabulary({ ...stage, in: needed(o.in, "vocab", "in"), size: o.size }),
  async synonyms(o, stage) {
    const antonyms = o.antonyms === undefined ? new Map() : await readAntonyms(o.antonyms);
    const device = await openDevice(o.device);
    const settings = { in: needed(o.in, "synonyms", "in"), steps: o.steps };
    return await mineSynonyms({ ...stage, ...settings, device, antonyms });
  },
  async pack(o, stage) {
    const read = await readVocabulary(needed(o.vocab, "pack", "vocab"));
    const settings = { in: needed(o.in, "pack", "in"), heldOut: o["held-out"] };
    return await pack({ ...stage, ...settings, vocabulary: read });
  },
};

const verbs = Object.keys(commands) as Verb[];

function usage(): string {
  const width = Math.max(...verbs.map((verb) => verb.length));
  return [
    "From raw text to a corpus, step by step.",
    "",
    "Usage: deno task data STEP --in … --out …",
    "",
    ...verbs.map((verb) => `  ${verb.padEnd(width)}  ${commands[verb].about}`),
  ].join("\n");
}

async function run<V extends Verb>(
  verb: V,
  words: readonly string[],
  interrupt: Interrupt,
): Promise<number> {
  const options = parseOptions(words, commands[verb]) as Given<V>;
  if (options.help) {
    console.log(helpText(commands[verb]));
    return 0;
  }
  // What all steps take; a generic one's options cannot be looked into.
  const { out, workers, report: reportFile, json } = options as OptionsOf<typeof commands.dedup>;
  if (reportFile) checkReportName(reportFile);
  using view = progressView();
  const began = performance.now();
  const found = await stages[verb](options, {
    out: needed(out, verb, "out"),
    workers: workers ?? navigator.hardwareConcurrency,
    view,
    interrupt,
  });
  if (!found) {
    view.note(`Stopped; the same command goes on where it is`);
    return 0;
  }
  const seconds = (performance.now() - began) / 1000, report = { ...found, seconds };
  if (reportFile) await writeCorpusReport(reportFile, verb, report);
  if (json) console.log(JSON.stringify(report));
  else for (const line of reportLines(report)) console.log(line);
  return 0;
}

async function main(interrupt: Interrupt): Promise<number> {
  const [verb, ...words] = Deno.args;
  if (verb === undefined || verb === "--help" || verb === "-h") {
    console.log(usage());
    return verb === undefined ? 2 : 0;
  }
  if (!verbs.includes(verb as Verb)) {
    throw new InputError(
      `Cannot data ${verb}: ${suggestion(verb, verbs, `the steps are ${anyOf(verbs)}`)}`,
    );
  }
  return await run(verb as Verb, words, interrupt);
}

if (import.meta.main) await runMain(main);
