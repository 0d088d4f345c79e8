/**
 * Attention alone: softmax(q kᵀ / √K) v, and with the bias of relative rows and the mask that layers have; the result, and with it the
 * gradients by all that has one. A training step needs both: without the result, a composite would spare a product.
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
  zeros,
} from "../../../core/mod.ts";
import { type BenchCase, expecting, once, type Runner } from "../bench_case.ts";
import { fill } from "../fill.ts";
import { ourRunner } from "../ours.ts";
import { type AttentionData, attentionElement, type AttentionSizes } from "./attention_element.ts";

/** Operands that do not change from call to call. */
interface Fixed {
  readonly index: AnyTensor;
  readonly keep: AnyTensor;
}
type Attend = (fixed: Fixed) => (...smooth: readonly AnyTensor[]) => AnyTensor;

const scaleOf = (q: AnyTensor): number => 1 / Math.sqrt(q.shape[3]!);

/** Relative rows' bias, which is last, and the mask. `composite`: by plain ops, as a term more is none of the kernel's. */
const biased = (composite: boolean): Attend => ({ index, keep }) => (q, k, v, bias) =>
  relativeAttention(q!, k!, v!, {
    scale: scaleOf(q!),
    rows: { index, count: ROWS },
    bias: bias!,
    keep,
    ...composite && { added: [zeros([1, 1, 1, 1])] },
  }).out as AnyTensor;

/** Ways by the terms that are added to the scores. */
const ways: Readonly<Record<"" | "biased ", Readonly<Record<string, Attend>>>> = {
  "": {
    /** By plain ops, with L x L scores. */
    composite: () => (q, k, v) => {
      const scores = mul(einsum("bhqk,bhjk->bhqj", q!, k!), scaleOf(q!));
      return einsum("bhqj,bhjk->bhqk", softmax(scores, -1), v!);
    },
    /** As the layers compute it: one kernel where the device has it. */
    fused: () => (q, k, v) =>
      relativeAttention(q!, k!, v!, { scale: scaleOf(q!) }).out as AnyTensor,
  },
  "biased ": { composite: biased(true), fused: biased(false) },
};

/** Rows of the relative bias. */
const ROWS = 32;

interface Kind {
  readonly terms: keyof typeof ways;
  readonly way: string;
  readonly backward: 0 | 1;
  readonly unit: "ms" | "MiB";
}

function dataOf(sizes: AttentionSizes): AttentionData {
  const { batch, heads, length, width } = sizes, count = batch * heads * length * width;
  const [q, k, v, ct] = [1, 2, 3, 4].map((seed) => fill(seed, count)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  // Near offsets have rows of their own, far ones share the first and the last.
  const rowOf = (offset: number): number => Math.max(0, Math.min(ROWS - 1, offset + ROWS / 2));
  return {
    q,
    k,
    v,
    ct,
    bias: fill(5, heads * ROWS),
    index: Int32Array.from({ length: 2 * length - 1 }, (_, i) => rowOf(i - length + 1)),
    // The last 16th of every second example is padding.
    keep: Float32Array.from(
      { length: batch * length },
      (_, i) => Math.floor(i / length) % 2 || i % length < length * 15 / 16 ? 1 : 0,
    ),
  };
}

function attentionCase({ terms, way, backward, unit }: Kind, sizes: AttentionSizes): BenchCase {
  const { batch, heads, length, width } = sizes, shape = [batch, heads, length, width];
  const count = batch * heads * length * width, hasBias = terms !== "";
  const data = once(() => dataOf(sizes));
  const products = 2 * (backward ? 3 : 1); // of L × L × K, each
  const runner = (device: Device, attend: Attend): Promise<Runner> => {
    const { q, k, v, ct, bias, index, keep } = data();
    const tensors = [q, k, v, ct].map((x): AnyTensor => fromArray(x, shape));
    const table = fromArray(bias, [heads, ROWS]) as AnyTensor;
    const fixed = [
      fromArray(index, [2 * length - 1], "i32") as AnyTensor,
      fromArray(keep, [batch, length]) as AnyTensor,
    ];
    return ourRunner(device, (q, k, v, ct, bias, index, keep) => {
      const f = attend({ index: index!, keep: keep! });
      const smooth = [q!, k!, v!, ...hasBias ? [bias!] : []];
      if (!backward) return [f(...smooth)];
      const [y, back] = vjp(f, ...smooth);
      return [y, ...back(ct!)];
    }, hasBias ? [...tensors, table, ...fixed] : tensors);
  };
  const results = backward ? 4 * count + (hasBias ? heads * ROWS : 0) : count;
  const { [way]: ours, composite } = ways[terms];
  return {
    name: `attention ${backward ? "and gradient " : ""}${terms}${way}`,
    size: `${shape.join("x")}`,
    op: "attention",
    sizes: { ...sizes, backward },
    unit,
    work: { flops: 2 * products * batch * heads * length * length * width },
    ours: (device) => runner(device, ours!),
    check: expecting({
      results,
      values: (at) => at.map((i) => attentionElement(data(), sizes, hasBias, i)),
      // The gradient by a row of the bias is a sum over up to half of all pairs, in f32.
      tolerance: hasBias && backward ? 1e-4 : 2e-5,
      places: 24,
    }),
    peers: hasBias || unit === "MiB"
      ? { cpu: [], "cpu+blas": [], webgpu: [] }
      : { cpu: ["PyTorch"], "cpu+blas": ["PyTorch"], webgpu: [] },
    ...way !== "composite" && {
      beside: { name: "our composite", open: (device) => runner(device, composite!) },
    },
  };
}

const sizes: readonly AttentionSizes[] = [
  { batch: 16, heads: 4, length: 128, width: 64 },
  { batch: 4, heads: 4, length: 512, width: 64 },
  { batch: 1, heads: 4, length: 2048, width: 64 },
];

const timed = (["", "biased "] as const).flatMap((terms) =>
  Object.keys(ways[terms]).flatMap((way) =>
    sizes.flatMap((size) =>
      ([0, 1] as const).map((backward) => attentionCase({ terms, way, backward, unit: "ms" }, size))
    )
  )
);

/** What a run takes beside its inputs and results, by length. */
const memory = [512, 1024, 2048].map((length) =>
  attentionCase(
    { terms: "biased ", way: "fused", backward: 1, unit: "MiB" },
    { batch: 1, heads: 4, length, width: 64 },
  )
).map((c): BenchCase => ({ ...c, name: "attention and gradient biased memory" }));

/** The section. */
export const attentionCases: readonly BenchCase[] = [...timed, ...memory];
