/** LAMB's gradient normalisation at growing batches. Another optimiser is one more entry of `kinds`. */
import type { PretrainConfig } from "../../pretrain/config.ts";
import type { Ablation, Changes, Variant } from "../ablation.ts";

/** An optimiser. */
interface Kind {
  readonly changes: Changes;
  /** Its rate at the base's batch, where it is not the base's. */
  readonly rate?: number;
}

/** What is compared, by name. */
const kinds: Readonly<Record<string, Kind>> = {
  off: { changes: ["optimizer.gradNorm=off"] },
  clip: { changes: ["optimizer.gradNorm=clip"] },
  always: { changes: ["optimizer.gradNorm=always"] },
};

/** Sequences that are computed at once, whatever the batch. */
const MICRO = 32;

/**
 * As many sequences in all as at the base's batch: fewer steps, and a rate that grows as √batch.
 *
 * Source: the LAMB paper's rule, arXiv 1904.00962, section 4.
 */
function ofBatch(batch: number, { changes, rate }: Kind) {
  return ({ steps, optimizer, data }: PretrainConfig): Changes => [
    `data.batch=${batch}`,
    `data.microBatch=${MICRO}`,
    `steps=${Math.max(1, Math.round(steps * data.batch / batch))}`,
    `optimizer.rate=${(rate ?? optimizer.rate) * Math.sqrt(batch / data.batch)}`,
    "logEvery=1",
    ...changes,
  ];
}

/** Every kind at three batches. */
export const gradientNorm: Ablation = {
  name: "gradient-norm",
  claim: "LAMB does better with its gradient normalised, the more so the larger the batch.",
  base: [],
  variants: [32, 128, 512].flatMap((batch) =>
    Object.entries(kinds).map(([name, kind]): Variant => ({
      name,
      group: `batch ${batch}`,
      changes: ofBatch(batch, kind),
    }))
  ),
  questions: [{ name: "64 tokens", length: 64 }],
  claimed: "always",
  absent: [
    "AdamW, and LAMB without bias correction: a configuration cannot ask for them yet",
  ],
  note: "Compute is the same for all batches: 16 times the batch has a sixteenth of the steps.",
};
