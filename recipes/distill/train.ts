/**
 * The loop of distillation on text: steps, metrics, evaluations, checkpoints, a clean stop.
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
  tensor,
} from "../../core/mod.ts";
import type { OptimizerState } from "../../optim/mod.ts";
import { BatchFeed, partsOf } from "../data/batch_feed.ts";
import { heldOutBatches } from "../data/batches.ts";
import { HELD_OUT_MASK } from "../masking/mask_settings.ts";
import { clickEvaluator, type ClickStep, clickSteps } from "../pretrain/click_task.ts";
import type { PretrainConfig } from "../pretrain/config.ts";
import { evaluator } from "../pretrain/evaluate.ts";
import { DivergedError } from "../cli/diverged_error.ts";
import { clickStepInputs, mlmInputs, stepInputs } from "../pretrain/inputs.ts";
import type { Model } from "../pretrain/model.ts";
import { pacer } from "../pretrain/pace.ts";
import type { ClickStepInputs, StepInputs } from "../pretrain/step_losses.ts";
import { optimizerOf, type TrainData } from "../pretrain/train.ts";
import type { Row } from "../run/rows.ts";
import { activeLosses, type DistillConfig, predicts } from "./distill_config.ts";
import { distillPrograms, means, metricNames, noSums, zeroSums } from "./step.ts";
import type { Pupil } from "./text_losses.ts";

/** What distillation goes on from. */
export interface DistillState {
  /** Steps taken. */
  readonly step: number;
  readonly pupil: Pupil;
  readonly optimizer: OptimizerState;
}

/** What the loop tells and asks its surroundings. */
export interface DistillHooks {
  /** A logged step. */
  readonly metrics: (row: Row) => void;
  readonly evaluation: (row: Row) => void;
  /** The step of an evaluation that a run which goes on has already. */
  readonly evaluated?: number | undefined;
  /** Every step. */
  readonly progress: (step: number, row: Row | undefined) => void;
  readonly checkpoint: (state: DistillState) => Promise<void>;
  /** Asked after every step. */
  readonly stop: () => boolean;
}

/** Who learns what from whom. */
export interface Lesson {
  readonly config: PretrainConfig;
  readonly distill: DistillConfig;
  /** The teacher's own configuration, and its weights on the device. */
  readonly teacher: PretrainConfig;
  readonly knows: Model;
}

/** Pairs that a step shows. */
const pairsOf = ({ parts }: ClickStep): number =>
  parts.reduce((sum, { batch }) => sum + batch.shown.reduce((a, b) => a + b, 0), 0);

const isDue = (step: number, every: number): boolean => every > 0 && step % every === 0;

/** A function that evaluates a student on held-out text. */
function meter(
  { config, distill, knows }: Lesson,
  evaluate: ReturnType<typeof distillPrograms>["evaluate"],
  { heldOut, vocabulary, clickData }: TrainData,
  device: Device,
): (pupil: Pupil) => Promise<Readonly<Record<string, number>>> {
  const { data: { microBatch }, evalSequences: limit } = config;
  const batches = heldOutBatches(heldOut, vocabulary, microBatch, { mask: HELD_OUT_MASK, limit });
  const perplexity = evaluator(config.model, device), names = activeLosses(distill);
  const rank = clickData && distill.losses.clicks > 0 &&
    clickEvaluator(config.model, config.click!, clickData, vocabulary, device);
  const keepPace = pacer(device);
  const finish = jit((sums: ReturnType<typeof noSums>) => means(distill, sums), { device });
  return async (pupil) => {
    let sums = noSums(distill);
    for (const batch of batches) {
      const inputs = mlmInputs(batch);
      sums = evaluate(pupil, sums, knows, inputs);
      dispose(inputs);
      await keepPace();
    }
    const { each, loss } = finish(sums);
    const [values, [total]] = await Promise.all([read(each as Tensor), read(loss)]);
    dispose([sums, each, loss]);
    const found = predicts(distill) ? await perplexity(pupil.model, batches) : undefined;
    const ranked = rank ? await rank(pupil.model) : undefined;
    // Held-out text has no pairs: how well clicks were learnt their order says.
    const own = names.map((name, i) => [name, values[i]!] as const);
    return {
      distill_loss: total!,
      ...Object.fromEntries(own.filter(([name]) => name !== "clicks")),
      ...ranked && { auc: ranked.auc, ndcg_5: ranked.ndcg_5 },
      ...found && { mlm_ppl: found.perplexity, accuracy: found.accuracy },
    };
  };
}

