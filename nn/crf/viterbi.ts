/**
 * The best labels.
 *
 * @module
 */
import {
  add,
  and,
  type AnyTensor,
  arange,
  argmax,
  broadcastTo,
  cast,
  type Dim,
  expandDims,
  flip,
  max,
  or,
  permute,
  scan,
  sizesOf,
  squeeze,
  takeAlongAxis,
  type Tensor,
  where,
  zeros,
} from "../../core/mod.ts";
import type { Crf } from "./params.ts";
import { crfSteps } from "./steps.ts";

/** The best labels of a batch. */
export interface BestLabels<B extends Dim, T extends Dim> {
  /** -1 where not kept. */
  readonly labels: Tensor<[B, T], "i32">;
  /** s(labels). */
  readonly score: Tensor<[B]>;
}

/**
 * The sequence of labels with the greatest score s(y); the first label among equals.
 *
 * Shapes: emissions [B, T, L], keep [B, T] (1 or 0) -> labels [B, T], score [B].
 *
 * Source: Viterbi 1967.
 *
 * @example
 * ```ts
 * import { read, tensor, zeros } from "@motian/motian";
 * import { viterbi } from "@motian/motian/nn";
 * import { assertEquals } from "@std/assert";
 *
 * // Alone, the second token would be 1; but 1 never follows 0.
 * const p = { start: zeros([2]), between: tensor([[0, -9], [0, 0]]), end: zeros([2]) };
 * const { labels } = viterbi(p, tensor([[[5, 0], [0, 1]]]), tensor([[1, 1]]));
 * assertEquals([...await read(labels)], [0, 0]);
 * ```
 */
export function viterbi<B extends Dim, T extends Dim, L extends Dim>(
  p: Crf<L>,
  emissions: Tensor<[B, T, L]>,
  keep: Tensor<[B, T]>,
): BestLabels<B, T> {
  const [B, , L] = sizesOf(emissions as AnyTensor), between = expandDims(p.between as AnyTensor, 0);
  const steps = crfSteps(emissions as AnyTensor, keep as AnyTensor);
  const same: AnyTensor = broadcastTo(arange(L!) as AnyTensor, [B!, L!]);
  type Carry = { readonly best: AnyTensor; readonly begun: AnyTensor };
  type Step = { readonly e: AnyTensor; readonly kept: AnyTensor };
  const [{ best, begun }, from] = scan(
    ({ best, begun }: Carry, { e, kept }: Step) => {
      const moved: AnyTensor = add(expandDims(best, 2), between);
      const first: AnyTensor = where(begun, max(moved, 1), p.start as AnyTensor);
      const now: AnyTensor = where(kept, add(first, e), best);
      const back: AnyTensor = where(and(kept, begun), argmax(moved, 1), same);
      return [{ best: now, begun: or(begun, kept) as AnyTensor }, back] as const;
    },
    { best: zeros([B!, L!]) as AnyTensor, begun: zeros([B!, 1], "bool") as AnyTensor },
    steps as never,
  ) as unknown as readonly [Carry, AnyTensor];
  const ends: AnyTensor = add(best, p.end as AnyTensor);
  const [, labels] = scan(
    (label: AnyTensor, { back, kept }: { readonly back: AnyTensor; readonly kept: AnyTensor }) => {
      const own: AnyTensor = where(kept, label, -1);
      return [takeAlongAxis(back, label, 1) as AnyTensor, own] as const;
    },
    expandDims(argmax(ends, 1) as AnyTensor, 1) as AnyTensor,
    { back: flip(from, 0), kept: flip(steps.kept, 0) } as never,
  ) as unknown as readonly [AnyTensor, AnyTensor];
  const found: AnyTensor = permute(squeeze(flip(labels, 0) as AnyTensor, 2) as AnyTensor, [1, 0]);
  return {
    labels: cast(found, "i32") as AnyTensor,
    score: where(squeeze(begun, 1), max(ends, 1), 0) as AnyTensor,
  };
}
