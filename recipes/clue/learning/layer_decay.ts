/**
 * Learning rates that fall from the head down: what lies deep is general and should move little.
 *
 * @module
 */
import type { Group } from "../../../optim/mod.ts";

/**
 * Factors on the rate of a task's model: the head and the last normalisation 1, block i of L (counted from 0) decay^(L - i), the embeddings
 * and the position parameters that all blocks share decay^(L + 1).
 *
 * Source: Howard and Ruder 2018 (arXiv 1801.06146), section 3.2, by blocks; the powers are those of BEiT's code (Bao et al. 2021, arXiv 2106.08254).
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { settingsOf } from "../../../optim/mod.ts";
 * import { layerDecay } from "./layer_decay.ts";
 *
 * const base = { rate: 1, decay: 0, trustRatio: true, frozen: false, stateDtype: "f32" } as const;
 * const at = (path: string) => settingsOf(path, base, layerDecay(0.5, 2)).rate;
 * assertAlmostEquals(at("encoder.layers.1.attention.wq"), 0.5);
 * assertAlmostEquals(at("encoder.embeddings.tokens"), 0.125);
 * ```
 */
export function layerDecay(decay: number, layers: number): readonly Group[] {
  if (decay === 1) return [];
  return [
    { match: /^encoder\.(embeddings|shared)\./, rate: decay ** (layers + 1) },
    ...Array.from({ length: layers }, (_, i) => ({
      match: new RegExp(`^encoder\\.layers\\.${i}\\.`),
      rate: decay ** (layers - i),
    })),
  ];
}
