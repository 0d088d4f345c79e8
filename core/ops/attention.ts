/**
 * Attention under relative position terms: one op, so that a backend can do it in one kernel without a T x T tensor in memory.
 *
 * @module
 */
import { settle, settleAll } from "../execute.ts";
import { broadcastTo } from "../graph/build.ts";
import type { AttentionKernel } from "../graph/fused_kernel.ts";
import { type Node, sameShape, show, type Sizes } from "../graph/node.ts";
import type { Dim } from "../shape/mod.ts";
import { type AnyTensor, nodeOf, type Tensor, wrap } from "../tensor.ts";
import {
  type AttentionArguments,
  attentionComposite,
  attentionNode,
  attentionShapes,
  unpacked,
} from "./attention_nodes.ts";
import { cast } from "./casts.ts";
import { type Drawn, floats, integers, type Law } from "./law.ts";

/** What attention adds to the content. All position terms share `rows`. */
export interface RelativeAttentionOptions<
  B extends Dim = Dim,
  H extends Dim = Dim,
  T extends Dim = Dim,
> {
  /** What dot products are multiplied with; 1 by default. */
  readonly scale?: number;
  /** Rows that the position terms share. */
  readonly rows?: {
    /** [2T - 1]: the row of each offset j - i, from 1 - T up. */
    readonly index: Tensor<[number], "i32">;
    /** R: how many there are. */
    readonly count: number;
    /** Position 0 has rows of its own: as query the last but one, as key the last. */
    readonly ownCls?: boolean;
  };
  /** [H, R]: added to the score, by head and row. */
  readonly bias?: Tensor<[H, number]>;
  /** [B, H, T, R]: for every query the number of each row, as q · K_r. */
  readonly keyTerm?: Tensor<[B, H, T, number]>;
  /** [B, H, T, R]: for every key the number of each row, as k · Q_r. */
  readonly queryTerm?: Tensor<[B, H, T, number]>;
  /** 1 where a key may be seen, 0 where it is padding. It has no gradient. */
  readonly keep?: Tensor<[B, T]>;
  /** More that is added to the scores; each broadcasts to [B, H, T, T]. With it the composite is computed. */
  readonly added?: readonly AnyTensor[];
  /** Give the weights summed by row too. */
  readonly sums?: boolean;
  /** Weights are dropped with this probability, from one key an example. */
  readonly dropout?: { readonly keys: Tensor<[B, 2], "u32">; readonly rate: number };
}

/** What attention gives. */
export interface RelativeAttention<B extends Dim, H extends Dim, T extends Dim, K extends Dim> {
  /** Values, mixed by the weights. */
  readonly out: Tensor<[B, H, T, K]>;
  /** [B, H, T, R]: the weights added up by the rows of their offsets, if asked for. */
  readonly sums?: Tensor<[B, H, T, number]>;
}

/** Refuses an operand of another shape or dtype. */
function expectOperand(name: string, x: Node, shape: Sizes, dtype: Node["dtype"] = "f32"): void {
  if (sameShape(x.shape, shape) && x.dtype === dtype) return;
  throw new TypeError(
    `Cannot attend with ${name} ${x.dtype} ${show(x.shape)}: it must be ${dtype} ${show(shape)}`,
  );
}

/**
 * Multi-head attention of every position to all that are kept:
 *
 *     score_ij = scale · (q_i · k_j + keyTerm_i,ρ + queryTerm_j,ρ) + bias_ρ + added_ij      ρ = row of j - i
 *     out_i    = Σ_j softmax(score)_ij v_j            sums_i,r = Σ_j softmax(score)_ij [ρ = r]
 *
 * Shapes: q, k, v [B, H, T, K] -> out [B, H, T, K], sums [B, H, T, R]. Softmax and sums in f32. What is not kept scores 1e9 less.
 * The rows of offsets must be 0..R-1: which one another number stands for is up to the backend.
 *
 * Where the backend has the kernel, memory grows with T, not with its square; the backward pass computes the weights again.
 *
 * Source: Dao et al. 2022 (softmax without the matrix); Shaw et al. 2018, Raffel et al. 2020, He et al. 2020 (the terms).
 *
 * @throws {TypeError} if an operand has another shape than the queries ask for, or position terms lack `rows`.
 * @throws {RangeError} if the dropout rate is not at least 0 and below 1.
 *
 * @example
 * ```ts
 * import { read, relativeAttention, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const q = tensor([[[[0], [0]]]]), v = tensor([[[[1], [3]]]]);
 * assertEquals([...await read(relativeAttention(q, q, v).out)], [2, 2]);
 * ```
 */
