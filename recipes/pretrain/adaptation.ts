/**
 * What going on with other text does to a model: held-out perplexity on that text and on general text, before and after.
 *
 * @module
 */
import { join } from "@std/path";
import type { Device } from "../../core/mod.ts";
import { InputError } from "../cli/input_error.ts";
import { type Batch, heldOutBatches } from "../data/batches.ts";
import { pack } from "../data/pack.ts";
import { HELD_OUT_MASK } from "../masking/mask_settings.ts";
import { openRows, readRows, type Row } from "../run/rows.ts";
import type { PretrainConfig } from "./config.ts";
import { evaluator } from "./evaluate.ts";
import type { Model } from "./model.ts";
import type { RunOptions } from "./run.ts";
import type { RunCorpus } from "./run_corpus.ts";
import { stagesOf } from "./stages.ts";
import type { TrainState } from "./train.ts";

/** One text. */
export interface BeforeAfter {
  readonly before: number;
  readonly after: number;
}

/** Perplexities of a model that went on from a checkpoint. */
export interface Adaptation {
  /** The folder of the checkpoint. */
  readonly from: string;
  /** On held-out text of the corpus that it went on with. */
  readonly in_domain: BeforeAfter;
  /** On held-out text of the corpus that `--general` names. */
  readonly general: BeforeAfter | null;
}

/** What a run begins with instead of chance. */
export interface Beginning {
  /** The folder of a checkpoint of the same model and vocabulary. */
  readonly checkpoint: string;
  /** Text to measure on, beside the run's own. */
  readonly general?: RunCorpus;
}

/** What a model reaches on both texts; a row of `eval.jsonl` when it is before the first step. */
interface Measured {
  readonly mlm_ppl: number;
  readonly general_ppl: number | null;
}

/** A function that measures models, in the way of a stage; batches and masks are always the same. */
function meter(
  { data: { length, microBatch }, model, evalSequences: limit }: PretrainConfig,
  corpus: RunCorpus,
  general: RunCorpus | undefined,
  device: Device,
): (model: Model) => Promise<Measured> {
  const batchesOf = ({ heldOut, vocabulary }: RunCorpus): readonly Batch[] =>
    heldOutBatches(pack(heldOut, vocabulary, length), vocabulary, microBatch, {
      mask: HELD_OUT_MASK,
      limit,
    });
  const own = batchesOf(corpus), other = general && batchesOf(general);
  const evaluate = evaluator(model, device);
  return async (model) => ({
    mlm_ppl: (await evaluate(model, own)).perplexity,
    general_ppl: other ? (await evaluate(model, other)).perplexity : null,
  });
}

/**
 * What was measured before the first step of a run, which is resumed at `step`; undefined where it died before that.
 *
 * @throws InputError where its row is gone.
 */
async function measuredBefore(out: string, step: number): Promise<Measured | undefined> {
  const path = join(out, "eval.jsonl");
  const row = (await readRows(path)).find(({ step }) => step === 0);
  if (row || step === 0) return row as (Row & Measured) | undefined;
  throw new InputError(
    `Cannot resume ${out}: ${path} has no row of step 0, the perplexities before; start again with --init`,
  );
}

/** Before and after, together. */
function adaptation(from: string, before: Measured, after: Measured): Adaptation {
  return {
    from,
    in_domain: { before: before.mlm_ppl, after: after.mlm_ppl },
    general: before.general_ppl === null || after.general_ppl === null
      ? null
      : { before: before.general_ppl, after: after.general_ppl },
  };
}

/**
 * Measures what a run begins with, or reads what was measured when it began, and gives a function that measures what became of it:
 * both times in the way of the last stage. Undefined where a run begins with chance, or does not evaluate.
 *
 * @throws InputError where the row of a resumed run is gone.
 */
export async function adaptationOf(
  { config, corpus, device, init, out, view, resume, emit }: RunOptions,
  { model, step }: Pick<TrainState, "model" | "step">,
): Promise<((model: Model) => Promise<Adaptation>) | undefined> {
  if (!init || config.evalEvery === 0) return undefined;
  const { general, checkpoint } = init;
  const measure = meter(stagesOf(config).at(-1)!.config, corpus, general, device);
  const found = resume ? await measuredBefore(out, step) : undefined;
  const before = found ?? await measure(model);
  if (!found) {
    using rows = await openRows(join(out, "eval.jsonl"));
    const row = { step: 0, ...before };
    rows.append(row);
    emit(row);
  }
  view.note(
    `begun with ${checkpoint}: held-out MLM perplexity ${before.mlm_ppl.toFixed(1)}` +
      (before.general_ppl === null ? "" : `, ${before.general_ppl.toFixed(1)} on general text`),
  );
  return async (model) => adaptation(checkpoint, before, await measure(model));
}

/** Both texts' perplexities, as tiles of the report and lines of the terminal show them. */
export function adaptationFigures(
  { in_domain, general }: Adaptation,
): readonly (readonly [name: string, value: string])[] {
  const text = ({ before, after }: BeforeAfter): string =>
    `${before.toFixed(1)} → ${after.toFixed(1)}`;
  return [
    ["perplexity on this text, before and after", text(in_domain)],
    ...general ? [["perplexity on general text, before and after", text(general)] as const] : [],
  ];
}
