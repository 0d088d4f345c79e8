/**
 * What an ablation is: a claim, the configurations that test it, and what they are asked.
 *
 * @module
 */
import type { MaskSettings } from "../masking/mask_settings.ts";
import type { PretrainConfig } from "../pretrain/config.ts";

/** What a trained model is asked: the perplexity of masked tokens of held-out text, the same tokens for every model. */
export interface Question {
  /** Heads its column. */
  readonly name: string;
  /** Tokens of a sequence. */
  readonly length: number;
  /** How the text is masked; 15 % of the tokens, by words, 80/10/10, where it says nothing else. */
  readonly mask?: Partial<Pick<MaskSettings, "units" | "policy">>;
}

/** Changes of a configuration, as `--set` takes them: `model.scheme=t5`. */
export type Changes = readonly string[];

/** One of the configurations that are compared. */
export interface Variant {
  readonly name: string;
  /** Against the ablation's own base; a function where they depend on its steps. */
  readonly changes: Changes | ((base: PretrainConfig) => Changes);
  /** Only variants of one group are compared with each other. */
  readonly group?: string;
  /** It cannot be trained without this option of the command line. */
  readonly needs?: "synonyms";
}

/** An ablation. */
export interface Ablation {
  /** As `--only` takes it. */
  readonly name: string;
  /** The claim, in one sentence. */
  readonly claim: string;
  /** What all variants share, against the base of all ablations. */
  readonly base: Changes;
  readonly variants: readonly Variant[];
  /** What the models are asked. */
  readonly questions: readonly Question[];
  /** The columns to show, by name; all questions without. */
  readonly shown?: readonly string[];
  /** The variant that the claim puts first, in every group. */
  readonly claimed: string;
  /** Whether perplexity is drawn over the questions' lengths too. */
  readonly overLength?: boolean;
  /** What belongs here and cannot be trained, and why. */
  readonly absent?: readonly string[];
  /** What else a reader has to know. */
  readonly note?: string;
}

/** The questions whose columns are shown; by the first of them the claim is judged. */
export function shownQuestions({ questions, shown }: Ablation): readonly Question[] {
  return shown ? shown.map((name) => questions.find((q) => q.name === name)!) : questions;
}
