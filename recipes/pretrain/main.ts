/**
 * `deno task pretrain`: the command line of a pretraining run.
 *
 * @module
 */
import { join } from "@std/path";
import { openDevice } from "../../core/device/open.ts";
import { helpText } from "../cli/options.ts";
import { type Interrupt, runMain } from "../cli/main.ts";
import { type ProgressView, progressView } from "../cli/progress.ts";
import { fileCorpus } from "../data/corpus_source.ts";
import { defaultCorpus } from "../data/default_corpus.ts";
import type { PreparedCorpus } from "../data/prepare_corpus.ts";
import { cachedCorpus } from "../data/prepared_cache.ts";
import { newRun, newRunName, savedRun, saveRun } from "../run/run_folder.ts";
import { readVocabulary } from "../text/read_vocabulary.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import type { PretrainConfig } from "./config.ts";
import { checkConfig, loadConfig } from "./load_config.ts";
import { pretrainCommand, type PretrainOptions, pretrainOptions } from "./options.ts";
import { closingLines, pretrain } from "./run.ts";

/** Where prepared corpora are kept: deleting it costs nothing but time. */
const CACHE = join(".cache", "corpora");

/** Where `--tune` keeps what it finds. */
const CHOICES = join(".cache", "matmul.json");

/** What a run is made of, new or resumed. `corpus` is null for the default one. */
interface Plan {
  readonly out: string;
  readonly config: PretrainConfig;
  readonly corpus: string | null;
  readonly vocabulary?: Vocabulary;
}

async function planOf(options: PretrainOptions): Promise<Plan> {
  if (options.resume) {
    const out = options.out!, saved = await savedRun(out);
    const { corpus, ...rest } = saved.config as { readonly corpus: string | null };
    const config = checkConfig(rest, saved.configPath), steps = options.steps ?? config.steps;
    return { out, config: { ...config, steps }, corpus, vocabulary: saved.vocabulary };
  }
  const named = await loadConfig(options.config);
  const { steps = named.steps, seed = named.seed } = options, config = { ...named, steps, seed };
  const out = options.out ?? newRunName(config.name);
  await newRun(out);
  return {
    out,
    config,
    corpus: options.corpus ?? null,
    ...options.vocab !== undefined && { vocabulary: await readVocabulary(options.vocab) },
  };
}

async function prepare(plan: Plan, view: ProgressView): Promise<PreparedCorpus> {
  const source = plan.corpus === null ? defaultCorpus() : await fileCorpus(plan.corpus);
  const settings = {
    build: { size: plan.config.data.vocabularySize },
    ...plan.vocabulary && { vocabulary: plan.vocabulary },
  };
  // Documents are read and characters segmented at the same time: one line shows the first.
  return await cachedCorpus(
    source,
    CACHE,
    settings,
    (stage, done) =>
      stage === "read" && view.show({ label: "prepare", done, figures: ["documents"] }),
  );
}

async function main(interrupt: Interrupt): Promise<number> {
  const options = pretrainOptions(Deno.args), began = performance.now();
  if (options.help) {
    console.log(helpText(pretrainCommand));
    return 0;
  }
  using view = progressView();
  const tune = options.tune && { file: CHOICES, report: (line: string) => view.note(line) };
  const device = await openDevice(options.device, { tune }), plan = await planOf(options);
  if (tune) {
    view.note(
      device.kind === "webgpu"
        ? `searching for the fastest products once the first step is compiled; kept in ${CHOICES}`
        : `nothing to tune: there is no GPU here`,
    );
  }
  const corpus = await prepare(plan, view);
  if (!options.resume) {
    await saveRun(plan.out, { ...plan.config, corpus: plan.corpus }, corpus.vocabulary);
  }
  const finished = await pretrain({
    config: plan.config,
    corpus,
    device,
    out: plan.out,
    resume: options.resume,
    ...options.minutes !== undefined && { minutes: options.minutes },
    ...options.trace !== undefined && { trace: options.trace },
    interrupt,
    view,
    emit: (row) => options.json && console.log(JSON.stringify(row)),
  }, began);
  if (options.json) console.log(JSON.stringify(finished.summary));
  else for (const line of closingLines(finished)) console.log(line);
  return 0;
}

if (import.meta.main) await runMain(main);
