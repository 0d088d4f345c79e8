/**
 * C3: which of up to four choices answers a question about a dialogue (files "d") or another text (files "m")?
 *
 * Each choice is read in a row of its own, `[CLS] text [SEP] question [SEP] choice [SEP]`. Where there are fewer than four, empty rows stand
 * for the rest, which are never chosen.
 *
 * Source: Sun et al. 2020 (arXiv 1904.09679); https://github.com/nlpdata/c3, and CLUE's baseline for rows.
 *
 * @module
 */
import { defaults } from "../defaults.ts";
import { isRecord } from "../../cli/schema.ts";
import type { DocumentForm } from "../document.ts";
import { type Fail, field, idOf, listOf, textOf } from "../fields.ts";
import { choice } from "../heads/choice.ts";
import { accuracy } from "../metrics/accuracy.ts";
import { answerOf } from "../metrics/class_biases.ts";
import type { AnswerId } from "../submission.ts";
import { type Task, task } from "../task.ts";
import { type Choices, type Chosen, chosenOf, type TaskQuestion } from "../task_questions.ts";
import type { Tokenizer } from "../../text/tokenize.ts";
import { type Row, rowOfAll, type Unit } from "../unit.ts";

/** A question about a text. */
interface Question {
  readonly id: AnswerId;
  readonly text: string;
  readonly choices: readonly string[];
  /** The right choice; undefined where it is hidden. */
  readonly answer?: number;
}

/** A text and all its questions. */
interface Text {
  readonly id: string;
  readonly text: string;
  readonly questions: readonly Question[];
}

/** Choices of a question, at most. */
const CHOICES = 4;

const document: DocumentForm = {
  records: (value, fail) =>
    listOf(value, "it", fail).map((record, i) => [`record ${i + 1}`, record] as const),
  around: ["[", "]"],
};

function questionOf(value: unknown, id: string, failed: Fail): Question {
  const object = isRecord(value) ? value : failed("a question is no object");
  const text = field(object, "question", failed);
  const fail: Fail = (why) => failed(`question ${JSON.stringify(text)}: ${why}`);
  const choices = listOf(object.choice, '"choice"', fail).map((one, i) =>
    textOf(one, `choice ${i + 1}`, fail)
  );
  if (choices.length < 2 || choices.length > CHOICES) {
    fail(`it has ${choices.length} choices, it must have 2 to ${CHOICES}`);
  }
  // Training files give questions no number.
  const own = { id: idOf(object, fail) ?? id, text, choices };
  if (object.answer === undefined || object.answer === "") return own;
  const answer = choices.indexOf(field(object, "answer", fail));
  if (answer < 0) fail(`its answer ${JSON.stringify(object.answer)} is not among its choices`);
  return { ...own, answer };
}

/** A question with each of its choices, in tokens. */
function partsOf(
  { encode }: Tokenizer,
  question: string,
  choices: readonly string[],
): readonly (readonly [question: readonly number[], choice: readonly number[]])[] {
  const asked = encode(question).ids;
  return choices.map((one) => [asked, encode(one).ids]);
}

/** A question about any text. */
const choose: TaskQuestion<Choices, Chosen> = {
  rows({ text, question, choices }, { tokenizer, length, refuseLong, refuse }) {
    if (question === undefined) return refuse('it has no "question"');
    if (choices.length < 2 || choices.length > CHOICES) {
      refuse(`it has ${choices.length} choices, it must have 2 to ${CHOICES}`);
    }
    const context = tokenizer.encode(text).ids;
    const all = partsOf(tokenizer, question, choices).map((part) => [context, ...part]);
    if (all.flat().some((part) => part.length === 0)) refuse("it holds an empty text");
    const counts = all.map((parts) => parts.reduce((sum, part) => sum + part.length + 1, 1));
    refuseLong("it", Math.max(...counts), length);
    return all.map((parts) => rowOfAll(tokenizer.vocabulary, length, parts));
  },
  answer: chosenOf,
};

const made = task<Text, readonly number[]>({
  name: "c3",
  about: "the choice that answers a question about a dialogue or a text",
  files: {
    train: ["c3-{d,m}-train.json", "{d,m}-train.json", "train.json"],
    dev: ["c3-{d,m}-dev.json", "{d,m}-dev.json", "dev.json"],
    test: ["test1.1.json", "c3-{d,m}-test.json", "{d,m}-test.json", "test1.0.json", "test.json"],
  },
  document,
  submits: { as: "c311", files: { "test1.0.json": "c310" } },
  defaults: defaults.c3,
  head: choice(CHOICES),
  parse(record, fail) {
    const [lines, questions, id] = listOf(JSON.parse(record), "it", fail);
    const name = typeof id === "string" || typeof id === "number"
      ? String(id)
      : fail("it has no id");
    const texts = listOf(lines, "its text", fail).map((line) => textOf(line, "a line of it", fail));
    const asked = listOf(questions, "its list of questions", fail);
    if (texts.length === 0 || asked.length === 0) fail("it has no text or no question");
    const found = asked.map((one, i) => questionOf(one, `${name}/${i + 1}`, fail));
    const [hidden, shown] = [true, false].map((is) =>
      found.find(({ answer }) => (answer === undefined) === is)
    );
    if (hidden && shown) fail(`question ${JSON.stringify(hidden.text)} has no answer, others have`);
    return { id: name, text: texts.join("\n"), questions: found };
  },
  id: ({ questions }) => questions.map(({ id }) => id),
  labelled: ({ questions }) => questions[0]!.answer !== undefined,
  group: ({ text }) => text,
  units({ text, questions }, tokenizer, length) {
    const context = tokenizer.encode(text).ids, { cls } = tokenizer.vocabulary;
    return questions.map(({ text, choices, answer }): Unit => {
      const parts = partsOf(tokenizer, text, choices), none: Row = { ids: [cls], segments: [0] };
      return {
        // Made when asked for: all of them at once would be hundreds of megabytes.
        get rows(): readonly Row[] {
          const own = parts.map((part) =>
            rowOfAll(tokenizer.vocabulary, length, [context, ...part])
          );
          return [...own, ...Array<Row>(CHOICES - own.length).fill(none)];
        },
        target: answer === undefined ? [] : [answer],
      };
    });
  },
  decode: (_, outputs) => outputs.map((scores) => answerOf(scores)),
  judge: (texts, answers) => ({
    accuracy: accuracy(
      answers.flat(),
      texts.flatMap(({ questions }) => questions.map(({ answer }) => answer!)),
    ),
  }),
  line: ({ questions }, answers) =>
    questions.map(({ id }, i) => JSON.stringify({ id, label: answers[i] })),
  fault({ questions }, { id, label }) {
    const count = questions.find((one) => one.id === id)?.choices.length ?? CHOICES;
    if (Number.isInteger(label) && label as number >= 0 && label as number < count) {
      return undefined;
    }
    return `label is ${JSON.stringify(label)}, it must be a whole number from 0 to ${count - 1}`;
  },
});

/** The task. Every example is a text with all its questions. */
export const c3: Task = { ...made, questions: { choose } };
