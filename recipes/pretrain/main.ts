/**
 * `deno task pretrain`: the command line of a pretraining run.
 *
 * @module
 */
import { join } from "@std/path";
import type { Device } from "../../core/device/device.ts";
import { openDevice } from "../../core/device/open.ts";
import { InputError } from "../cli/input_error.ts";
import { helpText } from "../cli/options.ts";
import { type Interrupt, runLauncher, runMain } from "../cli/main.ts";
import { type ProgressView, progressView } from "../cli/progress.ts";
import { packedCorpus } from "../corpus/pack.ts";
import { corpusInfo } from "../corpus/shards.ts";
import { publish } from "../observe/publish.ts";
import { slowLines, timesLines } from "../observe/stragglers.ts";
import { runMetrics } from "../observe/run_metrics.ts";
import { newRun, newRunName, savedRun, saveLength, saveRun } from "../run/run_folder.ts";
import { readVocabulary } from "../text/read_vocabulary.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import type { Beginning } from "./adaptation.ts";
import { configurations, type PretrainConfig } from "./config.ts";
import { configTable } from "./config_table.ts";
import { clickData } from "./click_task.ts";
import { documentsOf } from "./documents_of.ts";
import { checkElastic, elasticHere, refuseTls, refuseWatched, trainElastic } from "./elastic.ts";
import { checkFit, deviceFor, type Fit, fitLine, fitOf, machineMemory } from "./fit.ts";
import { type Forecast, forecast } from "./forecast.ts";
import { follow } from "./follow.ts";
import { forecastLines } from "./forecast_text.ts";
import {
  leftOutLine,
  originOf,
  refuseHeadless,
  refuseOtherModel,
  refuseOtherVocabulary,
} from "./init_from.ts";
import { changed, checkConfig, loadConfig } from "./load_config.ts";
import { isNproc, launchElasticPretrain, launchPretrain, refuseInside } from "./many.ts";
import { maskTables } from "./mask_tables.ts";
import { checkSize, goesOn, joinRun, type Member, placeHere, threadsOf } from "./member.ts";
import { openCorpus } from "./open_corpus.ts";
import { DEFAULT, pretrainCommand, type PretrainOptions, pretrainOptions } from "./options.ts";
import { HEARTBEAT } from "./patience.ts";
import type { RunCorpus } from "./run_corpus.ts";
import { closingLines, pretrain, type RunOptions } from "./run.ts";
import { extended, stagesOf, totalSteps, withSteps } from "./stages.ts";
import { recordOnSigterm, teamWatch, writeTeamTrace } from "./team_watch.ts";
import { warmSteps } from "./wire.ts";

/** Where `--tune` keeps what it finds. */
const CHOICES = join(".cache", "matmul.json");

/** What a run is made of, new or resumed. `corpus` is null for the default one, `packed` where the corpus is not packed. */
interface Plan {
  readonly config: PretrainConfig;
  readonly corpus: string | null;
  readonly packed: string | null;
  /** The checkpoint that the run begins with, where there is one, and the general text to measure on. */
  readonly init: string | null;
  readonly general: string | null;
  readonly vocabulary?: Vocabulary;
  /** What is to be said of the weights that it begins with. */
  readonly note?: string;
}

/** A configuration with what the command line says otherwise. */
function withOptions(given: PretrainConfig, options: PretrainOptions): PretrainConfig {
  const { steps, resume } = options;
  if (resume && steps !== undefined) refuseShort(given, steps);
  const config = steps === undefined ? given : (resume ? extended : withSteps)(given, steps);
  if (resume) refuseOtherWarmUp(given, config);
  return {
    ...config,
    seed: options.seed ?? config.seed,
    evalEvery: options["eval-every"] ?? config.evalEvery,
    checkpointEvery: options["checkpoint-every"] ?? config.checkpointEvery,
    keepCheckpoints: options["keep-checkpoints"] ?? config.keepCheckpoints,
  };
}

/** The last stage alone can be of another length: where those before it begin and end, their data and schedules say. */
function refuseShort({ then, ...first }: PretrainConfig, total: number): void {
  const before = totalSteps({ ...first, then: then.slice(0, -1) });
  if (then.length === 0 || total > before) return;
  throw new InputError(
    `Cannot resume with --steps ${total}: the stages before the last one have ${before}; pass more`,
  );
}

/** A warm-up that is over must not begin again, nor end earlier than it did. */
function refuseOtherWarmUp(before: PretrainConfig, after: PretrainConfig): void {
  const [was, is] = [before, after].map((config) => warmSteps(stagesOf(config).at(-1)!.config));
  if (is === was) return;
  throw new InputError(
    `Cannot resume with --steps ${
      totalSteps(after)
    }: with wire ${before.wire} the warm-up was ${was} steps and would be ${is}; leave --steps out`,
  );
}

/** What the command line changes in a configuration. */
function changesOf(options: PretrainOptions): readonly string[] {
  const tables = (["synonyms", "antonyms", "phrases"] as const).flatMap((name) =>
    options[name] === undefined ? [] : [`mask.${name}=${JSON.stringify(options[name])}`]
  );
  return [...tables, ...options.set];
}

