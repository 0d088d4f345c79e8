/**
 * What an ablation is: a claim, the configurations that test it, and what they are asked.
 *
 * @module
 */
import type { MaskSettings } from "../masking/mask_settings.ts";
import type { PretrainConfig } from "../pretrain/config.ts";

/** Perplexity of masked tokens of held-out text, the same tokens for every model. */
export interface TextQuestion {
  /** Heads its column. */
  readonly name: string;
  /** Tokens of a sequence. */
  readonly length: number;
  /** How the text is masked; 15 % of the tokens, by words, 80/10/10, where it says nothing else. */
  readonly mask?: Partial<Pick<MaskSettings, "units" | "policy">>;
}

/** How well held-out titles are ordered, those of the same impressions by every model; higher is better. */
export interface ClickQuestion {
  /** Heads its column. */
  readonly name: string;
  readonly figure: "ndcg_5" | "auc";
}

/** What a trained model is asked. */
export type Question = TextQuestion | ClickQuestion;

/** Is it about titles? */
export function isClicks(question: Question): question is ClickQuestion {
  return "figure" in question;
}

/** Changes of a configuration, as `--set` takes them: `model.scheme=t5`. */
export type Changes = readonly string[];

/** Changes, or a function where they depend on what they change. */
export type ChangesOf = Changes | ((base: PretrainConfig) => Changes);

/** A file of the user's that a variant cannot do without, as the option of the command line that names it. */
export type Need = "synonyms" | "phrases";

/** One of the configurations that are compared. */
export interface Variant {
  readonly name: string;
  /** Against the ablation's own base. */
  readonly changes: ChangesOf;
  /** Only variants of one group are compared with each other. */
  readonly group?: string;
  readonly needs?: Need;
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
  /**
   * What every model learns in the end, against its own configuration, before it is asked about titles; it is asked about text before that.
   * Without it the model stays as it is.
   */
  readonly finish?: ChangesOf;
  /** What the models are asked. */
  readonly questions: readonly Question[];
  /** The columns to show, by name; all questions without. */
  readonly shown?: readonly string[];
  /** The variant that the claim puts first, in every group. */
  readonly claimed: string;
  /** The claim says no more than that it is as good as the best other one. */
  readonly noWorse?: boolean;
  /** Whether perplexity is drawn over the questions' lengths too. */
  readonly overLength?: boolean;
  /** What belongs here and cannot be trained, and why. */
  readonly absent?: readonly string[];
  /** What else a reader has to know. */
  readonly note?: string;
}

/** The questions whose columns are shown, each with a verdict. */
export function shownQuestions({ questions, shown }: Ablation): readonly Question[] {
  return shown ? shown.map((name) => questions.find((q) => q.name === name)!) : questions;
}
