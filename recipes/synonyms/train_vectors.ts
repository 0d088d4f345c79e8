/**
 * Word vectors by skip-grams with negative sampling, trained by this library.
 *
 *     loss = mean over pairs of softplus(-u_c · v_o) + Σ_n softplus(u_c · v_n)
 *
 * Source: Mikolov et al., arXiv 1310.4546, equation 4.
 *
 * @module
 */
import {
  type Device,
  dispose,
  div,
  einsum,
  embedding,
  fromArray,
  jit,
  key,
  mul,
  normal,
  read,
  size,
  softplus,
  sum,
  type Tensor,
  valueAndGrad,
  zeros,
} from "../../core/mod.ts";
import { adamw, linear, type OptimizerState } from "../../optim/mod.ts";
import { draws, USES } from "../masking/counter_random.ts";
import { skipGrams, type SkipGramSettings } from "./skip_grams.ts";
import type { WordStream } from "./word_stream.ts";

/** How vectors are trained. */
export interface VectorSettings extends SkipGramSettings {
  /** Numbers of a vector. */
  readonly width: number;
  readonly steps: number;
  /** Pairs of a step. */
  readonly batch: number;
  readonly rate: number;
  readonly seed: number;
}

/** 64 numbers, windows of up to 4 words, 5 negatives. */
export const VECTOR_SETTINGS: VectorSettings = {
  window: 4,
  negatives: 5,
  frequent: 1e-4,
  width: 64,
  steps: 2000,
  batch: 8192,
  rate: 0.005,
  seed: 1,
};

/** The two vectors of each word: as the word, and as a neighbour. */
interface Vectors {
  readonly word: Tensor<["V", "C"]>;
  readonly context: Tensor<["V", "C"]>;
}

/** A batch: words, and for each the one beside it and others. */
type Centers = Tensor<["N"], "i32">;
type Others = Tensor<["N", "K"], "i32">;

/** What one step leaves behind. */
interface Trained {
  readonly vectors: Vectors;
  readonly state: OptimizerState;
  readonly loss: Tensor<[]>;
}

/**
 * Trains vectors; gives one row of `width` numbers a word. `progress` is told the loss now and then; `stop` is asked before every step, and
 * where it says so there are no vectors.
 */
export async function trainVectors(
  words: WordStream,
  device: Device,
  settings: VectorSettings = VECTOR_SETTINGS,
  progress: (step: number, loss: number) => void = () => {},
  stop: () => boolean = () => false,
): Promise<Float32Array | undefined> {
  const { width, steps, batch, rate, seed, negatives } = settings, V = words.words.length;
  // The pair that was there counts for itself, the others against.
  const K = size("K", 1 + negatives), N = size("N", batch);
  const signs = fromArray([-1, ...Array.from({ length: negatives }, () => 1)], [K]);
  const optimizer = adamw({ rate: linear({ peak: rate, total: steps, warmup: 0 }), decay: 0 });
  const lossOf = (vectors: Vectors, centers: Centers, others: Others): Tensor<[]> => {
    const u = embedding(vectors.word, centers), v = embedding(vectors.context, others);
    const scores = mul(einsum("nc,nkc->nk", u, v), signs);
    return div(sum(softplus(scores), [0, 1]), batch);
  };
  const gradient = valueAndGrad(lossOf);
  const step = jit(
    (vectors: Vectors, state: OptimizerState, centers: Centers, others: Others): Trained => {
      const { value, grads } = gradient(vectors, centers, others);
      const next = optimizer.step(vectors, grads, state);
      return { vectors: next.params, state: next.state, loss: value };
    },
    { device, donate: [0, 1] },
  );
  const start = jit((): Omit<Trained, "loss"> => {
    const shape = [size("V", V), size("C", width)] as const;
    const vectors = { word: mul(normal(key(seed), shape), 1 / width), context: zeros(shape) };
    return { vectors, state: optimizer.init(vectors) };
  }, { device });
  let { vectors, state } = start(), at = 0;
  for (
    const { centers, others } of skipGrams(words, batch, settings, draws(seed, USES.pairs, 0, 0))
  ) {
    if (at === steps || stop()) break;
    const inputs = [fromArray(centers, [N], "i32"), fromArray(others, [N, K], "i32")] as const;
    const trained = step(vectors, state, ...inputs);
    dispose(inputs);
    [vectors, state] = [trained.vectors, trained.state];
    if (++at % 50 === 0) progress(at, (await read(trained.loss))[0]!);
    dispose(trained.loss);
  }
  const found = at === steps ? Float32Array.from(await read(vectors.word)) : undefined;
  dispose([vectors, state]);
  return found;
}