export function relativeAttention<B extends Dim, H extends Dim, T extends Dim, K extends Dim>(
  q: Tensor<[B, H, T, K]>,
  k: Tensor<[B, H, T, K]>,
  v: Tensor<[B, H, T, K]>,
  options: RelativeAttentionOptions<B, H, T> = {},
): RelativeAttention<B, H, T, K> {
  const { args, kernel } = operandsOf([q, k, v], options as unknown as RelativeAttentionOptions);
  const added = options.added?.map(nodeOf) ?? [];
  const flat = added.length ? attentionComposite(kernel, args, added) : attentionNode(kernel, args);
  const [out, , sums] = unpacked(settleAll([flat])[0]!, attentionShapes(kernel));
  return { out: wrap(settle(out!)), ...sums && { sums: wrap(settle(sums)) } };
}

function operandsOf(
  [q, k, v]: readonly [AnyTensor, AnyTensor, AnyTensor],
  options: RelativeAttentionOptions,
): { readonly args: AttentionArguments; readonly kernel: AttentionKernel } {
  const { scale = 1, rows, keep, bias, keyTerm, queryTerm, sums = false, dropout } = options;
  const shape = nodeOf(q).shape;
  if (shape.length !== 4) {
    throw new TypeError(`Cannot attend from ${show(shape)}: queries must be [B, H, T, K]`);
  }
  if (!rows && (bias || keyTerm || queryTerm || sums)) {
    throw new TypeError("Cannot attend with position terms alone: rows must say where they hold");
  }
  const rate = dropout?.rate ?? 0;
  if (!(rate >= 0 && rate < 1)) {
    throw new RangeError(`Cannot drop a share of ${rate}: it must be at least 0 and below 1`);
  }
  const [B, H, T, K] = shape as [number, number, number, number], R = rows?.count ?? 0;
  const operand = (
    name: string,
    x: AnyTensor | undefined,
    sizes: Sizes,
    dtype?: Node["dtype"],
  ): { readonly [name: string]: Node } => {
    if (!x) return {};
    expectOperand(name, nodeOf(x), sizes, dtype);
    return { [name]: nodeOf(x) };
  };
  const given = {
    ...operand("q", q, shape),
    ...operand("k", k, shape),
    ...operand("v", v, shape),
    ...operand("rows", rows?.index, [2 * T - 1], "i32"),
    ...operand("keep", keep, [B, T]),
    ...operand("bias", bias, [H, R]),
    ...operand("keyTerm", keyTerm, [B, H, T, R]),
    ...operand("queryTerm", queryTerm, [B, H, T, R]),
    ...operand("keys", rate > 0 ? dropout!.keys : undefined, [B, 2], "u32"),
  } as unknown as AttentionArguments;
  const kernel: AttentionKernel = {
    op: "attention",
    B,
    H,
    T,
    K,
    R,
    scale,
    ownCls: rows?.ownCls ?? false,
    keep: keep !== undefined,
    bias: bias !== undefined,
    keyTerm: keyTerm !== undefined,
    queryTerm: queryTerm !== undefined,
    sums,
    dropout: rate,
  };
  return {
    args: { ...given, ...given.bias && { bias: broadcastTo(given.bias, [B, H, R]) } },
    kernel,
  };
}

export const relativeAttentionLaw: Law = {
  law: "relativeAttention",
  draw: (d) => {
    const [B, H, T, K] = [d.int(1, 3), d.int(1, 2), d.int(1, 9), d.int(1, 6)] as const;
    const has = { keep: d.int(0, 1), bias: d.int(0, 1), keyTerm: d.int(0, 1) };
    const also = { queryTerm: d.int(0, 1), sums: d.int(0, 1), ownCls: d.int(0, 1) };
    const R = d.int(3, 7), rate = d.oneOf([0, 0.25] as const), shape = [B, H, T, K];
    const terms: readonly (readonly [string, Drawn])[] = [
      ["rows", integers([2 * T - 1], [0, R - 1])],
      ["keep", integers([B, T], [0, 1])],
      ["bias", floats([H, R])],
      ["keyTerm", floats([B, H, T, R])],
      ["queryTerm", floats([B, H, T, R])],
      ["keys", { ...integers([B, 2], [0, 1000]), dtype: "u32" }],
    ];
    const wanted = new Map(Object.entries({ ...has, ...also, rows: 1, keys: rate > 0 ? 1 : 0 }));
    const chosen = terms.filter(([name]) => wanted.get(name));
    return {
      inputs: [floats(shape), floats(shape), floats(shape), ...chosen.map(([, x]) => x)],
      call: (q, k, v, ...rest) => {
        const x = Object.fromEntries(chosen.map(([name], i) => [name, rest[i]!]));
        const { rows, keys, keep, ...others } = x as Readonly<Record<string, AnyTensor>>;
        return relativeAttention(q!, k!, v!, {
          ...others,
          ...keep && { keep: cast(keep, "f32") as AnyTensor },
          scale: 0.5,
          rows: { index: rows!, count: R, ownCls: also.ownCls === 1 },
          sums: also.sums === 1,
          ...keys && { dropout: { keys, rate } },
        });
      },
      smooth: true,
    };
  },
};
