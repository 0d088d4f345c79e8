/**
 * One pretraining run: a corpus and a configuration in, a run folder out.
 *
 * @module
 */
import { resourceUsage } from "node:process";
import { ensureDir } from "@std/fs";
import { dirname, join } from "@std/path";
import { type Device, dispose } from "../../core/mod.ts";
import { parameterCount } from "../../nn/mod.ts";
import type { OptimizerState } from "../../optim/mod.ts";
import { InputError } from "../cli/input_error.ts";
import type { Interrupt } from "../cli/main.ts";
import { short } from "../cli/format.ts";
import type { ProgressView } from "../cli/progress.ts";
import {
  type Checkpointed,
  checkpointSteps,
  latestCheckpoint,
  type RankFiles,
  saveCheckpoint,
} from "../run/checkpoint.ts";
import { type RankTimes, timesTable } from "../observe/stragglers.ts";
import { bestOf, keepCheckpoints } from "../run/kept_checkpoints.ts";
import { type Example, writeReport } from "../run/report.ts";
import { nothingLeft } from "../run/nothing_left.ts";
import { openRows, readRows, type Row } from "../run/rows.ts";
import { chromeTrace, type Trace } from "../run/trace.ts";
import { tracePage } from "../run/trace_page.ts";
import { writeWhole } from "../run/write_whole.ts";
import { clickData } from "./click_task.ts";
import { documentsOf } from "./documents_of.ts";
import { type Adaptation, adaptationFigures, adaptationOf, type Beginning } from "./adaptation.ts";
import type { PretrainConfig } from "./config.ts";
import { beginAlone, type Crew } from "./crew.ts";
import { afterRollbacks, healthAfter, healthOf } from "./guard.ts";
import { exampleLine, fillMasks } from "./fill_mask.ts";
import type { Kept } from "./kept.ts";
import { maskTables } from "./mask_tables.ts";
import { type Model, modelSpec } from "./model.ts";
import { owedRow, owingStage } from "./owed.ts";
import { rollBack, rollbacksOf } from "./rollback.ts";
import type { RunCorpus } from "./run_corpus.ts";
import { type StageData, stageData } from "./stage_data.ts";
import { countedRow, type Stage, stageAt, stagesOf, totalSteps } from "./stages.ts";
import { firstState, startState } from "./start_state.ts";
import type { Summary } from "./summary.ts";
import { type Tracer, tracer, WARM_UP } from "./tracer.ts";
import { freshOptimizer, train, type Trained, type TrainState } from "./train.ts";

/** What a run needs. */
export interface RunOptions {
  readonly config: PretrainConfig;
  readonly corpus: RunCorpus;
  readonly device: Device;
  /** The run's folder, open for this run. */
  readonly out: string;
  readonly resume: boolean;
  readonly init?: Beginning;
  /** Wrong lines of tables that masking takes and of click logs are counted, not refused. */
  readonly skipBad?: boolean;
  /**
   * Called once all input is read and nothing is written yet: what was refused can be mended, and the same folder taken. It is told
   * whether there are steps to take.
   */
  readonly ready?: (hasSteps: boolean) => Promise<void>;
  /** Stop after so long. */
  readonly minutes?: number;
  /** Profile a few steps: a Chrome trace goes to this file, a page about it to the same name with .html behind it. */
  readonly trace?: string;
  /** The other processes that take part. */
  readonly crew?: Crew;
  /** What the steps took each of them, when all are taken. */
  readonly times?: () => Promise<readonly RankTimes[]>;
  /** Where the run may go on without a process: what this one has reached; the run's folder is there already. */
  readonly kept?: Kept;
  /** Called after every step. */
  readonly stepped?: () => void;
  /** Watches the loop, where `trace` does not. */
  readonly watch?: Tracer;
  readonly interrupt: Interrupt;
  readonly view: ProgressView;
  /** Called with every logged row. */
  readonly emit: (row: Row) => void;
}

/** A run's end: the summary, and example texts. */
export interface Finished {
  readonly summary: Summary;
  readonly examples: readonly Example[];
}

/** A state, counted through all stages. */
export type State = Checkpointed<Model, OptimizerState> & { readonly ranks?: RankFiles };

