/**
 * How probable labels are, by the forward and the backward recursion, in logarithms.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  arange,
  broadcastTo,
  type Dim,
  embedding,
  exp,
  expandDims,
  flip,
  greater,
  greaterEqual,
  less,
  logSumExp,
  max,
  maximum,
  mul,
  or,
  permute,
  reshape,
  scan,
  sizesOf,
  squeeze,
  sub,
  sum,
  takeAlongAxis,
  type Tensor,
  where,
  zeros,
} from "../../core/mod.ts";
import type { Crf } from "./params.ts";
import { crfSteps } from "./steps.ts";

/** Where a kept token's predecessor stands, -1 where it is the first: [B, T]; and where the last stands: [B, 1]. */
function places(keep: AnyTensor): readonly [before: AnyTensor, last: AnyTensor] {
  const [, T] = sizesOf(keep), t = arange(T!) as AnyTensor;
  const at: AnyTensor = where(greater(keep, 0), t, -1);
  const earlier: AnyTensor = less(expandDims(t, 0), expandDims(t, 1));
  const before: AnyTensor = where(expandDims(earlier, 0), expandDims(at, 1), -1);
  return [max(before, 2), max(at, 1, { keepdims: true })];
}

/**
 * s(y), the score of given labels. Of no kept token it is 0.
 *
 * Shapes: emissions [B, T, L], labels [B, T] (any where not kept), keep [B, T] (1 or 0) -> [B].
 */
export function crfScore<B extends Dim, T extends Dim, L extends Dim>(
  p: Crf<L>,
  emissions: Tensor<[B, T, L]>,
  labels: Tensor<[B, T], "i32">,
  keep: Tensor<[B, T]>,
): Tensor<[B]> {
  const L = sizesOf(emissions)[2]!, [before, last] = places(keep as AnyTensor);
  const kept: AnyTensor = greater(keep as AnyTensor, 0);
  const y: AnyTensor = where(kept, labels as AnyTensor, 0);
  const of = (table: AnyTensor, ids: AnyTensor): AnyTensor =>
    squeeze(embedding(reshape(table, [-1, 1]) as AnyTensor, ids) as AnyTensor, -1);
  const own: AnyTensor = squeeze(
    takeAlongAxis(emissions as AnyTensor, expandDims(y, 2), 2) as AnyTensor,
    2,
  );
  const from: AnyTensor = takeAlongAxis(y, maximum(before, 0), 1);
  const step: AnyTensor = where(
    less(before, 0),
    of(p.start as AnyTensor, y),
    of(p.between as AnyTensor, add(mul(from, L), y) as AnyTensor),
  );
  const final: AnyTensor = takeAlongAxis(y, maximum(last, 0), 1);
  const end: AnyTensor = where(greaterEqual(last, 0), of(p.end as AnyTensor, final), 0);
  return add(sum(where(kept, add(own, step), 0), 1), squeeze(end, 1)) as AnyTensor;
}

/** The forward recursion: log Σ exp of all beginnings that end in a label. Shapes: -> after each token [T, B, L], at the end [B, L]. */
function forward(
  p: Crf<Dim>,
  emissions: AnyTensor,
  keep: AnyTensor,
): readonly [all: AnyTensor, last: AnyTensor] {
  const [B, , L] = sizesOf(emissions), between = expandDims(p.between as AnyTensor, 0);
  const start = { sums: zeros([B!, L!]), begun: zeros([B!, 1], "bool") };
  const [{ sums }, all] = scan(
    ({ sums, begun }, { e, kept }) => {
      const moved: AnyTensor = logSumExp(add(expandDims(sums as AnyTensor, 2), between), 1);
      const next: AnyTensor = add(where(begun as AnyTensor, moved, p.start as AnyTensor), e);
      const now: AnyTensor = where(kept, next, sums as AnyTensor);
      return [{ sums: now, begun: or(begun as AnyTensor, kept) as AnyTensor }, now] as const;
    },
    start as { readonly sums: AnyTensor; readonly begun: AnyTensor },
    crfSteps(emissions, keep) as never,
  ) as unknown as readonly [{ readonly sums: AnyTensor }, AnyTensor];
  return [all, sums];
}

