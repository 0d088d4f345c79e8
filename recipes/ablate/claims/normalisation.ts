/** Where a layer normalises, and whether it needs a warm-up. */
import type { Ablation, Variant } from "../ablation.ts";

const at = (warmup: number) => (norm: string): Variant => ({
  name: norm,
  group: warmup === 0 ? "no warm-up" : `${100 * warmup} % warm-up`,
  changes: [`model.norm=${norm}`, `optimizer.warmup=${warmup}`],
});

/** Pre-LN and Post-LN, with warm-up and without, in a model of many thin layers. */
export const normPlace: Ablation = {
  name: "norm",
  claim: "Pre-LN trains without warm-up, Post-LN does not.",
  base: ["model.layers=8", "model.width=64", "model.hidden=256"],
  variants: [...["pre", "post"].map(at(0)), ...["pre", "post"].map(at(0.1))],
  questions: [{ name: "64 tokens", length: 64 }],
  claimed: "pre",
  note: "Post-LN's trouble grows with the number of layers; here they are 8.",
};