function figures(row: Row): string[] {
  const number = (name: string): number => row[name] as number;
  return [`loss ${number("loss").toFixed(3)}`, `${short(number("tokens_per_s"))} tokens/s`];
}

/** Trains, stage after stage, evaluates, and leaves report and checkpoints in the run's folder. */
export async function pretrain(o: RunOptions, began = performance.now()): Promise<Finished> {
  const { config, corpus, device, out, view, skipBad = false } = o, { vocabulary } = corpus;
  const { tables, notes } = await maskTables(config.mask, corpus.train, vocabulary, skipBad);
  for (const note of notes) view.note(note);
  const clicks = config.click && await clickData(
    config.click,
    vocabulary,
    () => documentsOf(corpus.train, vocabulary),
    skipBad,
  );
  for (const note of clicks?.notes ?? []) view.note(note);
  const params = parameterCount(
    modelSpec(config.model, vocabulary.tokens.length, config.click !== null),
  );
  const stages = stagesOf(config), total = totalSteps(config), start = await startState(o);
  if (o.trace !== undefined && total <= start.step + WARM_UP) {
    throw new InputError(
      `Cannot trace ${
        Math.max(0, total - start.step)
      } steps: the first ${WARM_UP} warm up; raise --steps`,
    );
  }
  const traced = o.trace === undefined ? undefined : tracer(device, config.name);
  const watch = traced ?? o.watch;
  view.note(
    `${config.name}: ${short(params)} parameters, ${vocabulary.tokens.length} tokens, ` +
      `${short(corpus.report.trainTokens)} tokens of text, on ${device.description}`,
  );
  // Who takes over an elastic run at its end has something to do.
  const over = o.resume && !o.kept?.state
    ? nothingLeft(start.step, total, config.evalEvery > 0)
    : undefined;
  if (over !== undefined) view.note(over);
  await o.ready?.(start.step < total);
  const adapted = await adaptationOf(o, start);
  const limit = o.minutes === undefined ? Infinity : began + o.minutes * 60_000;
  const stop = (): boolean => o.interrupt.requested || performance.now() >= limit;
  let shown: string[] = [], state: State = start, { rollbacks = 0 } = start;
  for (;;) {
    using metrics = await openRows(join(out, "metrics.jsonl"), state.step);
    using evaluations = await openRows(join(out, "eval.jsonl"), state.step);
    const evaluated = [...await readRows(join(out, "eval.jsonl"))];
    const V = vocabulary.tokens.length, saved = new Set(await checkpointSteps(out));
    const logged = await readRows(join(out, "metrics.jsonl"));
    let health = healthOf(logged, evaluated, V);
    const log = (file: typeof metrics, row: Row): void => {
      file.append(row);
      o.emit(row);
      health = healthAfter(health, row, V);
    };
    const owed = o.kept && owedRow(o.kept, logged, state.step);
    if (owed) log(metrics, owed);
    const keep = (): Promise<void> =>
      keepCheckpoints(out, {
        newest: config.keepCheckpoints,
        evaluations: evaluated,
        good: health.good,
      });
    const owing = o.kept && owingStage(stages, state.step, { evaluations: evaluated, saved });
    const stage = owing ?? stageAt(stages, state.step), { number, offset } = stage;
    const own = afterRollbacks(stage.config, rollbacks);
    const data = stageData(corpus, stage, { tables, ...clicks && { clickData: clicks } });
    const counted = (row: Row): Row => countedRow(row, stage, stages);
    if (stages.length > 1) view.note(`stage ${number} of ${stages.length}: ${stageText(own)}`);
    const begun = await stageStart(state, stage, device);
    const reached = ({ step, model, optimizer }: TrainState): void =>
      o.kept?.keep({ step: offset + step, model, optimizer, rollbacks });
    reached(begun);
    // What processes remember is of the stage, as the optimiser's moments are.
    const ranks = begun.step > 0 ? state.ranks : undefined;
    if (ranks && !o.crew && !own.diloco) {
      view.note(`what ${ranks.size} processes had not told each other is lost`);
    }
    const order = { stage: number, step: begun.step, rollbacks };
    const together = o.crew
      ? await o.crew.begin(order, begun, own, ranks)
      : await beginAlone(begun, own, ranks, device);
    const trained = await train(own, begun, data, device, {
      metrics: (row) => log(metrics, counted(row)),
      evaluation: (row) => {
        const step = offset + row.step;
        // A run that was whole, and is resumed all the same, has the row of its end.
        if (!evaluated.some((known) => known.step === step)) {
          log(evaluations, counted(row));
          evaluated.push(counted(row));
        }
        const found = perplexities(row.mlm_ppl as number, data.unigramPpl!);
        view.note(`step ${step}: ${[found, ...clickText(row)].join(", ")}`);
        return bestOf(evaluated, [...saved, step])?.step === step;
      },
      progress: (step, row) => {
        if (row) shown = figures(row);
        view.show({ label: "train", done: offset + step, total, figures: shown });
      },
      checkpoint: async (s, ranks) => {
        await saveCheckpoint(out, { ...s, step: offset + s.step, rollbacks }, ranks);
        saved.add(offset + s.step);
        await keep();
      },
      sound: () => health.diverged === undefined,
      stepped(state) {
        reached(state);
        o.stepped?.();
      },
      stop,
      stepsBefore: offset,
      isOwing: owing !== undefined,
      ...watch && { trace: watch },
      ...together,
    });
    const { step, model, optimizer } = trained;
    if (health.diverged !== undefined) {
      const { line, row, ...back } = await rollBack({
        out,
        health,
        config: stage.config,
        rollbacks: rollbacks++,
      });
      view.note(line);
      o.emit(row);
      state = back.step === undefined
        ? await firstState(o)
        : await latestCheckpoint(out, { step, model, optimizer }, device);
      dispose(model);
      dispose(optimizer);
      continue;
    }
    if (saved.size > 0) await keep(); // where a run is stopped, its evaluation comes after its checkpoint
    state = { step: offset + step, model, optimizer };
    if (step < own.steps || state.step >= total) {
      // Where another one can take over, it may be needed until all is written.
      if (!o.kept) await o.crew?.end();
      const times = await o.times?.() ?? [];
      if (traced) view.note(await writeTrace(o.trace!, traced.trace()));
      const finished = await finish(o, data, { ...trained, step: state.step }, {
        params,
        rollbacks,
        began,
        adaptation: await adapted?.(model) ?? null,
        times,
      });
      if (o.kept) await o.crew?.end();
      return finished;
    }
  }
}

