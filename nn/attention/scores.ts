/**
 * The scores of attention as a matrix, for distillation and analysis: attention itself never makes it where the backend has the kernel.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  broadcastTo,
  cast,
  type Dim,
  einsum,
  expandDims,
  fromArray,
  gather,
  mul,
  sizesOf,
  swapaxes,
  takeAlongAxis,
  type Tensor,
  transpose,
} from "../../core/mod.ts";
import { type Attended, type Own, positionTerms } from "./attention.ts";
import { bucketOf } from "./index.ts";
import type { AttentionParams } from "./params.ts";
import type { Positions } from "./positions.ts";

/** [T, T] i32: the row of every pair. */
function rowsOfPairs({ scheme }: Positions, T: number): AnyTensor {
  const rows = Int32Array.from(
    { length: T * T },
    (_, n) => bucketOf(scheme, Math.floor(n / T), n % T, T),
  );
  return fromArray(rows, [T, T], "i32");
}

/**
 * What attention takes the softmax of, from the queries and keys that it gave: the score of every query i and key j with all position
 * terms of the scheme (scheme.ts has the formula). Keys of padding are not scored less: who reads them must leave them out.
 *
 * Shapes: q, k [B, H, T, K] -> [B, H, T, T]. Computed in f32.
 *
 * Inside `jit` a score that nobody uses is never computed.
 *
 * @example
 * ```ts
 * import { fromArray, read, size, tensor } from "@motian/motian";
 * import { attention, attentionScores, attentionSpec, init, positions, schemes } from "@motian/motian/nn";
 * import { assertEquals } from "@std/assert";
 *
 * const sizes = { width: size("C", 4), heads: size("H", 2), headWidth: size("K", 2) };
 * const p = init(1, attentionSpec(sizes, schemes.none));
 * const x = fromArray(new Float32Array(12), [1, 3, 4]) as Parameters<typeof attention>[1];
 * const at = positions(schemes.none, {}, 3, { width: 4, headWidth: 2 }, {});
 * const scores = attentionScores(p as never, attention(p as never, x, at), at);
 * assertEquals([...scores.shape], [1, 2, 3, 3]);
 * assertEquals([...await read(scores)], Array(18).fill(0));
 * ```
 */
export function attentionScores<
  B extends Dim,
  T extends Dim,
  C extends Dim,
  H extends Dim,
  K extends Dim,
>(
  p: AttentionParams<C, H, K>,
  attended: Pick<Attended<B, T, C, H, K>, "q" | "k">,
  positions: Positions,
): Tensor<[B, H, T, T]> {
  const own = p as unknown as Own, q: AnyTensor = attended.q, k: AnyTensor = attended.k;
  const query = (shift: AnyTensor | undefined): AnyTensor =>
    shift ? add(q, expandDims(shift, 1)) : q;
  const { scale, bias } = positions, terms = positionTerms(own, query, k, positions);
  const [B, H, T] = sizesOf(q) as [number, number, number, number], shape = [B, H, T, T];
  const [read, shown] = [query(own.u), k].map((x): AnyTensor => cast(x, "f32") as AnyTensor);
  let scores: AnyTensor = einsum("bhik,bhjk->bhij", read!, shown!);
  const { keyTerm, queryTerm, added } = terms;
  const pairs = keyTerm || queryTerm || bias ? rowsOfPairs(positions, T) : undefined;
  const along = (x: AnyTensor, rows: AnyTensor): AnyTensor =>
    takeAlongAxis(x, broadcastTo(rows, shape) as AnyTensor, 3);
  if (keyTerm) scores = add(scores, along(keyTerm, pairs!));
  if (queryTerm) scores = add(scores, swapaxes(along(queryTerm, transpose(pairs!)), 2, 3));
  scores = mul(scores, scale);
  if (bias) scores = add(scores, gather(cast(bias, "f32") as AnyTensor, pairs!, 1));
  return added.reduce((sum, term): AnyTensor => add(sum, term), scores) as Tensor<[B, H, T, T]>;
}
