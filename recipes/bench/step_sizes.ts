/**
 * The training step that everybody is timed on, as numbers: sizes, batch and initial parameters. It is the step of the script
 * `torch_step.py`: a Pre-LN encoder with T5's relative bias shared by the layers, a tied masked-language-model head on the masked
 * positions alone, no dropout, f32.
 *
 * @module
 */
import { fill, fillWhole } from "./fill.ts";

/** A model and its batch. */
export interface StepSizes {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly hidden: number;
  readonly vocabulary: number;
  readonly batch: number;
  readonly length: number;
}

/** A batch: the masked ids, the places that are masked (b · T + t) and what stood there. */
export interface StepBatch {
  readonly ids: Int32Array<ArrayBuffer>;
  readonly positions: Int32Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer>;
}

const MASK = 4, SPECIAL = 5, SHARE = 0.15;

/** The one batch that is learnt by heart. */
export function stepBatch({ batch, length, vocabulary }: StepSizes): StepBatch {
  const tokens = batch * length, masked = Math.floor(SHARE * tokens);
  const ids = fillWhole(7, tokens, SPECIAL, vocabulary);
  const positions = Int32Array.from({ length: masked }, (_, i) => Math.floor(i * tokens / masked));
  const labels = positions.map((at) => ids[at]!);
  for (const at of positions) ids[at] = MASK;
  return { ids, positions, labels };
}

/** Parameters that are not decayed and have no trust ratio: biases and gains. */
export const vectors = /^(?!encoder\.shared\.).*(^|\.)(b|b[qkvo]|gain|bias)$/;

/** Initial values of the parameter at a path: gains 1, biases 0, all else around 0 with a standard deviation of 0.02. */
export function startValues(path: string, count: number): Float32Array<ArrayBuffer> {
  if (vectors.test(path)) return new Float32Array(count).fill(path.endsWith("gain") ? 1 : 0);
  let seed = 11; // of its own for each path
  for (let i = 0; i < path.length; i++) seed = Math.imul(seed, 31) + path.charCodeAt(i) | 0;
  return fill(seed, count, 0.02 * Math.sqrt(3));
}

/** LAMB as in the script: clip at a global norm of 1, both moments debiased, trust ratio where there is decay. */
export const lambSettings = {
  rate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-6,
  decay: 0.01,
  maxNorm: 1,
} as const;

/** FLOPs of a step: its matrix products alone, forward once and backward twice. */
export function stepFlops(s: StepSizes): number {
  const tokens = s.batch * s.length, masked = Math.floor(SHARE * tokens);
  const weights = 4 * s.width ** 2 + 2 * s.width * s.hidden;
  const layer = tokens * (weights + 2 * s.length * s.width);
  const head = masked * (s.width ** 2 + s.width * s.vocabulary);
  return 3 * 2 * (s.layers * layer + head);
}

/** How many losses each side shows for comparison: element i is the loss of step i. */
export const LOSSES = 6;