/** Figures of held-out clicks in words. */
function clickText({ auc, ndcg_5, shown_ndcg_5 }: Row): readonly string[] {
  if (auc === undefined) return [];
  const [a, b, c] = [auc, ndcg_5, shown_ndcg_5].map((x) => (x as number).toFixed(3));
  return [`click AUC ${a}, NDCG@5 ${b} (as shown ${c})`];
}

const stageText = ({ data, steps }: PretrainConfig): string =>
  `${steps} steps of ${data.batch} sequences of ${data.length} tokens`;

/** What a stage goes on from: at its first step with a new optimiser. */
async function stageStart(
  { step, model, optimizer }: TrainState,
  { config, offset }: Stage,
  device: Device,
): Promise<TrainState> {
  if (offset === 0 || step > offset) return { step: step - offset, model, optimizer };
  dispose(optimizer);
  return { step: 0, model, optimizer: await freshOptimizer(config, model, device) };
}

/** Leaves a trace in a file and a page beside it; says in words what became of it. */
async function writeTrace(path: string, trace: Trace): Promise<string> {
  if (trace.runs.length === 0) return "no trace: the run stopped before the steps to profile";
  await ensureDir(dirname(path));
  await writeWhole(path, chromeTrace(trace));
  await writeWhole(`${path}.html`, tracePage(trace));
  return `trace in ${path}, kernels and memory in ${path}.html`;
}

function perplexities(model: number, unigram: number): string {
  return `held-out MLM perplexity ${model.toFixed(1)}, unigram ${unigram.toFixed(1)}, ratio ${
    (model / unigram).toFixed(3)
  }`;
}

