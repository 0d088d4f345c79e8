/**
 * A made-up run for tests of the report: its numbers look like those of a real one.
 *
 * @module
 */
import { configurations } from "../../recipes/pretrain/config.ts";
import { draws } from "../../recipes/masking/counter_random.ts";
import type { Report } from "../../recipes/run/report.ts";

/** A report of `steps` steps. */
export function madeUpReport(steps: number): Report {
  const { uniform } = draws(1, 9, 0, 0);
  const noise = (): number => uniform() + uniform() - 1;
  const loss = (step: number): number => 5.3 + 3.4 * Math.exp(-step / (steps / 6));
  const every = (n: number): number[] =>
    Array.from({ length: Math.floor(steps / n) }, (_, i) => (i + 1) * n);
  return {
    title: "motian-tiny on Chinese poems",
    subtitle: "npm:chinese-poetry@2.0.1 (MIT), 20.7 million training tokens, on cpu",
    figures: [
      ["held-out perplexity", "203"],
      ["unigram perplexity", "853"],
      ["ratio", "0.24"],
      ["steps", String(steps)],
      ["time", "8:12"],
      ["tokens a second", "9.8k"],
      ["parameters", "1.4M"],
      ["peak memory", "1.1 GiB"],
    ],
    metrics: every(10).map((step) => ({
      step,
      loss: loss(step) + 0.25 * noise(),
      lr: 0.01 * Math.min(step / (0.1 * steps), Math.sqrt(1 - step / steps)),
      grad_norm: step === 100 ? null : 0.4 + 2 * Math.exp(-step / 80) + 0.1 * noise(),
      tokens_per_s: 9800 + 700 * noise(),
    })),
    evaluations: every(Math.floor(steps / 6)).map((step) => ({
      step,
      mlm_ppl: Math.exp(loss(step)),
    })),
    unigramPerplexity: 853,
    tables: {
      Configuration: configurations["motian-tiny"]!,
      Corpus: {
        corpus: "npm:chinese-poetry@2.0.1 (Tang and Song poems, Song lyrics, Yuan songs)",
        licence: "MIT",
        clean: {
          read: 343962,
          kept: 333702,
          dropped: { short: 484, broken: 7551, duplicate: 2225 },
        },
        unkShare: 0.0025,
      },
    },
    examples: [
      [
        "床前明",
        {
          truth: "月",
          guesses: [{ token: "月", probability: 0.612 }, { token: "日", probability: 0.08 }],
        },
        "光，疑是地上",
        {
          truth: "霜",
          guesses: [{ token: "花", probability: 0.11 }, { token: "<霜>", probability: 0.09 }],
        },
        "。",
      ],
    ],
  };
}