/**
 * Trains a student from a state to its configuration's last step, or until it is told to stop.
 *
 * @throws DivergedError where a loss is not finite.
 */
export async function distillTrain(
  lesson: Lesson,
  start: DistillState,
  data: TrainData,
  device: Device,
  hooks: DistillHooks,
): Promise<DistillState> {
  const { config, distill, teacher, knows } = lesson;
  const { data: { batch: B, microBatch, length }, mask, seed, steps, logEvery } = config;
  const { vocabulary, tables, clickData } = data;
  const clicks = clickData && clickSteps(config, clickData, vocabulary, tables);
  const settings = { seed, B, mask, ...tables && { tables } };
  const source = { set: data.train, vocabulary, settings };
  using feed = new BatchFeed(source, partsOf(start.step, steps, B, microBatch));
  const programs = distillPrograms(config, distill, teacher, optimizerOf(config), device);
  const evaluate = config.evalEvery > 0
    ? meter(lesson, programs.evaluate, data, device)
    : undefined;
  const names = metricNames(distill), keepPace = pacer(device), began = performance.now();
  let { pupil, optimizer, step } = start, pending: (readonly [number, AnyTensor])[] = [];
  let sums = jit((p: Pupil) => zeroSums(p, distill), { device })(pupil);
  let logged = { at: began, step }, evaluatedAt = hooks.evaluated ?? -1, savedAt = -1;

  /** Reads the metrics since the last time: means of the losses, the newest of all else. */
  const log = async (): Promise<Row | undefined> => {
    const rows = await Promise.all(pending.map(async ([, values]) => {
      const found = await read(values as Tensor);
      dispose(values);
      return Object.fromEntries(names.map((name, i) => [name, found[i]!]));
    }));
    const last = rows.at(-1);
    if (!last) return undefined;
    const mean = (name: string): number => rows.reduce((sum, r) => sum + r[name]!, 0) / rows.length;
    const now = performance.now(), seconds = (now - logged.at) / 1000;
    const row: Row = {
      step,
      loss: mean("loss"),
      ...Object.fromEntries(activeLosses(distill).map((name) => [name, mean(name)])),
      lr: last.lr!,
      grad_norm: last.grad_norm!,
      skipped: rows.reduce((sum, r) => sum + r.skipped!, 0),
      tokens_per_s: (step - logged.step) * B * length / seconds,
      elapsed_s: (now - began) / 1000,
    };
    logged = { at: now, step };
    pending = [];
    hooks.metrics(row);
    if (!Number.isFinite(row.loss)) {
      throw new DivergedError(
        `Cannot go on with ${config.name}: at step ${step} the loss is not finite; lower optimizer.rate with --set, and start again`,
      );
    }
    return row;
  };
  const evaluation = async (): Promise<void> => {
    if (!evaluate || evaluatedAt === step) return;
    evaluatedAt = step;
    hooks.evaluation({ step, ...await evaluate(pupil) });
  };
  const save = async (): Promise<void> => {
    if (config.checkpointEvery === 0 || savedAt === step) return;
    savedAt = step;
    await hooks.checkpoint({ step, pupil, optimizer });
  };

  const accumulate = async (batch: StepInputs | ClickStepInputs, pairs: number): Promise<void> => {
    const shares = { rowShare: tensor(1 / (B + pairs)), pairShare: tensor(1 / Math.max(1, pairs)) };
    const inputs = { ...batch, ...shares };
    sums = programs.accumulate(pupil, sums, knows, inputs);
    dispose(inputs);
    await keepPace();
  };
  while (step < steps && !hooks.stop()) {
    const shown = clicks?.(step), pairs = shown ? pairsOf(shown) : 0;
    let predictions = 0;
    for (let first = 0; first < B; first += microBatch) {
      const batch = await feed.next();
      predictions = batch.total + (shown?.predictions ?? 0);
      await accumulate(stepInputs(batch, step, first, predictions), pairs);
    }
    for (const { batch, first } of shown?.parts ?? []) {
      const place = { predictions, weight: 1 };
      await accumulate(clickStepInputs(batch, step, B + first, place), pairs);
    }
    const applied = programs.apply(pupil, optimizer, sums);
    ({ pupil, state: optimizer, sums } = applied);
    pending.push([++step, applied.metrics]);
    await keepPace();
    hooks.progress(step, isDue(step, logEvery) || step === steps ? await log() : undefined);
    if (isDue(step, config.evalEvery)) await evaluation();
    if (isDue(step, config.checkpointEvery)) await save();
  }
  await log();
  dispose(sums);
  await save();
  await evaluation();
  return { step, pupil, optimizer };
}
