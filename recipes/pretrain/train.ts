/**
 * The training loop: steps, metrics, evaluations, checkpoints, a clean stop.
 *
 * @module
 */
import {
  type AnyTensor,
  type Device,
  dispose,
  jit,
  read,
  type Tensor,
  type Tree,
} from "../../core/mod.ts";
import { init } from "../../nn/mod.ts";
import {
  adamw,
  type Group,
  lamb,
  noDecay,
  oneBitLamb,
  type Optimizer,
  polynomial,
} from "../../optim/mod.ts";
import { BatchFeed, partsOf } from "../data/batch_feed.ts";
import { heldOutBatches, type MaskTables } from "../data/batches.ts";
import type { PackedSet } from "../data/pack.ts";
import { HELD_OUT_MASK } from "../masking/mask_settings.ts";
import type { Row } from "../run/rows.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import type { PretrainConfig } from "./config.ts";
import { type Evaluation, evaluator } from "./evaluate.ts";
import { type ClickData, clickEvaluator, clickRow, clickSteps } from "./click_task.ts";
import { clickStepInputs, stepInputs } from "./inputs.ts";
import { isDue } from "./is_due.ts";
import { metricsRow, type Values } from "./metrics_row.ts";
import { type Model, modelSpec } from "./model.ts";
import { pacer } from "./pace.ts";
import {
  freshLearning,
  type LearnState,
  lossInputs,
  metricNames,
  stepOptions,
  stepPrograms,
  zeroSums,
} from "./step.ts";
import { type Apart, ofOneWorker, soloApart } from "./apart.ts";
import { STUCK, stuckError } from "./stuck_scale.ts";
import { gatherMemory, handMemory } from "./rank_memory.ts";
import { shardMoments } from "./sharded.ts";
import { rowSpans, soloTeam, spanOf, type Team } from "./team.ts";
import { type Tracer, untraced } from "./tracer.ts";
import { carrierOf, warmSteps } from "./wire.ts";

/** What training goes on from, and what a checkpoint holds. */
export interface TrainState {
  /** Steps taken. */
  readonly step: number;
  readonly model: Model;
  readonly optimizer: LearnState;
}

/** The data of a run. */
export interface TrainData {
  readonly vocabulary: Vocabulary;
  readonly train: PackedSet;
  readonly heldOut: PackedSet;
  /** What masking knows beside the vocabulary. */
  readonly tables?: MaskTables;
  /** What was shown and clicked, where clicks are learnt. */
  readonly clickData?: ClickData;
}

/** What the loop tells and asks its surroundings. */
export interface TrainHooks {
  /** A logged step. */
  readonly metrics: (row: Row) => void;
  /** An evaluation; is it worth a checkpoint that is not due? */
  readonly evaluation: (row: Row) => boolean;
  /** Every step: how far the run is. */
  readonly progress: (step: number, row: Row | undefined) => void;
  /** `ranks`: what each process remembers, where they do; all of it must be taken. */
  readonly checkpoint: (
    state: TrainState,
    ranks?: AsyncIterable<Tree<AnyTensor>>,
  ) => Promise<void>;
  /** Is the run sound? Asked after every logged row and evaluation; where it is not, the loop ends without checkpoint and evaluation. */
  readonly sound?: () => boolean;
  /** Is it time to stop? Asked after every step. */
  readonly stop: () => boolean;
  /** Every step, at once: what it reached. */
  readonly stepped?: (state: TrainState) => void;
  /** Is an evaluation or a checkpoint that was due after the step to go on from not there? */
  readonly isOwing?: boolean;
  /** Steps of the stages before, from which messages count. */
  readonly stepsBefore?: number;
  /** Sees the phases of the loop and may profile its programs. */
  readonly trace?: Tracer;
  /** The processes that take the steps together. */
  readonly team?: Team;
  /** The processes that take theirs apart, where the configuration says so. */
  readonly apart?: Apart;
}

/** How a run ended. */
export interface Trained extends TrainState {
  /** Held-out values at the end, where the configuration evaluates. */
  readonly evaluation?: Evaluation;
  /** The share of the time of the steps, evaluations and checkpoints aside, that the loop waited for input. */
  readonly stallShare: number;
}

