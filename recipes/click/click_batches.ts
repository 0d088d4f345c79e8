/**
 * Batches of impressions: `[CLS] query [SEP] title [SEP]`, a row for each title that was shown, masked as other text is.
 *
 * A batch is a function of (seed, step), as those of text are.
 *
 * @module
 */
import { draws, permutation, USES } from "../masking/counter_random.ts";
import { maskSequence, type MaskTokens } from "../masking/mask_sequence.ts";
import { type MaskSettings, predictions } from "../masking/mask_settings.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import { inversePropensity, type Propensities } from "./propensity.ts";
import type { TokenImpression } from "./tokenized_log.ts";

/** Rows of I impressions of D places each, of T tokens. A place that is left over is an empty row. */
export interface ClickBatch {
  readonly I: number;
  readonly D: number;
  readonly T: number;
  readonly P: number;
  readonly ids: Int32Array<ArrayBuffer>;
  readonly keep: Uint8Array<ArrayBuffer>;
  /** 0 for the query and what stands before it, 1 for the title. */
  readonly segments: Int32Array<ArrayBuffer>;
  readonly positions: Int32Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer>;
  readonly weights: Float32Array<ArrayBuffer>;
  /** [I, D] each. */
  readonly shown: Float32Array<ArrayBuffer>;
  readonly clicks: Float32Array<ArrayBuffer>;
  readonly propensities: Float32Array<ArrayBuffer>;
  readonly ranks: Float32Array<ArrayBuffer>;
}

/** How batches of impressions are made. */
export interface ClickBatchSettings {
  readonly seed: number;
  /** Impressions of a step. */
  readonly I: number;
  /** Titles of an impression at most: the first by rank. */
  readonly D: number;
  /** Tokens of a row at most: the title is cut, then the query. */
  readonly T: number;
  /** Undefined: nothing is masked. */
  readonly mask?: MaskSettings;
  /** Undefined: every click counts once. */
  readonly propensities?: Propensities;
  /** What an inverse propensity is clipped at. */
  readonly most: number;
}

/** A query takes so much of a row at most. */
const QUERY = 0.5;

/** Makes a batch of impressions; `draw` gives what its rows are masked by. */
export function clickBatch(
  impressions: readonly TokenImpression[],
  vocabulary: Vocabulary,
  tokens: MaskTokens,
  settings: ClickBatchSettings,
  draw: (row: number) => ReturnType<typeof draws>,
): ClickBatch {
  const { D, T, mask, propensities, most } = settings, I = impressions.length, rows = I * D;
  const P = mask ? predictions(T, mask) : 1;
  const ids = new Int32Array(rows * T).fill(vocabulary.pad), keep = new Uint8Array(rows * T);
  const segments = new Int32Array(rows * T), positions = new Int32Array(rows * P);
  const labels = new Int32Array(rows * P), weights = new Float32Array(rows * P);
  const [shown, clicks, inverse, ranks] = [0, 1, 2, 3].map(() => new Float32Array(rows)) as [
    Float32Array<ArrayBuffer>,
    Float32Array<ArrayBuffer>,
    Float32Array<ArrayBuffer>,
    Float32Array<ArrayBuffer>,
  ];
  impressions.forEach(({ query, docs, unbiased = false }, i) => {
    docs.slice(0, D).forEach(({ title, rank, click }, d) => {
      const row = i * D + d;
      const q = Math.min(query.ids.length, Math.max(1, Math.floor(QUERY * (T - 3))));
      const t = Math.min(title.ids.length, T - 3 - q);
      const { cls, sep } = vocabulary;
      const line = [cls, ...query.ids.slice(0, q), sep, ...title.ids.slice(0, t), sep];
      const starts = [1, ...query.starts.slice(0, q), 1, ...title.starts.slice(0, t), 1];
      ids.set(line, row * T);
      keep.fill(1, row * T, row * T + line.length);
      segments.fill(1, row * T + q + 2, row * T + line.length);
      shown[row] = 1;
      clicks[row] = click;
      ranks[row] = rank;
      inverse[row] = propensities && !unbiased ? inversePropensity(propensities, rank, most) : 1;
      if (!mask) return;
      const part = ids.subarray(row * T, row * T + line.length);
      const masked = maskSequence(part, Uint8Array.from(starts), tokens, mask, T, draw(row));
      masked.positions.forEach((at, p) => {
        positions[row * P + p] = row * T + at;
        labels[row * P + p] = masked.labels[p]!;
        weights[row * P + p] = 1;
      });
    });
    // A row of nothing would have no key to attend to.
    for (let d = Math.min(D, docs.length); d < D; d++) {
      ids[(i * D + d) * T] = vocabulary.cls;
      keep[(i * D + d) * T] = 1;
    }
  });
  return {
    I,
    D,
    T,
    P,
    ids,
    keep,
    segments,
    positions,
    labels,
    weights,
    shown,
    clicks,
    propensities: inverse,
    ranks,
  };
}

/** The batches of a log by step: every epoch shows all impressions once, in an order and with masks of its own. */
export function clickBatches(
  log: readonly TokenImpression[],
  vocabulary: Vocabulary,
  tokens: MaskTokens,
  settings: ClickBatchSettings,
): (step: number) => ClickBatch {
  if (log.length === 0) throw new RangeError("Cannot make batches of no impressions");
  const { seed, I, D } = settings;
  let order: { epoch: number; indices: Uint32Array } = { epoch: -1, indices: new Uint32Array() };
  return (step) => {
    const places = Array.from({ length: I }, (_, i) => step * I + i);
    const chosen = places.map((place) => {
      const epoch = Math.floor(place / log.length);
      if (order.epoch !== epoch) {
        order = { epoch, indices: permutation(log.length, draws(seed, USES.clicks, epoch, 0)) };
      }
      return log[order.indices[place % log.length]!]!;
    });
    return clickBatch(
      chosen,
      vocabulary,
      tokens,
      settings,
      (row) => draws(seed, USES.clickMask, step, row % (I * D)),
    );
  };
}
