/**
 * Texts as vectors.
 *
 * The vector of a text is the mean of its tokens' last hidden states, those of [CLS] and [SEP] among them, divided by its length: the
 * dot product of two is the cosine of their angle. [CLS] alone means something only to a head that has learnt from it.
 *
 * @module
 */
import { answers, type Asking, type Question, type Tools } from "./question.ts";
import { textRow } from "./row.ts";

/** The question. The answer has the model's width. */
export const embedding: Question<string, Float32Array> = {
  ask: "embed",
  rows: (facts, text, reading) => [textRow(facts, reading, text)],
  answer: (_, __, [vector]) => vector!,
};

/** Vectors of length 1. Shapes: [N] texts -> [N][C]. */
export function embed(
  tools: Tools,
  texts: readonly string[],
  asking?: Asking,
): Promise<readonly Float32Array[]> {
  return answers(embedding, tools, texts, asking);
}
