/**
 * Position schemes: which helps on short text, which on long, and which on text longer than any that it was trained on.
 *
 * @module
 */
import type { PositionName } from "../../pretrain/positions.ts";
import type { Ablation, Question, Variant } from "../ablation.ts";

/** The longest text that is asked about. */
const LONGEST = 1024;

const names: readonly PositionName[] = [
  "none",
  "absolute",
  "shaw",
  "nezha",
  "t5",
  "xlnet",
  "deberta",
  "tener",
  "tupe",
  "motian",
];

const variants = names.map((name): Variant => ({
  name,
  changes: [`model.scheme=${name}`, ...name === "absolute" ? [`model.maxLength=${LONGEST}`] : []],
}));

/** A question at a length. */
const at = (length: number): Question => ({ name: `${length} tokens`, length });

/** Both ablations on long text ask all of this: their cells are the same ones, trained once. */
const asked = [24, 128, 256, 512, LONGEST].map(at);
const long = ["data.length=128", "data.batch=16", "data.microBatch=16"];

/** Titles: 24 tokens. As many tokens a step as on long text. */
export const positionsShort: Ablation = {
  name: "positions-short",
  claim: "Motian's positions suit short text better than the schemes that they combine.",
  base: ["data.length=24", "data.batch=84", "data.microBatch=84"],
  variants,
  questions: [at(24)],
  claimed: "motian",
};

/** Windows of 128 tokens. */
export const positionsLong: Ablation = {
  name: "positions-long",
  claim: "Motian's positions are no worse on long text either.",
  base: long,
  variants,
  questions: asked,
  shown: ["128 tokens", "24 tokens"],
  claimed: "motian",
  noWorse: true,
};

/** Trained on 128 tokens, asked at up to 1,024. */
export const extrapolation: Ablation = {
  name: "extrapolation",
  claim: "What was trained on 128 tokens reads 1,024: relative positions go on, others do not.",
  base: long,
  variants,
  questions: asked,
  shown: ["1024 tokens", "512 tokens", "256 tokens", "128 tokens"],
  claimed: "motian",
  overLength: true,
  note: "Longer windows hold more documents, not longer ones, where documents are short. " +
    "absolute has rows for all positions, those beyond 128 untrained; tupe has 512 positions and no more.",
};