async function planOf(options: PretrainOptions): Promise<Plan> {
  if (options.resume) {
    const saved = await savedRun(options.out!);
    if (saved.config.distill !== undefined) {
      throw new InputError(
        `Cannot resume ${options.out}: it is a distillation; deno task distill --resume goes on with it`,
      );
    }
    const { corpus, packed = null, init = null, general = null, ...rest } = saved
      .config as Pick<Plan, "corpus" | "packed" | "init" | "general">;
    const config = withOptions(checkConfig(rest, saved.configPath), options);
    return { config, corpus, packed, init, general, vocabulary: saved.vocabulary };
  }
  const { vocab, data: packed = null, corpus = null, general = null } = options;
  const origin = options.init === undefined ? undefined : await originOf(options.init);
  const vocabulary = packed !== null
    ? (await packedCorpus(packed)).vocabulary
    : vocab === undefined
    ? origin?.vocabulary
    : await readVocabulary(vocab);
  const changes = changesOf(options);
  const config = origin && options.config === undefined
    ? changes.length > 0 ? changed(origin.config, changes) : origin.config
    : await loadConfig(options.config ?? DEFAULT, changes);
  if (origin) refuseHeadless(origin);
  if (origin) refuseOtherModel(config.model, origin);
  if (origin && vocabulary && packed !== null) refuseOtherVocabulary(vocabulary, origin, packed);
  const note = origin && leftOutLine(origin);
  return {
    ...note !== undefined && { note },
    config: withOptions(config, options),
    corpus,
    packed,
    init: origin?.checkpoint ?? null,
    general,
    ...vocabulary && { vocabulary },
  };
}

/** What a plan takes on a device, before the corpus is read: a vocabulary built from it has at most the configuration's size. */
function foreseen({ config, vocabulary }: Plan, device: Device): Foreseen {
  const tokens = vocabulary?.tokens.length ?? config.data.vocabularySize;
  // The stage that takes most.
  const found = stagesOf(config).map((stage) => forecast(stage.config, tokens, device))
    .reduce((most, one) => one.memory.total > most.memory.total ? one : most);
  return { found, fit: fitOf(found.memory.total, device.kind, machineMemory()) };
}

interface Foreseen {
  readonly found: Forecast;
  readonly fit: Fit;
}

/** Prints what a plan takes; refuses one that does not fit afterwards. */
function dryRun({ config, vocabulary }: Plan, { found, fit }: Foreseen, json: boolean): void {
  const origin = vocabulary ? "as given" : "the configuration's; a corpus may have fewer";
  if (json) console.log(JSON.stringify({ ...found, fit }));
  else for (const line of forecastLines(config, found, fit, origin)) console.log(line);
  checkFit(config, found, fit);
}

/** What a run begins with, and the general text to measure on, which must have the same vocabulary. */
async function beginning(
  { config, init: checkpoint, general, vocabulary }: Plan,
  view: ProgressView,
): Promise<Beginning | undefined> {
  if (checkpoint === null) return undefined;
  if (general === null) return { checkpoint };
  const isOpen = (await corpusInfo(general))?.stage === "pack";
  const text = isOpen ? { corpus: null, packed: general } : { corpus: general, packed: null };
  const known = vocabulary!, found = await prepare({ config, ...text, vocabulary: known }, view);
  if (isOpen) refuseOtherVocabulary(found.vocabulary, { checkpoint, vocabulary: known }, general);
  return { checkpoint, general: found };
}

type Text = Pick<Plan, "config" | "corpus" | "packed" | "vocabulary">;

const prepare = (plan: Text, view: ProgressView): Promise<RunCorpus> =>
  openCorpus({ ...plan, size: plan.config.data.vocabularySize }, view);

/** What a run learns from; the first process prepares it, and the others find it prepared. */
async function prepareTogether(
  plan: Plan,
  member: Member | undefined,
  view: ProgressView,
): Promise<RunCorpus> {
  if (!member) return await prepare(plan, view);
  if (member.rank > 0) await member.afterFirst();
  const corpus = await prepare(plan, view);
  if (member.rank === 0) await member.afterFirst();
  await member.compare(corpus);
  return corpus;
}

