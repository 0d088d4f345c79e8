/**
 * Clicks as a task beside the masked text: its data, its batches and its evaluation.
 *
 * @module
 */
import {
  type AnyTensor,
  type Device,
  dispose,
  jit,
  type Jitted,
  read,
  type Tensor,
} from "../../core/mod.ts";
import { type MaskTables, maskTokens } from "../data/batches.ts";
import { clickBatch, clickBatches, type ClickBatchSettings } from "../click/click_batches.ts";
import { clickPart, clickWeight } from "../click/click_weight.ts";
import { type Ranked, type RankingFigures, rankingFigures } from "../click/metrics.ts";
import { estimatePropensities, type Propensities } from "../click/propensity.ts";
import { readImpressions } from "../click/read_impressions.ts";
import { CLICK_MODEL, simulateClicks } from "../click/simulate.ts";
import { isHeldOut, type TokenImpression, tokenizedLog } from "../click/tokenized_log.ts";
import { draws } from "../masking/counter_random.ts";
import { tokenizer } from "../text/tokenize.ts";
import { InputError } from "../cli/input_error.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import type { ClickConfig, ModelConfig, PretrainConfig } from "./config.ts";
import { clickInputs } from "./inputs.ts";
import { type ClickInputs, clickScores, type Model } from "./model.ts";
import { pacer } from "./pace.ts";

/** A click log that is ready for training. */
export interface ClickData {
  readonly train: readonly TokenImpression[];
  readonly heldOut: readonly TokenImpression[];
  /** How likely each rank is looked at; undefined where every click counts once. */
  readonly propensities?: Propensities;
  /** In words, where it is from and how much it is. */
  readonly notes: readonly string[];
  readonly simulated: boolean;
}

/** What of a configuration says which impressions there are. */
export type ClickSource = Pick<ClickConfig, "log" | "simulated" | "docs" | "clip" | "heldOut">;

/** Reads or simulates a log; `documents` are asked for where it is simulated. */
export async function clickData(
  click: ClickSource,
  vocabulary: Vocabulary,
  documents: () => readonly string[],
  skipBad: boolean,
): Promise<ClickData> {
  const simulated = click.log === "simulated", notes: string[] = [];
  const { impressions, ...model } = click.simulated;
  const made = impressions === 0
    ? []
    : simulateClicks(documents(), impressions, { ...CLICK_MODEL, ...model });
  if (impressions > 0) {
    const { bias, noise } = model, also = simulated ? "" : ", for training alone";
    notes.push(
      `SIMULATED clicks: ${made.length} impressions made from the corpus, position bias ${bias}, noise ${noise}${also}`,
    );
  }
  let log = made;
  if (!simulated) {
    const found = await readImpressions(click.log, { skipBad });
    log = found.impressions;
    notes.push(`${log.length} impressions`);
    for (const [why, times] of Object.entries(found.skipped)) {
      notes.push(`${times} left out: ${why}`);
    }
  }
  const tokens = await tokenizedLog(log, tokenizer(vocabulary));
  const heldOut = tokens.filter((one) => isHeldOut(one, click.heldOut));
  const own = tokens.filter((one) => !isHeldOut(one, click.heldOut));
  const beside = simulated ? [] : await tokenizedLog(made, tokenizer(vocabulary));
  const train = [...own, ...beside.map((one) => ({ ...one, unbiased: true }))];
  for (const [what, { length }] of [["to train on", train], ["held out", heldOut]] as const) {
    if (length > 0) continue;
    throw new InputError(
      `Cannot learn from ${click.log}: no query is ${what}; give more queries, or another click.heldOut`,
    );
  }
  const propensities = click.clip > 1 ? estimatePropensities(log) : undefined;
  if (propensities) {
    const shown = propensities.slice(0, click.docs).map((theta) => theta.toFixed(2)).join(" ");
    notes.push(`ranks are looked at as ${shown}`);
  }
  return { train, heldOut, notes, simulated, ...propensities && { propensities } };
}