/** The optimiser of a configuration. */
export function optimizerOf(
  config: PretrainConfig,
  groups: readonly Group[] = [],
): Optimizer {
  const { optimizer: o, steps } = config;
  const options = {
    rate: polynomial({
      peak: o.rate,
      total: steps,
      warmup: Math.round(o.warmup * steps),
      power: 1,
    }),
    decay: o.decay,
    gradNorm: o.gradNorm,
    biasCorrection: o.biasCorrection,
    beta1: o.beta1,
    beta2: o.beta2,
    epsilon: o.epsilon,
    stateDtype: o.stateDtype,
    groups: [noDecay, ...groups],
  };
  if (config.wire === "1-bit-lamb") return oneBitLamb({ ...options, freeze: warmSteps(config) });
  return o.name === "lamb" ? lamb(options) : adamw(options);
}

/** The state before the first step. */
export async function initialState(
  config: PretrainConfig,
  vocabulary: number,
  device: Device,
): Promise<TrainState> {
  const spec = modelSpec(config.model, vocabulary, config.click !== null);
  const model = init(config.seed, spec, device);
  return { step: 0, model, optimizer: await freshOptimizer(config, model, device) };
}

/** The state of an optimiser that has taken no step. */
export async function freshOptimizer(
  config: PretrainConfig,
  model: Model,
  device: Device,
): Promise<LearnState> {
  const optimizer = optimizerOf(config);
  const state = jit((m: Model): LearnState => freshLearning(config, optimizer, m), { device })(
    model,
  );
  await device.synchronize();
  return state;
}

/**
 * Trains from a state to the configuration's last step, or until it is told to stop.
 *
 * @throws DivergedError where gradients in f16 are not finite at the lowest loss scale either, for `STUCK` steps in a row.
 */
