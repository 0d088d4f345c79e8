/**
 * A batch through a model, on a device.
 *
 * @module
 */
import {
  type AnyTensor,
  type Device,
  dispose,
  fromArray,
  jit,
  read,
  type Tensor,
} from "../../core/mod.ts";
import { encode, mlmLogits } from "../../nn/mod.ts";
import type { HeadInputs } from "../clue/heads/head.ts";
import type { RowInputs } from "../clue/unit_batches.ts";
import { encoderOptions, relevancesOf } from "../pretrain/model.ts";
import { type Batch, batchesOf } from "./batch.ts";
import { meanVectors } from "./mean_vectors.ts";
import type { Ask, Facts, Weights } from "./model_source.ts";
import type { Compute } from "./question.ts";
import type { Row } from "./row.ts";
import { topTokens } from "./top_tokens.ts";

/** Outputs of the rows of a batch. */
export type RunBatch = (batch: Batch) => Promise<readonly Float32Array[]>;

/** [MASK]s whose scores are read at once: each is a number for every token. */
const PLACES = 8;

type Encoded = Pick<HeadInputs, "hidden" | "keep">;

function inputsOf({ rows, B, T }: Batch, pad: number): RowInputs {
  const ids = new Int32Array(B * T).fill(pad), keep = new Float32Array(B * T);
  const segments = new Int32Array(B * T);
  rows.forEach((row, b) => {
    ids.set(row.ids, b * T);
    segments.set(row.segments, b * T);
    keep.fill(1, b * T, b * T + row.ids.length);
  });
  // A row of nothing would have no key to attend to.
  for (let b = rows.length; b < B; b++) keep[b * T] = 1;
  return {
    ids: fromArray(ids, [B, T], "i32") as AnyTensor,
    keep: fromArray(keep, [B, T]) as AnyTensor,
    segments: fromArray(segments, [B, T], "i32") as AnyTensor,
  };
}

/** Rows of a tensor whose first axis they are. */
function partsOf(values: Float32Array, B: number, count: number): readonly Float32Array[] {
  const own = values.length / B;
  return Array.from({ length: count }, (_, b) => values.slice(b * own, (b + 1) * own));
}

/**
 * What computes batches. The encoder is a program of its own for every shape, which all questions share.
 */
export function batchRunner(
  { model, tokenizer: { vocabulary } }: Facts,
  weights: Weights,
  device: Device,
): RunBatch {
  const options = encoderOptions(model);
  const encoded = jit(
    (encoder: Weights["encoder"], inputs: RowInputs): AnyTensor =>
      encode(encoder, inputs, options).hidden as AnyTensor,
    { device },
  );
  const { click, task, head: mlm } = weights;
  const of = <P>(f: (params: P, x: Encoded) => AnyTensor, params: P): (x: Encoded) => AnyTensor => {
    const program = jit(f, { device });
    return (x) => program(params, x);
  };
  const own = of((params, x) => {
    const { outputs, answers } = task!.head, found = outputs(params, x);
    return answers?.(params, found, x) ?? found;
  }, task?.params as never);
  const heads: Readonly<Record<Exclude<Ask, "fill-mask">, (x: Encoded) => AnyTensor>> = {
    embed: of((_, x) => meanVectors(x), {}),
    relevance: of((own, { hidden }) => relevancesOf(own, hidden), click!),
    ...{ classify: own, entities: own, answer: own, choose: own },
  };
  const scores = jit(
    (
      head: NonNullable<Weights["head"]>,
      tokens: Weights["encoder"]["embeddings"]["tokens"],
      hidden: Encoded["hidden"],
      positions: Tensor<["P"], "i32">,
    ) => mlmLogits(head, tokens, hidden, positions, model.normEpsilon),
    { device },
  );

  /** Guesses for all [MASK]s of the rows, a few at a time. */
  async function guesses({ rows, T }: Batch, { hidden }: Encoded): Promise<Float32Array[]> {
    const all = rows.flatMap(({ masks }, b) => masks!.places.map((t) => ({ b, at: b * T + t })));
    const found: number[][] = rows.map(() => []);
    for (let from = 0; from < all.length; from += PLACES) {
      const some = all.slice(from, from + PLACES), at = new Int32Array(PLACES);
      some.forEach((place, p) => at[p] = place.at);
      const positions = fromArray(at, [PLACES], "i32") as AnyTensor;
      const result = scores(mlm!, weights.encoder.embeddings.tokens, hidden, positions);
      const logits = await read(result);
      dispose([positions, result]);
      some.forEach(({ b }, p) => {
        const own = logits.subarray(
          p * vocabulary.tokens.length,
          (p + 1) * vocabulary.tokens.length,
        );
        found[b]!.push(...topTokens(own, rows[b]!.masks!.top));
      });
    }
    return found.map((pairs) => Float32Array.from(pairs));
  }

  return async (batch) => {
    const inputs = inputsOf(batch, vocabulary.pad), hidden = encoded(weights.encoder, inputs);
    const x = { hidden: hidden as Encoded["hidden"], keep: inputs.keep };
    try {
      if (batch.ask === "fill-mask") return await guesses(batch, x);
      const outputs = heads[batch.ask](x), values = await read(outputs as Tensor);
      dispose(outputs);
      return partsOf(values, batch.B, batch.rows.length);
    } finally {
      dispose([inputs, hidden]);
    }
  };
}

/** Computes rows of any number in batches of about the same length, one after another. */
export function batched(run: RunBatch, { limit }: Facts): Compute {
  return async (ask: Ask, rows: readonly Row[]) => {
    const found: Float32Array[] = Array(rows.length);
    for (const { batch, numbers } of batchesOf(ask, rows, limit)) {
      const outputs = await run(batch);
      numbers.forEach((n, i) => found[n] = outputs[i]!);
    }
    return found;
  };
}
