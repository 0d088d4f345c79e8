/** Operands of attention with any terms, and a number whose gradients tell its kernels from its composite. */
import {
  type AnyTensor,
  type Device,
  fromArray,
  grad,
  jit,
  mul,
  read,
  relativeAttention,
  sum,
  type Tensor,
  zeros,
} from "../../core/mod.ts";

export type Term = "bias" | "keyTerm" | "queryTerm" | "sums" | "keep";
export const everyTerm: readonly Term[] = ["bias", "keyTerm", "queryTerm", "sums", "keep"];

const drawn = (shape: readonly number[], seed: number, size = 1): AnyTensor =>
  fromArray(
    Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      (_, i) => size * Math.sin(seed + i * 7.3),
    ),
    shape as number[],
  );

export interface AttentionCase {
  readonly T: number;
  readonly B?: number;
  readonly H?: number;
  readonly K?: number;
  readonly R?: number;
  readonly terms?: readonly Term[];
  /** How many keys may be seen, for each example. */
  readonly kept?: readonly number[];
}

/** Operands of one attention; in examples after the first the last 5 positions are padding, if `kept` does not say otherwise. */
export function operands({ T, H = 2, K = 8, R = 9, terms = everyTerm, ...given }: AttentionCase) {
  const { kept = Array.from({ length: given.B ?? 2 }, (_, b) => b === 0 ? T : T - 5) } = given;
  const B = kept.length, shape = [B, H, T, K];
  const keep = Float32Array.from(
    { length: B * T },
    (_, i) => i % T < kept[Math.floor(i / T)]! ? 1 : 0,
  );
  const index = Int32Array.from(
    { length: 2 * T - 1 },
    (_, n) =>
      4 + Math.sign(n - T + 1) * Math.min(2, Math.floor(Math.log2(1 + Math.abs(n - T + 1)))),
  );
  const has = (term: Term): boolean => terms.includes(term);
  const smooth: Readonly<Record<string, AnyTensor>> = {
    q: drawn(shape, 1),
    k: drawn(shape, 2),
    v: drawn(shape, 3),
    ...has("bias") && { bias: drawn([H, R], 4) },
    ...has("keyTerm") && { keyTerm: drawn([B, H, T, R], 5) },
    ...has("queryTerm") && { queryTerm: drawn([B, H, T, R], 6) },
  };
  const rows = {
    index: fromArray(index, [2 * T - 1], "i32") as AnyTensor,
    count: R,
    ownCls: true,
  };
  return {
    smooth,
    options: {
      scale: 2.4 / K, // so that no key has all the weight: what cancels then would drown the gradients
      ...terms.some((term) => term !== "keep") && { rows },
      ...has("keep") && { keep: fromArray(keep, [B, T]) as AnyTensor },
      sums: has("sums"),
    },
    keys: fromArray(
      Uint32Array.from({ length: 2 * B }, (_, i) => i + 1),
      [B, 2],
      "u32",
    ) as AnyTensor,
  };
}

export type Operands = ReturnType<typeof operands>;

/** A number that every result goes into; `composite` adds nothing to the scores, which makes it the composite. */
export function loss(o: Operands, rate: number, composite: boolean) {
  return (p: Operands["smooth"]): Tensor<[]> => {
    const { q, k, v, ...terms } = p;
    const { out, sums } = relativeAttention(q!, k!, v!, {
      ...terms,
      ...o.options,
      dropout: { keys: o.keys, rate },
      ...composite && { added: [zeros([1, 1, 1, 1])] },
    });
    const [x, y] = [out, sums].map((t) =>
      t && sum(mul(t as AnyTensor, t as AnyTensor)) as AnyTensor
    );
    return (y ? mul(x!, y) : x!) as AnyTensor;
  };
}

/** The gradients by every smooth operand. */
export async function gradients(
  f: (p: Operands["smooth"]) => Tensor<[]>,
  o: Operands,
  device: Device,
): Promise<number[][]> {
  const grads = jit(grad(f), { device })(o.smooth);
  return await Promise.all(
    Object.values(grads).map(async (g) => [...await read(g as AnyTensor)] as number[]),
  );
}
