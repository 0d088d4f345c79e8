/**
 * What a run says of itself at its end.
 *
 * @module
 */
import type { RankTimes } from "../observe/stragglers.ts";
import type { Adaptation } from "./adaptation.ts";
import type { ClickEvaluation } from "./click_task.ts";

/** What a run reached; the last object of `--json`. Held-out values are null where the configuration does not evaluate. */
export interface Summary {
  readonly mlm_ppl: number | null;
  readonly unigram_ppl: number | null;
  /** mlm_ppl / unigram_ppl. */
  readonly ratio: number | null;
  readonly accuracy: number | null;
  readonly steps: number;
  /** How often the run diverged and went back to a checkpoint. */
  readonly rollbacks: number;
  readonly elapsed_s: number;
  readonly peak_rss_mib: number;
  /** The share of the time of the steps that the loop waited for input. */
  readonly stall_share: number;
  /** Figures of held-out clicks, where they are learnt; `simulated` where the log is made up. */
  readonly clicks: (ClickEvaluation & { readonly simulated: boolean }) | null;
  readonly device: string;
  readonly params: number;
  readonly vocabulary: number;
  readonly unk_share: number;
  /** What became of the model that the run began with; null where it began with chance, or does not evaluate. */
  readonly adaptation: Adaptation | null;
  readonly processes?: readonly RankTimes[];
  readonly out: string;
}
