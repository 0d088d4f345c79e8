/**
 * Attention alone: softmax(q kᵀ / √K) v, forward, and with the gradients by q, k and v.
 *
 * `ways` is the one place for another way to compute it: it is measured like the composite, and beside it.
 *
 * @module
 */
import {
  type AnyTensor,
  type Device,
  einsum,
  fromArray,
  mul,
  relativeAttention,
  softmax,
  vjp,
} from "../../../core/mod.ts";
import { type BenchCase, expecting, once, type Runner } from "../bench_case.ts";
import { fill } from "../fill.ts";
import { ourRunner } from "../ours.ts";

type Attend = (q: AnyTensor, k: AnyTensor, v: AnyTensor) => AnyTensor;

/** By plain ops, with L x L scores. */
const composite: Attend = (q, k, v) => {
  const scores = mul(einsum("bhqk,bhjk->bhqj", q, k), 1 / Math.sqrt(q.shape[3]!));
  return einsum("bhqj,bhjk->bhqk", softmax(scores, -1), v);
};

/** As the layers compute it: one kernel where the device has it. */
const fused: Attend = (q, k, v) => {
  const scale = 1 / Math.sqrt(q.shape[3]!);
  return relativeAttention(q, k, v, { scale }).out as AnyTensor;
};

const ways: Readonly<Record<string, Attend>> = { composite, fused };

interface Sizes {
  readonly batch: number;
  readonly heads: number;
  readonly length: number;
  readonly width: number;
}

function attentionCase(way: string, sizes: Sizes, backward: 0 | 1): BenchCase {
  const { batch, heads, length, width } = sizes, count = batch * heads * length * width;
  const data = once(() => [1, 2, 3, ...backward ? [4] : []].map((seed) => fill(seed, count)));
  const products = 2 * (backward ? 3 : 1); // of L × L × K, each
  const attend = ways[way]!;
  const runner = (device: Device, f: Attend): Promise<Runner> =>
    ourRunner(device, (q, k, v, ct) => {
      if (!backward) return [f(q!, k!, v!)];
      const [, back] = vjp(f, q!, k!, v!);
      return back(ct!);
    }, data().map((x): AnyTensor => fromArray(x, [batch, heads, length, width])));
  return {
    name: `attention ${backward ? "and gradient " : ""}${way}`,
    size: `${batch}x${heads}x${length}x${width}`,
    op: "attention",
    sizes: { ...sizes, backward },
    unit: "ms",
    work: { flops: 2 * products * batch * heads * length * length * width },
    ours: (device) => runner(device, attend),
    check: expecting({
      results: backward ? 3 * count : count,
      values: (at) => at.map((i) => element(data(), sizes, i, backward)),
      tolerance: 2e-5,
      places: 24,
    }),
    peers: { cpu: ["PyTorch"], "cpu+blas": ["PyTorch"], webgpu: [] },
    ...way !== "composite" && {
      beside: { name: "our composite", open: (device) => runner(device, composite) },
    },
  };
}

/** One element of the results, by the definition: of the output, or of the gradients by q, k or v in a row. */
function element(
  [q, k, v, ct]: readonly Float32Array[],
  { length, width }: Sizes,
  place: number,
  backward: 0 | 1,
): number {
  const head = length * width, size = q!.length, which = Math.floor(place / size);
  const at = place % size, from = at - at % head, row = Math.floor(at % head / width);
  const column = at % width, scale = 1 / Math.sqrt(width);
  const dot = (a: Float32Array, i: number, b: Float32Array, j: number): number => {
    let sum = 0;
    for (let c = 0; c < width; c++) sum += a[from + i * width + c]! * b[from + j * width + c]!;
    return sum;
  };
  /** softmax(q_i · k_j) over j. */
  const weights = (i: number): Float64Array => {
    const e = Float64Array.from({ length }, (_, j) => Math.exp(scale * dot(q!, i, k!, j)));
    const total = e.reduce((a, b) => a + b, 0);
    return e.map((x) => x / total);
  };
  if (!backward) {
    return weights(row).reduce((sum, w, j) => sum + w * v![from + j * width + column]!, 0);
  }
  /** The gradient by the scores of query i. */
  const byScores = (i: number, w: Float64Array): Float64Array => {
    const g = Float64Array.from({ length }, (_, j) => dot(ct!, i, v!, j));
    const mean = g.reduce((sum, x, j) => sum + x * w[j]!, 0);
    return g.map((x, j) => w[j]! * (x - mean) * scale);
  };
  if (which === 0) {
    const g = byScores(row, weights(row));
    return g.reduce((sum, x, j) => sum + x * k![from + j * width + column]!, 0);
  }
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const w = weights(i);
    sum += which === 1
      ? byScores(i, w)[row]! * q![from + i * width + column]!
      : w[row]! * ct![from + i * width + column]!;
  }
  return sum;
}

const sizes: readonly Sizes[] = [
  { batch: 16, heads: 4, length: 128, width: 64 },
  { batch: 4, heads: 4, length: 512, width: 64 },
  { batch: 1, heads: 4, length: 2048, width: 64 },
];

/** The section. */
export const attentionCases: readonly BenchCase[] = Object.keys(ways).flatMap((way) =>
  sizes.flatMap((size) => [attentionCase(way, size, 0), attentionCase(way, size, 1)])
);
