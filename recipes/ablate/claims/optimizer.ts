/** LAMB with and without what the article adds to it, and AdamW, at growing batches. Another optimiser is one more entry of `kinds`. */
import type { PretrainConfig } from "../../pretrain/config.ts";
import type { Ablation, Changes, Variant } from "../ablation.ts";

/** An optimiser. */
interface Kind {
  readonly changes: Changes;
  /** Its rate at the base's batch, where it is not the base's. */
  readonly rate?: number;
}

const adamw: Kind = { changes: ["optimizer.name=adamw"], rate: 0.001 };

/** AdamW at the base's batch. */
export const ADAMW: Changes = [...adamw.changes, `optimizer.rate=${adamw.rate}`];

const lamb = (gradNorm: string, biasCorrection: boolean): Kind => ({
  changes: [`optimizer.gradNorm=${gradNorm}`, `optimizer.biasCorrection=${biasCorrection}`],
});

/** What is compared, by name: LAMB without both, with one of them, with clipping as NVIDIA's, with both. */
const kinds: Readonly<Record<string, Kind>> = {
  lamb: lamb("off", false),
  "lamb+bias": lamb("off", true),
  "lamb+norm": lamb("always", false),
  "lamb+clip+bias": lamb("clip", true),
  "lamb+norm+bias": lamb("always", true),
  adamw,
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
export const optimizers: Ablation = {
  name: "optimizers",
  claim:
    "LAMB does better with its gradient normalised and its moments corrected, and better than " +
    "AdamW, the more so the larger the batch.",
  base: [],
  variants: [32, 128, 512].flatMap((batch) =>
    Object.entries(kinds).map(([name, kind]): Variant => ({
      name,
      group: `batch ${batch}`,
      changes: ofBatch(batch, kind),
    }))
  ),
  questions: [{ name: "64 tokens", length: 64 }],
  claimed: "lamb+norm+bias",
  note:
    "Compute is the same for all batches: 16 times the batch has a sixteenth of the steps. Rates " +
    "grow as √batch from LAMB's and AdamW's own at 32, which are tuned for no batch. norm: every " +
    "gradient is divided by its norm; clip: where that is above 1; bias: both moments are corrected.",
};
