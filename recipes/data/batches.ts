/**
 * Masked batches: pure functions of (seed, step), whoever asks, from whichever step on, and in however many parts.
 *
 * @module
 */
import { type Draws, draws, USES } from "../masking/counter_random.ts";
import { maskSequence, type MaskTokens } from "../masking/mask_sequence.ts";
import { MASK_SETTINGS, type MaskSettings, predictions } from "../masking/mask_settings.ts";
import type { Phrases } from "../masking/phrases.ts";
import type { Synonyms } from "../masking/synonyms.ts";
import { isSpecial, type Vocabulary } from "../text/vocabulary.ts";
import { epochLength, epochOrder, isWeighted } from "./epoch_order.ts";
import { type PackedSet, sequences, writeSequence } from "./pack.ts";

/**
 * A batch of masked sequences.
 *
 * Shapes: `ids` and `keep` [B, T]; `positions`, `labels` and `weights` [B · P], P places for each sequence.
 */
export interface Batch {
  readonly B: number;
  readonly T: number;
  readonly P: number;
  /** Token ids after masking. */
  readonly ids: Int32Array<ArrayBuffer>;
  /** 1 for a token, 0 for padding. */
  readonly keep: Uint8Array<ArrayBuffer>;
  /** Where the predicted tokens are, as b · T + t; 0 in places left over. */
  readonly positions: Int32Array<ArrayBuffer>;
  /** The tokens that stood there; 0 in places left over. */
  readonly labels: Int32Array<ArrayBuffer>;
  /** 1 for a prediction, 0 for a place left over. */
  readonly weights: Float32Array<ArrayBuffer>;
  /** Predictions of the whole step, whatever part of it this is: what the sum of all losses is divided by. */
  readonly total: number;
}

/** What a batch depends on beside the data. */
export interface BatchSettings {
  readonly seed: number;
  /** Sequences in a step, over all micro-batches and workers. */
  readonly B: number;
  readonly mask?: Partial<MaskSettings>;
  readonly tables?: MaskTables;
}

/** What masking may know beside the vocabulary. */
export interface MaskTables {
  /** How often each token is in the corpus, by id. */
  readonly counts?: Float64Array;
  readonly phrases?: Phrases;
  readonly synonyms?: Synonyms;
}

/** What masking must know of a vocabulary. */
export function maskTokens(
  vocabulary: Vocabulary,
  { counts, ...tables }: MaskTables = {},
): MaskTokens {
  const special = Uint8Array.from(vocabulary.tokens, (_, id) => isSpecial(vocabulary, id) ? 1 : 0);
  const ordinary = Int32Array.from(vocabulary.tokens.keys()).filter((id) => special[id] === 0);
  return {
    mask: vocabulary.mask,
    special,
    ordinary,
    ...tables,
    ...counts && { unigram: smoothedShares(ordinary, counts) },
  };
}

/** For each id the share of all draws up to it, where ids are drawn as count^0.75. Source: word2vec, arXiv 1310.4546, section 2.2. */
function smoothedShares(ids: Int32Array, counts: Float64Array): Float64Array {
  const weights = Float64Array.from(ids, (id) => counts[id]! ** 0.75);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  return weights.map((weight) => (sum += weight) / total);
}

/** One row of a batch: which sequence, the draws for its mask, and whether its predictions count. */
interface Row {
  readonly index: number;
  readonly draw: Draws;
  readonly counts: boolean;
}

