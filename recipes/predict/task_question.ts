/**
 * Questions that a task's own file answers: names in a text, the part of a text that answers a question, one of some choices.
 *
 * @module
 */
import type {
  Asked,
  Choices,
  Chosen,
  Entity,
  FoundAnswer,
  RowRoom,
  TaskQuestions,
} from "../clue/task_questions.ts";
import type { Facts } from "./model_source.ts";
import { answers, type Asking, type Question, type Tools } from "./question.ts";
import { type Reading, refuse } from "./row.ts";

/** Rows that one text may take: texts of any length are read in parts or in windows. */
export const MOST_ROWS = 128;

type Kind = keyof TaskQuestions;
type Own<K extends Kind> = NonNullable<TaskQuestions[K]>;

const roomOf = ({ tokenizer, limit }: Facts, { truncate, name }: Reading): RowRoom => ({
  tokenizer,
  length: limit,
  refuse: (why) => refuse(name, why),
  refuseLong(what, tokens, most) {
    if (truncate || tokens <= most) return;
    refuse(
      name,
      `${what} has ${tokens} tokens, the limit is ${most}; shorten it, or ask for it to be cut (truncate)`,
    );
  },
});

function questionOf<I, A>(kind: Kind): Question<I, A> {
  const own = ({ questions }: Facts): { rows: Own<Kind>["rows"]; answer: Own<Kind>["answer"] } =>
    questions![kind]!;
  return {
    ask: kind,
    rows(facts, input, reading) {
      const rows = own(facts).rows(input as never, roomOf(facts, reading));
      if (rows.length === 0) refuse(reading.name, "it holds an empty text");
      if (rows.length > MOST_ROWS) {
        refuse(
          reading.name,
          `it takes ${rows.length} rows of ${facts.limit} tokens, the limit is ${MOST_ROWS}; cut it in pieces`,
        );
      }
      return rows;
    },
    answer: (facts, input, outputs) => {
      const { tokenizer, limit } = facts;
      return own(facts).answer(input as never, outputs, { tokenizer, length: limit }) as A;
    },
  };
}

/** Names in a text of any length, in their order. */
export const entitiesIn: Question<string, readonly Entity[]> = questionOf("entities");
/** The part of a text of any length that answers a question. */
export const answerIn: Question<Asked, FoundAnswer | null> = questionOf("answer");
/** One of some choices, for a question about a text or for the blank in it. */
export const choiceOf: Question<Choices, Chosen> = questionOf("choose");

/** Names in texts. */
export function entities(
  tools: Tools,
  texts: readonly string[],
  asking?: Asking,
): Promise<readonly (readonly Entity[])[]> {
  return answers(entitiesIn, tools, texts, asking);
}

/** Answers to questions, each out of its own text; null where no part of it can be one. */
export function answer(
  tools: Tools,
  asked: readonly Asked[],
  asking?: Asking,
): Promise<readonly (FoundAnswer | null)[]> {
  return answers(answerIn, tools, asked, asking);
}

/** Choices. */
export function choose(
  tools: Tools,
  asked: readonly Choices[],
  asking?: Asking,
): Promise<readonly Chosen[]> {
  return answers(choiceOf, tools, asked, asking);
}