/** log Σ exp s over all labels, from the last sums of the forward recursion. Shapes: [B, L], keep [B, T] -> [B]. */
function closed(p: Crf<Dim>, last: AnyTensor, keep: AnyTensor): AnyTensor {
  return where(greater(max(keep, 1), 0), logSumExp(add(last, p.end as AnyTensor), 1), 0);
}

/**
 * log Σ exp s(y) over all sequences of labels. Of no kept token it is 0. Its gradient in the emissions are the marginals.
 *
 * Shapes: emissions [B, T, L], keep [B, T] (1 or 0) -> [B]. Sums of exponentials are taken around their greatest term.
 */
export function crfLogPartition<B extends Dim, T extends Dim, L extends Dim>(
  p: Crf<L>,
  emissions: Tensor<[B, T, L]>,
  keep: Tensor<[B, T]>,
): Tensor<[B]> {
  const [, last] = forward(p as never, emissions as AnyTensor, keep as AnyTensor);
  return closed(p as never, last, keep as AnyTensor);
}

/**
 * log p(labels): what training raises.
 *
 * Shapes: emissions [B, T, L], labels [B, T] (any where not kept), keep [B, T] (1 or 0) -> [B].
 *
 * @example
 * ```ts
 * import { read, tensor, zeros } from "@motian/motian";
 * import { crfLogLikelihood } from "@motian/motian/nn";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const p = { start: zeros([2]), between: zeros([2, 2]), end: zeros([2]) };
 * const labels = tensor([[0, 1, 1]], "i32"), keep = tensor([[1, 1, 1]]);
 * const [y] = await read(crfLogLikelihood(p, zeros([1, 3, 2]), labels, keep));
 * assertAlmostEquals(y!, Math.log(1 / 8), 1e-6);
 * ```
 */
export function crfLogLikelihood<B extends Dim, T extends Dim, L extends Dim>(
  p: Crf<L>,
  emissions: Tensor<[B, T, L]>,
  labels: Tensor<[B, T], "i32">,
  keep: Tensor<[B, T]>,
): Tensor<[B]> {
  const score = crfScore(p, emissions, labels, keep) as AnyTensor;
  return sub(score, crfLogPartition(p, emissions, keep) as AnyTensor) as AnyTensor;
}

/**
 * The probability of every label of every token, all else summed out; 0 where not kept.
 *
 * Shapes: emissions [B, T, L], keep [B, T] (1 or 0) -> [B, T, L].
 *
 * Source: the forward-backward algorithm, Rabiner 1989.
 */
export function crfMarginals<B extends Dim, T extends Dim, L extends Dim>(
  p: Crf<L>,
  emissions: Tensor<[B, T, L]>,
  keep: Tensor<[B, T]>,
): Tensor<[B, T, L]> {
  const [B, , L] = sizesOf(emissions),
    [all, last] = forward(p as never, emissions as AnyTensor, keep as AnyTensor);
  const { e, kept } = crfSteps(emissions as AnyTensor, keep as AnyTensor);
  const between = expandDims(p.between as AnyTensor, 0);
  const [, after] = scan(
    (sums: AnyTensor, { e, kept }: { readonly e: AnyTensor; readonly kept: AnyTensor }) => {
      const moved: AnyTensor = logSumExp(add(between, expandDims(add(e, sums) as AnyTensor, 1)), 2);
      return [where(kept, moved, sums) as AnyTensor, sums] as const;
    },
    broadcastTo(p.end as AnyTensor, [B!, L!]) as AnyTensor,
    { e: flip(e, 0), kept: flip(kept, 0) } as never,
  ) as unknown as readonly [AnyTensor, AnyTensor];
  const total: AnyTensor = closed(p as never, last, keep as AnyTensor);
  const logs: AnyTensor = sub(add(all, flip(after, 0)), expandDims(total, 1));
  return permute(where(kept, exp(logs), 0) as AnyTensor, [1, 0, 2]) as AnyTensor;
}