/** One step's impressions. */
export interface ClickStep {
  /** Micro-batches, and the number of the first row of each among the step's impressions. */
  readonly parts: readonly {
    readonly batch: ReturnType<typeof clickPart>;
    readonly first: number;
  }[];
  /** Masked tokens, and what the clicks' loss is divided by. */
  readonly predictions: number;
  readonly weight: number;
}

/** The steps of a log. */
export function clickSteps(
  { click, mask, seed }: PretrainConfig,
  data: ClickData,
  vocabulary: Vocabulary,
  tables: MaskTables | undefined,
): (step: number) => ClickStep {
  const { batch: I, docs: D, length: T, microBatch, loss, clip: most, mlm } = click!;
  const settings: ClickBatchSettings = {
    ...{ seed, I, D, T, most },
    ...mlm && { mask },
    ...data.propensities && { propensities: data.propensities },
  };
  const batches = clickBatches(data.train, vocabulary, maskTokens(vocabulary, tables), settings);
  return (step) => {
    const batch = batches(step);
    const parts = Array.from({ length: Math.ceil(I / microBatch) }, (_, n) => ({
      batch: clickPart(batch, n * microBatch, Math.min(I, (n + 1) * microBatch)),
      first: n * microBatch * D,
    }));
    const predictions = batch.weights.reduce((sum, weight) => sum + weight, 0);
    return { parts, predictions, weight: clickWeight(loss, batch) };
  };
}

/** Figures of the model's order of held-out titles, and of the order that they were shown in and of chance. */
export interface ClickEvaluation extends RankingFigures {
  readonly shown: RankingFigures;
}

/** Figures of held-out clicks, as a row has them. */
export function clickRow(
  { shown, queries, ...figures }: ClickEvaluation,
): Readonly<Record<string, number>> {
  return { ...figures, click_queries: queries, shown_auc: shown.auc, shown_ndcg_5: shown.ndcg_5 };
}

/** A function that evaluates a model on held-out impressions; its program is compiled once. */
export function clickEvaluator(
  config: ModelConfig,
  click: ClickConfig,
  data: ClickData,
  vocabulary: Vocabulary,
  device: Device,
): (model: Model) => Promise<ClickEvaluation | undefined> {
  const program: Jitted<[Model, ClickInputs], Tensor<["I", "D"]>> = jit(
    (model: Model, inputs: ClickInputs) => clickScores(model, inputs, config).scores,
    { device },
  );
  const { docs: D, length: T, microBatch: I } = click, keepPace = pacer(device);
  const settings: ClickBatchSettings = { seed: 0, I, D, T, most: 1 };
  const tokens = maskTokens(vocabulary);
  return async (model) => {
    const ranked: Ranked[] = [], shown: Ranked[] = [];
    for (let from = 0; from < data.heldOut.length; from += I) {
      const own = data.heldOut.slice(from, from + I);
      // The last batch is filled up: one program does for all.
      const filled = [...own, ...Array(I - own.length).fill(own[0]!)] as readonly TokenImpression[];
      const batch = clickBatch(filled, vocabulary, tokens, settings, () => draws(0, 0, 0, 0));
      const inputs = clickInputs(batch), scores = program(model, inputs);
      const found = await read(scores as AnyTensor as Tensor<["I", "D"]>);
      dispose([scores, inputs]);
      own.forEach(({ docs }, i) => {
        const seen = docs.slice(0, D), labels = seen.map(({ grade, click }) => grade ?? click);
        ranked.push({ scores: seen.map((_, d) => found[i * D + d]!), labels });
        shown.push({ scores: seen.map(({ rank }) => -rank), labels });
      });
      await keepPace();
    }
    if (ranked.length === 0) return undefined;
    return { ...rankingFigures(ranked), shown: rankingFigures(shown) };
  };
}
