/**
 * Texts, or pairs of texts, in the classes of a task that was learnt.
 *
 *     p(k) = softmax(scores + biases)_k
 *
 * The biases are those that were chosen on the dev split, where the task's metric asks for them (macro-F1); else they are 0. The label
 * is the most probable class under them.
 *
 * @module
 */
import { answerOf } from "../clue/metrics/class_biases.ts";
import { answers, type Asking, type Question, type Tools } from "./question.ts";
import { refuse, textRow } from "./row.ts";

/** A text, or a pair. */
export type TextOrPair = string | readonly [first: string, second: string];

/** A class, and how probable each is. */
export interface Classified {
  readonly label: string;
  readonly probabilities: Readonly<Record<string, number>>;
}

/** The question. */
export const classified: Question<TextOrPair, Classified> = {
  ask: "classify",
  rows(facts, input, reading) {
    const [first, second] = typeof input === "string" ? [input] : input;
    const { task, texts } = facts.classes!, given = second === undefined ? 1 : 2;
    if (given !== texts) {
      refuse(
        reading.name,
        texts === 2
          ? `it is one text, ${task} reads pairs: give [first, second]`
          : `it is a pair, ${task} reads single texts`,
      );
    }
    return [textRow(facts, reading, first!, second)];
  },
  answer({ classes }, _, [scores]) {
    const { labels, biases } = classes!;
    const sums = labels.map((_, k) => scores![k]! + (biases[k] ?? 0)), top = Math.max(...sums);
    const parts = sums.map((sum) => Math.exp(sum - top));
    const total = parts.reduce((sum, part) => sum + part, 0);
    return {
      label: labels[answerOf(scores!, biases)]!,
      probabilities: Object.fromEntries(labels.map((label, k) => [label, parts[k]! / total])),
    };
  },
};

/** The classes of texts or pairs. */
export function classify(
  tools: Tools,
  texts: readonly TextOrPair[],
  asking?: Asking,
): Promise<readonly Classified[]> {
  return answers(classified, tools, texts, asking);
}