async function main(interrupt: Interrupt): Promise<number> {
  const given = pretrainOptions(Deno.args), began = performance.now();
  if (given.help) {
    console.log(helpText(pretrainCommand));
    return 0;
  }
  if (given.configs) {
    for (const line of configTable(Object.values(configurations))) console.log(line);
    return 0;
  }
  const place = placeHere(given.engine), isFirst = place === undefined || place.rank === 0;
  const seat = elasticHere();
  if (given.heartbeat !== undefined && !seat) {
    throw new InputError(
      "Cannot pretrain with --heartbeat alone: it is for many processes; add --nproc N --elastic",
    );
  }
  if (seat) refuseWatched(given);
  const options = await goesOn(given, place), plan = await planOf(options), { config } = plan;
  using view = progressView();
  const tune = options.tune && { file: CHOICES, report: (line: string) => view.note(line) };
  const threads = threadsOf(place, config);
  const opened = await openDevice(options.device, { tune, ...threads && { threads, aside: true } });
  const future = foreseen(plan, opened);
  if (plan.note !== undefined && isFirst) view.note(plan.note);
  if (options["dry-run"]) {
    dryRun(plan, future, options.json);
    return 0;
  }
  checkFit(config, future.found, future.fit);
  if (!place) checkSize(1, config);
  const device = deviceFor(future.fit, opened, threads);
  const out = options.out ?? newRunName(config.name);
  if (!options.resume && isFirst) await newRun(out);
  const metrics = options.metrics !== undefined && isFirst ? runMetrics() : undefined;
  const published = metrics &&
    await publish(options.metrics!, metrics.all, (line) => view.note(line));
  if (published) view.note(`metrics at ${published.where}`);
  const watch = place && !seat
    ? teamWatch({
      folder: out,
      trace: options.trace !== undefined,
      note: (line) => view.note(line),
      also: metrics?.observer,
    })
    : undefined;
  const told = [plan.corpus, plan.packed, options.resume, options.trace === undefined];
  const member = watch && await joinRun(place!, config, told, options.engine, watch.observer);
  if (watch) recordOnSigterm(watch);
  if (tune) {
    view.note(
      device.kind === "webgpu"
        ? `searching for the fastest products once the first step is compiled; kept in ${CHOICES}`
        : `nothing to tune: there is no GPU here`,
    );
  }
  const corpus = await prepareTogether(plan, member, view), skipBad = options["skip-bad"];
  if (member && !isFirst) {
    await follow({ config, corpus, device, group: member.group, skipBad, watch: watch! });
    await watch!.finish(member.group, config.name);
    await member.close();
    return 0;
  }
  const init = await beginning(plan, view);
  if (isFirst) view.note(fitLine(future.found, future.fit));
  const run: RunOptions = {
    config,
    corpus,
    device,
    out,
    resume: options.resume,
    skipBad,
    ready: async (hasSteps) => {
      const { steps, then } = config;
      if (!options.resume) await savePlan(out, plan, corpus.vocabulary);
      else if (options.steps !== undefined && hasSteps) await saveLength(out, { steps, then });
    },
    ...init && { init },
    ...member && watch && {
      crew: member.lead(device),
      watch,
      times: async () => {
        const { times, trace } = await watch.finish(member.group, config.name);
        for (const line of [...timesLines(times), ...slowLines(times)]) view.note(line);
        if (trace !== undefined) view.note(await writeTeamTrace(options.trace!, trace));
        return times;
      },
    },
    ...options.minutes !== undefined && { minutes: options.minutes },
    ...options.trace !== undefined && !member && { trace: options.trace },
    interrupt,
    view,
    emit: (row) => {
      if (options.json) console.log(JSON.stringify(row));
      metrics?.row(row);
      published?.changed();
    },
  };
  const { heartbeat = HEARTBEAT } = options;
  const finished = seat
    ? await trainElastic(seat, run, { heartbeat, others: told, began })
    : await pretrain(run, began);
  await member?.close();
  published?.changed();
  await published?.close();
  if (!finished) return 0;
  if (options.json) console.log(JSON.stringify(finished.summary));
  else for (const line of closingLines(finished)) console.log(line);
  return 0;
}

/** Leaves in the run's folder what it is made of. */
function savePlan(out: string, plan: Plan, vocabulary: Vocabulary): Promise<void> {
  const { vocabulary: _, config, note: __, ...texts } = plan;
  return saveRun(out, { ...config, ...texts }, vocabulary);
}

/** Reads all input once, so that what is wrong with it is said before anything is started; gives the vocabulary. */
async function readAll(plan: Plan, view: ProgressView, skipBad: boolean): Promise<Vocabulary> {
  const { config } = plan, { train, vocabulary } = await prepare(plan, view);
  await beginning(plan, view);
  await maskTables(config.mask, train, vocabulary, skipBad);
  if (config.click) {
    await clickData(config.click, vocabulary, () => documentsOf(train, vocabulary), skipBad);
  }
  return vocabulary;
}

/** Many processes: everything that can be wrong with the call is found before the first is started. */
async function mainOfMany(): Promise<number> {
  const options = pretrainOptions(Deno.args);
  if (options.help || options.configs) return await main({ requested: false });
  const plan = await planOf(options),
    { config } = plan,
    out = options.out ?? newRunName(config.name);
  if (!options.elastic) return await launchPretrain(options, config, out);
  refuseInside();
  refuseTls();
  checkElastic(config);
  checkSize(options.nproc!, config);
  if (!options.resume) {
    using view = progressView();
    await newRun(out);
    await savePlan(out, plan, await readAll(plan, view, options["skip-bad"]));
  }
  return await launchElasticPretrain(options, out);
}

if (import.meta.main) {
  await (Deno.args.some(isNproc) ? runLauncher(mainOfMany) : runMain(main));
}
