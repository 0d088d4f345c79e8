/**
 * Where token embeddings begin.
 *
 *     e_i = s √C ( a v_i / ‖v_i‖ + √(1 - a²) r_i / ‖r_i‖ )
 *
 * Vectors v come from the neighbours of tokens in the text, r are as drawn. Both matter: by v a model knows from its first step which tokens are
 * used alike, which takes hours to learn from masked tokens on a small machine; by r it can still tell them apart, which comparing two texts
 * takes. Tokens that stand near nothing stay as they were drawn.
 *
 * @module
 */
import { type AnyTensor, type Device, dispose, fromArray, read, toDevice } from "../../core/mod.ts";
import { draws, USES } from "../masking/counter_random.ts";
import { neighbourCounts } from "../text/neighbour_counts.ts";
import { tokenVectors } from "../text/token_vectors.ts";
import type { PretrainConfig } from "./config.ts";
import type { Model } from "./model.ts";
import type { RunCorpus } from "./run_corpus.ts";

/** Tokens to both sides that count as near. */
const WINDOW = 8;
/** The most frequent tokens are what others are described by. */
const CONTEXTS = 2048;
/** Tokens of text that are counted at most. */
const MOST = 1 << 26;
/** The share a of what the neighbours say. */
const SHARE = Math.SQRT1_2;

const norm = (row: Float32Array): number => Math.hypot(...row);

/** The model with its token embeddings where the configuration has them begin; it is taken over. */
export async function startTokens(
  { model: { tokenStart, width: C, std }, seed }: Pick<PretrainConfig, "model" | "seed">,
  model: Model,
  { vocabulary, train }: Pick<RunCorpus, "vocabulary" | "train">,
  device: Device,
): Promise<Model> {
  if (tokenStart === "normal") return model;
  const { pad, unk, cls, sep, mask, tokens: { length: V } } = vocabulary;
  const counts = neighbourCounts(train, {
    vocabulary: V,
    window: WINDOW,
    contexts: CONTEXTS,
    special: new Set([pad, unk, cls, sep, mask]),
    end: sep,
    most: MOST,
  });
  const { bits } = draws(seed, USES.tokenStart, 0, 0);
  const random = (length: number): Float32Array<ArrayBuffer> =>
    Float32Array.from({ length }, () => bits() / 2 ** 31 - 1);
  const vectors = await tokenVectors(counts, C, random, device);
  const drawn = model.encoder.embeddings.tokens as AnyTensor, long = std * Math.sqrt(C);
  const rows = Float32Array.from(await read(drawn) as Float32Array);
  for (let i = 0; i < V; i++) {
    const vector = vectors.subarray(i * C, (i + 1) * C), size = norm(vector);
    if (size === 0) continue;
    const row = rows.subarray(i * C, (i + 1) * C);
    const a = long * SHARE / size, b = long * Math.sqrt(1 - SHARE ** 2) / norm(row);
    for (let c = 0; c < C; c++) row[c] = a * vector[c]! + b * row[c]!;
  }
  const tokens = await toDevice(fromArray(rows, [V, C]) as AnyTensor, device);
  dispose(drawn);
  const embeddings = { ...model.encoder.embeddings, tokens };
  return { ...model, encoder: { ...model.encoder, embeddings } };
}
