/** Where a layer normalises, and whether it needs a warm-up. */
import type { Ablation, Variant } from "../ablation.ts";
import { ADAMW } from "./optimizer.ts";

const kinds = { LAMB: [], AdamW: ADAMW } as const;

const at = (name: keyof typeof kinds, warmup: number) => (norm: string): Variant => ({
  name: norm,
  group: `${name}, ${warmup === 0 ? "no" : `${100 * warmup} %`} warm-up`,
  changes: [...kinds[name], `model.norm=${norm}`, `optimizer.warmup=${warmup}`],
});

/** Pre-LN and Post-LN, with warm-up and without, in a model of many thin layers. */
export const normPlace: Ablation = {
  name: "norm",
  claim: "Pre-LN trains without warm-up, Post-LN does not.",
  base: ["model.layers=8", "model.width=64", "model.hidden=256"],
  variants: (["LAMB", "AdamW"] as const).flatMap((name) =>
    [0, 0.1].flatMap((warmup) => ["pre", "post"].map(at(name, warmup)))
  ),
  questions: [{ name: "64 tokens", length: 64 }],
  claimed: "pre",
  note:
    "Post-LN's trouble was shown for Adam and grows with the number of layers, here 8; LAMB's " +
    "trust ratio bounds every step by the size of the weights.",
};