function batchOf(
  set: PackedSet,
  rows: readonly Row[],
  tokens: MaskTokens,
  settings: MaskSettings,
): Batch {
  const B = rows.length, T = set.T, P = predictions(set.T, settings);
  const ids = new Int32Array(B * T);
  const keep = new Uint8Array(B * T);
  const positions = new Int32Array(B * P);
  const labels = new Int32Array(B * P);
  const weights = new Float32Array(B * P);
  const starts = new Uint8Array(T);
  rows.forEach(({ index, draw, counts }, b) => {
    const length = writeSequence(set, index, ids, b * T, starts);
    keep.fill(1, b * T, b * T + length);
    const row = ids.subarray(b * T, b * T + length);
    const masked = maskSequence(row, starts.subarray(0, length), tokens, settings, T, draw);
    masked.positions.forEach((t, p) => {
      positions[b * P + p] = b * T + t;
      labels[b * P + p] = masked.labels[p]!;
      weights[b * P + p] = counts ? 1 : 0;
    });
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return { B, T, P, ids, keep, positions, labels, weights, total };
}

/** Rows [from, to) of a batch, with positions counted from there. */
function partOf(batch: Batch, from: number, to: number): Batch {
  const { B, T, P } = batch;
  if (from === 0 && to === B) return batch;
  return {
    ...batch,
    B: to - from,
    ids: batch.ids.slice(from * T, to * T),
    keep: batch.keep.slice(from * T, to * T),
    positions: batch.positions.slice(from * P, to * P).map((at, p) =>
      batch.weights[from * P + p] === 0 ? 0 : at - from * T
    ),
    labels: batch.labels.slice(from * P, to * P),
    weights: batch.weights.slice(from * P, to * P),
  };
}

/**
 * The training batches of a set: `batch(step)` is that step's, `batch(step, from, to)` only its rows [from, to), with
 * positions counted from `from`. Every epoch goes through all sequences once in an order of its own and with masks of its own,
 * or as often as their source's weight says; steps go on over the ends of epochs.
 *
 * @throws RangeError where the set is empty.
 */
export function trainBatches(
  set: PackedSet,
  vocabulary: Vocabulary,
  { seed, B, mask, tables }: BatchSettings,
): (step: number, from?: number, to?: number) => Batch {
  const count = epochLength(set);
  if (count === 0) throw new RangeError("Cannot make batches of no sequences");
  const tokens = maskTokens(vocabulary, tables);
  const settings = { ...MASK_SETTINGS, ...mask };
  let order: { epoch: number; indices: Uint32Array } = { epoch: -1, indices: new Uint32Array() };
  const orderOf = (epoch: number): Uint32Array => {
    if (order.epoch !== epoch) order = { epoch, indices: epochOrder(set, seed, epoch) };
    return order.indices;
  };
  // A step is made whole, to know its predictions, and handed out in parts.
  let made: { readonly step: number; readonly batch: Batch } | undefined;
  const whole = (step: number): Batch => {
    const rows: Row[] = [];
    for (let example = step * B; example < (step + 1) * B; example++) {
      const epoch = Math.floor(example / count);
      const index = orderOf(epoch)[example % count]!;
      // Its place among all examples: a sequence that is seen twice in an epoch has two masks.
      const draw = draws(seed, USES.mask, epoch, isWeighted(set) ? example % count : index);
      rows.push({ index, draw, counts: true });
    }
    return batchOf(set, rows, tokens, settings);
  };
  return (step, from = 0, to = B) => {
    const isLast = to === B;
    const batch = made?.step === step ? made.batch : whole(step);
    made = isLast ? undefined : { step, batch };
    return partOf(batch, from, to);
  };
}

/**
 * The batches of a held-out set, always the same ones with the same masks: no seed changes them. At most `limit`
 * sequences, spread over the set. The last batch is filled up with rows whose predictions do not count.
 */
export function heldOutBatches(
  set: PackedSet,
  vocabulary: Vocabulary,
  B: number,
  { mask, limit = Infinity }: { readonly mask?: Partial<MaskSettings>; readonly limit?: number } =
    {},
): readonly Batch[] {
  const count = sequences(set);
  const taken = Math.min(count, limit);
  const tokens = maskTokens(vocabulary);
  const settings = { ...MASK_SETTINGS, ...mask };
  const batches: Batch[] = [];
  for (let begin = 0; begin < taken; begin += B) {
    const rows = Array.from({ length: B }, (_, b) => {
      const index = Math.floor(Math.min(begin + b, taken - 1) * count / taken);
      return { index, draw: draws(0, USES.heldOut, 0, index), counts: begin + b < taken };
    });
    batches.push(batchOf(set, rows, tokens, settings));
  }
  return batches;
}
