/**
 * Answers to the lines of a file, in their order: a line of JSON for each.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { type Fail, type Fields, jsonObject, textOf } from "../clue/fields.ts";
import type { AnyForm, FormSettings } from "./forms.ts";
import type { Facts } from "./model_source.ts";
import { LONGEST_LINE, type NumberedLine } from "./numbered_lines.ts";
import { answersTo, type Tools } from "./question.ts";
import type { Row } from "./row.ts";

/** How lines are read. */
export interface LineOptions extends FormSettings {
  /** What the file is called in messages. */
  readonly source: string;
  /** Lines are objects of JSON; else each is a text. */
  readonly json: boolean;
  readonly truncate: boolean;
  /** Lines that cannot be read are answered by `{"error"}` and go on; else the first one ends it. */
  readonly skipBad: boolean;
}

/** Some answers, and how far they go. */
export interface Answered {
  /** Lines of JSON. */
  readonly lines: readonly string[];
  readonly bad: number;
  readonly tokens: number;
}

/** Lines and tokens that are asked at once: enough to find others of about the same length, little enough to show progress. */
const LINES = 1024, TOKENS = 32_768;

type Read =
  | { readonly id: Fields; readonly input: unknown; readonly rows: readonly Row[] }
  | { readonly id: Fields; readonly error: string };

const fail: Fail = (why) => {
  throw new InputError(why);
};

function read(
  form: AnyForm,
  facts: Facts,
  { number, text }: NumberedLine,
  { source, json, truncate, skipBad, top }: LineOptions,
): Read {
  let id: Fields = {};
  try {
    if (text === undefined) fail(`it has more than ${LONGEST_LINE} characters`);
    const settings = { top };
    let input: unknown;
    if (json) {
      const object = jsonObject(text!, fail);
      if (object.id !== undefined) id = { id: object.id };
      input = form.ofObject(object, fail, settings);
    } else input = form.ofText!(textOf(text, "it", fail), settings);
    const rows = form.question.rows(facts, input, { truncate, name: "" });
    return { id, input, rows };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const why = error.message.replace(/^Cannot read (\S*): /, (_, what) => what && `${what}: `);
    if (skipBad) return { id, error: why };
    throw new InputError(
      `Cannot read ${source}: line ${number}: ${why}; mend it, or go on after such lines with --skip-bad`,
    );
  }
}

/**
 * Answers line after line, some at once.
 *
 * @throws InputError at the first line that cannot be read, unless such lines are skipped.
 */
export async function* predictLines(
  form: AnyForm,
  tools: Tools,
  lines: AsyncIterable<NumberedLine>,
  options: LineOptions,
): AsyncGenerator<Answered, void, unknown> {
  let open: Read[] = [], tokens = 0;
  async function answered(): Promise<Answered> {
    const all = open, good = all.filter((one) => "rows" in one), count = tokens;
    [open, tokens] = [[], 0];
    const answers = await answersTo(
      form.question,
      tools,
      good.map(({ input }) => input),
      good.map(({ rows }) => rows),
    );
    let at = 0;
    const fieldsOf = (one: Read): Fields =>
      "rows" in one ? form.output(answers[at++]) : { error: one.error };
    return {
      lines: all.map((one) => JSON.stringify({ ...one.id, ...fieldsOf(one) })),
      bad: all.length - good.length,
      tokens: count,
    };
  }
  for await (const line of lines) {
    const one = read(form, tools.facts, line, options);
    open.push(one);
    if ("rows" in one) tokens += one.rows.reduce((sum, { ids }) => sum + ids.length, 0);
    if (open.length >= LINES || tokens >= TOKENS) yield await answered();
  }
  if (open.length > 0) yield await answered();
}
