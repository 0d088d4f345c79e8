/** LAMB's gradient normalisation at growing batches. Another optimiser is one more entry of `kinds`. */
import type { PretrainConfig } from "../../pretrain/config.ts";
import type { Ablation, Changes, Variant } from "../ablation.ts";

/** What is compared, by name. */
const kinds: Readonly<Record<string, Changes>> = {
  off: ["optimizer.gradNorm=off"],
  clip: ["optimizer.gradNorm=clip"],
  always: ["optimizer.gradNorm=always"],
};

const MICRO = 32;

/**
 * As many sequences in all as at the base's batch: fewer steps, and a rate that grows as √batch.
 *
 * Source: the LAMB paper's rule, arXiv 1904.00962, section 4.
 */
const ofBatch = (batch: number) => ({ steps, optimizer, data }: PretrainConfig): Changes => [
  `data.batch=${batch}`,
  `data.microBatch=${MICRO}`,
  `steps=${Math.max(1, Math.round(steps * data.batch / batch))}`,
  `optimizer.rate=${optimizer.rate * Math.sqrt(batch / data.batch)}`,
  "logEvery=1",
];

/** Every kind at three batches. */
export const gradientNorm: Ablation = {
  name: "gradient-norm",
  claim: "With its gradient normalised, LAMB trains with large batches as well as with small ones.",
  base: [],
  variants: [32, 128, 512].flatMap((batch) =>
    Object.entries(kinds).map(([name, changes]): Variant => ({
      name,
      group: `batch ${batch}`,
      changes: (base) => [...ofBatch(batch)(base), ...changes],
    }))
  ),
  questions: [{ name: "64 tokens", length: 64 }],
  claimed: "always",
  absent: [
    "AdamW, and LAMB without bias correction: a configuration cannot ask for them yet",
  ],
  note: "Compute is the same for all batches: 16 times the batch has a sixteenth of the steps.",
};
