/** One stage or two, at as many tokens. */
import type { PretrainConfig } from "../../pretrain/config.ts";
import type { Ablation, Changes } from "../ablation.ts";

/** Both have 2,048 tokens. */
const short = { length: 64, batch: 32, microBatch: 32 };
const long = { length: 256, batch: 8, microBatch: 8 };

const first = (data: typeof short): Changes =>
  Object.entries(data).map(([name, value]) => `data.${name}=${value}`);

/** Nine tenths of the steps short, the rest long with half the rate, as the named configurations have it. */
function two({ steps, optimizer: { rate, warmup } }: PretrainConfig): Changes {
  const last = Math.max(1, Math.round(steps / 10));
  const then = [{ ...long, steps: last, rate: rate / 2, warmup }];
  return [...first(short), `steps=${Math.max(1, steps - last)}`, `then=${JSON.stringify(then)}`];
}

/** The same tokens in one stage of short or of long sequences, or in two. */
export const twoStages: Ablation = {
  name: "stages",
  claim: "Short sequences first and long ones at the end are as good as long ones all the time.",
  base: [],
  variants: [
    { name: "two stages", changes: two },
    { name: "256 alone", changes: first(long) },
    { name: "64 alone", changes: first(short) },
  ],
  questions: [{ name: "256 tokens", length: 256 }, { name: "64 tokens", length: 64 }],
  claimed: "two stages",
  noWorse: true,
  note:
    "Equal are the tokens; attention over 256 tokens costs more, so two stages are cheaper too.",
};
