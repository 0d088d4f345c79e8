/**
 * The most probable tokens of scores, without sorting them all.
 *
 * @module
 */

/**
 * Pairs of an id and its probability, the most probable first; of equal ones the lower id.
 *
 *     p(k) = e^(x_k - max) / Σ e^(x - max), summed in double precision
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { topTokens } from "./top_tokens.ts";
 *
 * const x = Float32Array.of(0, Math.log(2), -Infinity, Math.log(5));
 * assertEquals(topTokens(x, 2), Float32Array.of(3, 5 / 8, 1, 2 / 8));
 * ```
 */
export function topTokens(scores: Float32Array, top: number): Float32Array {
  const best: number[] = [], most = Math.min(top, scores.length);
  for (let id = 0; id < scores.length; id++) {
    const x = scores[id]!;
    if (best.length === most && !(x > scores[best[most - 1]!]!)) continue;
    let at = best.length;
    while (at > 0 && x > scores[best[at - 1]!]!) at--;
    best.splice(at, 0, id);
    if (best.length > most) best.pop();
  }
  const max = scores[best[0]!]!;
  let total = 0;
  for (const x of scores) total += Math.exp(x - max);
  return Float32Array.from(best.flatMap((id) => [id, Math.exp(scores[id]! - max) / total]));
}