export async function train(
  whole: PretrainConfig,
  start: TrainState,
  data: TrainData,
  device: Device,
  hooks: TrainHooks,
): Promise<Trained> {
  const config = ofOneWorker(whole);
  const { data: { batch: B, microBatch, length }, mask, seed } = config;
  const { trace = untraced, sound = (): boolean => true } = hooks;
  const { vocabulary, tables } = data;
  const settings = { seed, B, mask, ...tables && { tables } };
  const source = { set: data.train, vocabulary, settings };
  const team = hooks.team ?? soloTeam(config.shards, start.model, device);
  const apart = hooks.apart ?? await soloApart(config, start, device);
  const others = team ?? apart, turn = apart?.turn ?? ((step: number): number => step);
  const sharded = team && team.group.size > 1 && config.optimizer.sharded
    ? shardMoments(team.group, start.model, config)
    : undefined;
  const spans = rowSpans(B, team), processes = team?.group.size ?? 1, exchange = team?.compressed;
  const parts = partsOf(start.step, config.steps, B, microBatch, spans);
  using feed = new BatchFeed(source, parts.map((part) => ({ ...part, step: turn(part.step) })));
  const programs = stepPrograms(
    config.model,
    optimizerOf(config, sharded && [sharded.others]),
    { ...stepOptions(config, device), isPart: sharded !== undefined, processes },
  );
  const carrier = carrierOf(config, team, programs);
  const heldOut = config.evalEvery === 0 ? [] : heldOutBatches(
    data.heldOut,
    data.vocabulary,
    microBatch,
    { mask: HELD_OUT_MASK, limit: config.evalSequences },
  );
  const evaluate = evaluator(config.model, device), { clickData } = data;
  const clicks = clickData && clickSteps(config, clickData, vocabulary, tables);
  const rank = clickData && config.evalEvery > 0 &&
    clickEvaluator(config.model, config.click!, clickData, vocabulary, device);
  const began = performance.now();
  let { model, optimizer, step } = start;
  if (apart) model = apart.begin(model);
  if (sharded) optimizer = sharded.keep(optimizer);
  let sums = jit(zeroSums, { device })(model);
  // Also where another process fails.
  using _ = { [Symbol.dispose]: () => dispose(sums) };
  let logged = { at: began, step, waited: 0, exchanged: 0 }, aside = 0, stuckAt: number | undefined;
  let pending: { readonly step: number; readonly values: AnyTensor }[] = [];

  const elapsed = (): number => (performance.now() - began) / 1000;
  /** Reads the metrics of the steps since the last time, and gives the newest row. */
  const log = async (): Promise<Row | undefined> => {
    const rows = await Promise.all(pending.map(async ({ step, values }): Promise<Values> => {
      const found = await read(values as Tensor);
      dispose(values);
      return { step, ...Object.fromEntries(metricNames.map((name, i) => [name, found[i]!])) };
    }));
    const last = rows.at(-1);
    if (!last) return undefined;
    // The newest alone: after a step that moved the weights nothing could be said of one before it.
    if (last.stuck! >= STUCK) stuckAt ??= last.step - last.stuck!;
    const now = performance.now(), seconds = (now - logged.at) / 1000;
    const row = {
      ...metricsRow(rows, config.precision),
      tokens_per_s: (step - logged.step) * whole.data.batch * length / seconds,
      stall_s: feed.waited - logged.waited,
      ...others && others.size > 1 && { exchange_s: others.exchanged - logged.exchanged },
      elapsed_s: elapsed(),
    };
    logged = { at: now, step, waited: feed.waited, exchanged: others?.exchanged ?? 0 };
    pending = [];
    hooks.metrics(row);
    return row;
  };
  const evaluation = async (): Promise<Evaluated> => {
    const found = await withShown(async (model): Promise<Evaluation> => {
      const clicks = rank ? await rank(model) : undefined;
      return { ...await evaluate(model, heldOut), ...clicks && { clicks } };
    });
    const { clicks } = found;
    const worthy = hooks.evaluation({
      step,
      mlm_ppl: found.perplexity,
      accuracy: found.accuracy,
      masked: found.count,
      ...clicks && clickRow(clicks),
      elapsed_s: elapsed(),
    });
    return { step, found, worthy };
  };

  /** What is not a step: evaluations and checkpoints. */
  const besides = async <T>(
    phase: "evaluate" | "checkpoint",
    work: () => Promise<T>,
  ): Promise<T> => {
    const from = elapsed(), result = await trace.host(phase, work);
    aside += elapsed() - from;
    return result;
  };

  const keepPace = pacer(device);
  let last: Evaluated | undefined, isSound = sound();
  /** Uses what is evaluated and saved: where processes take steps apart, the outer parameters. */
  const withShown = async <T>(use: (shown: Model) => Promise<T>): Promise<T> => {
    if (!apart) return await use(model);
    const outer = await apart.outer(), result = await use(outer);
    dispose(outer);
    return result;
  };
  const goOn = (wanted: boolean): boolean | Promise<boolean> =>
    others ? trace.host("agree", async () => await others.goOn(wanted, hand)) : wanted;
  const handOwn = async (): Promise<void> => {
    if (apart) await apart.hand(model, optimizer);
    if (exchange) await handMemory(team!.group, exchange);
  };
  /** A checkpoint holds the moments of all processes, and what each has for itself. */
  const hand = async (): Promise<void> => {
    if (sharded) await sharded.gather(optimizer);
    await handOwn();
  };
  const ownOfAll = (): AsyncIterable<Tree<AnyTensor>> | undefined =>
    apart?.gather(model, optimizer) ?? (exchange && gatherMemory(team!.group, exchange));
  const hasOwn = apart !== undefined || exchange !== undefined;
  const save = async (): Promise<void> => {
    if (sharded || hasOwn) await others!.call();
    const whole = sharded ? await sharded.gather(optimizer) : optimizer;
    await withShown((model) => hooks.checkpoint({ step, model, optimizer: whole }, ownOfAll()));
  };
  /** What is due after a step of a sound run. */
  const due = async (): Promise<void> => {
    if (isDue(step, config.evalEvery)) last = await besides("evaluate", evaluation);
    const worthy = config.checkpointEvery > 0 && last?.step === step && last.worthy;
    isSound = sound();
    if (!isSound || step === config.steps) return;
    if (worthy || isDue(step, config.checkpointEvery)) await besides("checkpoint", save);
  };
  if (hooks.isOwing && isSound) await due();
  while (await goOn(isSound && step < config.steps && !hooks.stop())) {
    trace.step(step);
    const shown = clicks?.(turn(step)), own = lossInputs(optimizer);
    const extra = config.click?.mlm ? shown!.predictions : 0;
    for (const [i, { from, to }] of spans.entries()) {
      if (team && i > 0) sums = team.zero(model);
      let predictions = 0;
      for (let first = from; first < to; first += microBatch) {
        const batch = await trace.host("input", () => feed.next());
        predictions = batch.total + extra;
        const inputs = stepInputs(batch, turn(step), first, predictions);
        sums = await trace.program("accumulate", programs.accumulate, model, sums, inputs, own);
        dispose(inputs);
        await keepPace();
      }
      const parts = shown?.parts ?? [];
      const mine = team ? spanOf(parts.length, team.own.from + i, team.total) : undefined;
      for (const { batch, first } of parts.slice(mine?.from, mine?.to)) {
        const { weight } = shown!;
        const inputs = clickStepInputs(batch, turn(step), B + first, { predictions, weight });
        const { accumulateClicks } = programs;
        sums = await trace.program("clicks", accumulateClicks, model, sums, inputs, own);
        dispose(inputs);
        await keepPace();
      }
      await carrier.give(optimizer, sums);
    }
    sums = team
      ? await trace.host("exchange", () => carrier.take(optimizer))
      : await carrier.take(optimizer);
    const applied = await trace.program("apply", programs.apply, model, optimizer, sums);
    ({ model, state: optimizer, sums } = applied);
    if (sharded) model = await trace.host("share", () => sharded.share(model));
    step++;
    if (apart) model = await trace.host("exchange", () => apart.after(step, model));
    hooks.stepped?.({ step, model, optimizer });
    pending.push({ step, values: applied.metrics });
    await keepPace();
    const row = step % config.logEvery === 0 || step === config.steps ? await log() : undefined;
    hooks.progress(step, row);
    if (team) await trace.host("compare", () => team.check(step, model));
    isSound = sound();
    if (!isSound) continue;
    // The first process alone: it saves what is sound before it ends, and the others with it.
    if (stuckAt !== undefined && (others?.isFirst ?? true)) {
      if (config.checkpointEvery > 0) await save();
      const { stepsBefore: before = 0 } = hooks;
      throw await stuckError(
        { config, model, optimizer, step: stuckAt, before, source, clicks },
        device,
      );
    }
    await due();
  }
  await log();
  if (sharded) optimizer = await sharded.gather(optimizer);
  const stallShare = feed.waited / Math.max(elapsed() - aside, Number.MIN_VALUE);
  const ended = { step, model: await apart?.outer() ?? model, optimizer, stallShare };
  dispose(sums);
  const isOver = step === config.steps;
  const saveLast = async (): Promise<void> => {
    if (config.checkpointEvery === 0) return;
    if (hasOwn) await others!.call();
    await trace.host(
      "checkpoint",
      () => withShown((model) => hooks.checkpoint({ step, model, optimizer }, ownOfAll())),
    );
  };
  const finish = async (): Promise<Trained> => {
    if (!sound()) return ended;
    // Who stops a run waits for the checkpoint alone. At the end it comes last: where it is, the evaluation is too.
    if (!isOver) await saveLast();
    if (config.evalEvery > 0 && last?.step !== step) {
      last = await trace.host("evaluate", evaluation);
    }
    if (!sound()) return ended;
    if (isOver) await saveLast();
    return { ...ended, ...last && { evaluation: last.found } };
  };
  const trained = await finish();
  // Others are asked for what they have for themselves until the first has saved it.
  if (hasOwn) await others!.goOn(false, handOwn);
  if (apart) dispose(model);
  return trained;
}

/** An evaluation in the loop. */
interface Evaluated {
  readonly step: number;
  readonly found: Evaluation;
  readonly worthy: boolean;
}