interface Known {
  readonly adaptation: Adaptation | null;
  readonly params: number;
  readonly rollbacks: number;
  readonly began: number;
  readonly times: readonly RankTimes[];
}

async function finish(
  o: RunOptions,
  data: StageData,
  trained: Trained,
  { params, rollbacks, began, adaptation, times }: Known,
): Promise<Finished> {
  const { config, corpus, device, out } = o, { vocabulary } = corpus;
  const { evaluation } = trained, { unigramPpl } = data;
  const examples = evaluation
    ? await fillMasks(trained.model, config.model, device, data.heldOut, vocabulary)
    : [];
  const summary: Summary = {
    mlm_ppl: evaluation?.perplexity ?? null,
    unigram_ppl: unigramPpl ?? null,
    ratio: evaluation ? evaluation.perplexity / unigramPpl! : null,
    accuracy: evaluation?.accuracy ?? null,
    steps: trained.step,
    rollbacks,
    elapsed_s: (performance.now() - began) / 1000,
    peak_rss_mib: resourceUsage().maxRSS / 1024,
    stall_share: trained.stallShare,
    clicks: evaluation?.clicks
      ? { ...evaluation.clicks, simulated: data.clickData!.simulated }
      : null,
    device: device.description,
    params,
    vocabulary: vocabulary.tokens.length,
    unk_share: corpus.report.unkShare,
    adaptation,
    ...times.length > 0 && { processes: times },
    out,
  };
  await writeReport(out, {
    title: config.name,
    subtitle: `${corpus.report.corpus} on ${device.description}`,
    figures: [
      ...evaluation
        ? [
          ["held-out MLM perplexity", evaluation.perplexity.toFixed(1)],
          ["unigram perplexity", unigramPpl!.toFixed(1)],
          ["ratio", summary.ratio!.toFixed(3)],
          ["masked tokens right", `${(100 * evaluation.accuracy).toFixed(1)} %`],
        ] as const
        : [],
      ...evaluation?.clicks
        ? [
          [
            `click AUC${data.clickData!.simulated ? " (SIMULATED clicks)" : ""}`,
            evaluation.clicks.auc.toFixed(3),
          ],
          [
            "NDCG@5, as shown",
            `${evaluation.clicks.ndcg_5.toFixed(3)}, ${evaluation.clicks.shown.ndcg_5.toFixed(3)}`,
          ],
        ] as const
        : [],
      ...adaptation ? adaptationFigures(adaptation) : [],
      ["parameters", short(params)],
      ["steps", String(trained.step)],
      ["waiting for input", `${(100 * trained.stallShare).toFixed(1)} %`],
    ],
    metrics: await readRows(join(out, "metrics.jsonl")),
    evaluations: await readRows(join(out, "eval.jsonl")),
    ...unigramPpl !== undefined && { unigramPerplexity: unigramPpl },
    tables: {
      Configuration: config,
      Corpus: corpus.report,
      ...times.length > 0 && { Processes: timesTable(times) },
      ...rollbacks > 0 && { Rollbacks: rollbackTable(await rollbacksOf(out)) },
    },
    examples,
  });
  return { summary, examples };
}

/** Rollbacks by their number, as the report shows them. */
function rollbackTable(rows: readonly Row[]): object {
  return Object.fromEntries(
    rows.map(({ step, rollback, to, why }) => [rollback, `step ${step}, back to ${to}: ${why}`]),
  );
}

/** What a person reads at the end. */
export function closingLines({ summary, examples }: Finished): string[] {
  const { mlm_ppl, unigram_ppl, steps, elapsed_s, peak_rss_mib, adaptation, out } = summary;
  return [
    ...examples.map((e) => exampleLine(e)),
    ...mlm_ppl !== null && unigram_ppl !== null ? [perplexities(mlm_ppl, unigram_ppl)] : [],
    ...adaptation ? adaptationFigures(adaptation).map(([name, value]) => `${name}: ${value}`) : [],
    `${steps} steps in ${elapsed_s.toFixed(0)} s, peak memory ${peak_rss_mib.toFixed(0)} MiB; see ${
      join(out, "report.html")
    }`,
  ];
}
