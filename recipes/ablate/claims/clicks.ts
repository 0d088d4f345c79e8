/**
 * Clicks beside text: do they make the better model, and who weighs the two tasks best?
 *
 * @module
 */
import { type ClickConfig, type PretrainConfig, SIMULATED } from "../../pretrain/config.ts";
import type { Ablation, Changes, Question } from "../ablation.ts";

/** As many tokens a step as the base has of text; weighed so that 8 noisy impressions do not drown the text. */
const clicks: ClickConfig = {
  log: "simulated",
  simulated: SIMULATED,
  loss: "listwise",
  docs: 8,
  length: 32,
  batch: 8,
  microBatch: 8,
  mlm: false,
  weights: "fixed",
  share: 0.1,
  clip: 10,
  heldOut: 0.05,
};

const learnt = (own: Partial<ClickConfig> = {}): Changes => [
  `click=${JSON.stringify({ ...clicks, ...own })}`,
];

const questions: readonly Question[] = [
  { name: "NDCG@5", figure: "ndcg_5" },
  { name: "AUC", figure: "auc" },
  { name: "64 tokens", length: 64 },
];

/** Masked text alone, and masked text with clicks, both fine-tuned on the same clicks in the end. */
export const clickTask: Ablation = {
  name: "clicks",
  claim: "Text and clicks from the beginning rank better than text alone, fine-tuned on clicks.",
  base: [],
  variants: [
    { name: "mlm", changes: [] },
    {
      name: "mlm, 2 × steps",
      changes: ({ steps }: PretrainConfig) => [`steps=${2 * steps}`],
    },
    { name: "mlm+click", changes: learnt() },
  ],
  finish: ({ steps, optimizer: { rate } }) => [
    ...learnt(),
    `steps=${Math.max(1, Math.round(steps / 5))}`,
    `optimizer.rate=${rate / 2}`,
  ],
  questions,
  claimed: "mlm+click",
  note:
    "All are fine-tuned with both tasks for a fifth of the steps before titles are asked about; " +
    "text is asked about before that. A step with clicks has twice the tokens.",
};

/** Weights that are learnt from uncertainty, and some that are fixed. */
export const taskWeights: Ablation = {
  name: "task-weights",
  claim: "Weights learnt from uncertainty are as good as the best fixed ones.",
  base: [],
  variants: [
    { name: "uncertainty", changes: learnt({ weights: "uncertainty" }) },
    ...[0.01, 0.1, 1].map((share) => ({
      name: `clicks × ${share}`,
      changes: learnt({ share }),
    })),
  ],
  questions,
  claimed: "uncertainty",
  noWorse: true,
  note: "Fixed weights: 1 for text, and this for clicks. Which is best may differ from question " +
    "to question.",
};
