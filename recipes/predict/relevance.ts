/**
 * How well titles fit a query, by what was learnt from clicks.
 *
 * A score is the logit of the click head. Greater is better; differences of one query's titles mean something, and under the pointwise
 * loss σ(score) is the probability of a click on what is looked at.
 *
 * @module
 */
import { answers, type Asking, type Question, type Tools } from "./question.ts";
import { refuse, textRow } from "./row.ts";

/** A query, and titles that may answer it. */
export interface Shortlist {
  readonly query: string;
  readonly titles: readonly string[];
}

/** The question. The answer has a score for every title, in their order. */
export const relevanceOf: Question<Shortlist, readonly number[]> = {
  ask: "relevance",
  rows(facts, { query, titles }, { truncate, name }) {
    const at = name === "" ? "" : `${name}.`;
    if (query.trim() === "") refuse(`${at}query`, "it is empty");
    return titles.map((title, i) =>
      textRow(facts, { truncate, name: `${at}titles[${i}]` }, query, title)
    );
  },
  answer: (_, __, outputs) => outputs.map(([score]) => score!),
};

/** Scores of titles. Shapes: [N] titles -> [N]. */
export async function relevance(
  tools: Tools,
  query: string,
  titles: readonly string[],
  asking?: Asking,
): Promise<readonly number[]> {
  const [scores] = await answers(relevanceOf, tools, [{ query, titles }], asking, () => "");
  return scores!;
}
