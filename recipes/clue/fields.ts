/**
 * Fields of a line of JSON, checked.
 *
 * @module
 */
import { isRecord } from "../cli/schema.ts";

/** Refuses a line. */
export type Fail = (why: string) => never;

/** The object in a line. */
export type Fields = Readonly<Record<string, unknown>>;

/** A value in a message: not more of it than says which it is. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** The object in a line. */
export function jsonObject(line: string, fail: Fail): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    fail("it is no JSON, as one whole object must stand on a line");
  }
  return isRecord(value) ? value : fail("it is no object");
}

/** Some text, checked; `name` is what it is called. */
export function textOf(value: unknown, name: string, fail: Fail): string {
  if (typeof value !== "string") fail(`${name} is ${shown(value)}, it must be text`);
  const text = value as string;
  if (text.trim() === "") fail(`${name} is empty`);
  if (!text.isWellFormed()) fail(`${name} holds half a character (a lone surrogate)`);
  return text;
}

/** A text that must be there and say something. */
export function field(object: Fields, name: string, fail: Fail): string {
  if (object[name] === undefined) fail(`it has no "${name}"`);
  return textOf(object[name], `"${name}"`, fail);
}

/** Where an example stands among the others: a whole number, or some other text; undefined where none is given. */
export function idOf(object: Fields, fail: Fail): number | string | undefined {
  // FewCLUE writes "0" where its submissions say 0; CLUEWSC2020 has its own word.
  const value = object.id ?? object.idx;
  if (value === undefined) return undefined;
  if (typeof value === "string" && value.trim() !== "") {
    return /^(0|[1-9]\d{0,14})$/.test(value) ? Number(value) : textOf(value, "id", fail);
  }
  if (Number.isSafeInteger(value) && value as number >= 0) return value as number;
  return fail(`id is ${shown(value)}, it must be a whole number or text`);
}

/** "a, b and c" of labels, or the ends of many. */
export function labelList(labels: readonly string[]): string {
  if (labels.length <= 20) return labels.join(", ");
  return `${labels[0]}, ${labels[1]}, …, ${labels.at(-1)}`;
}

/** The number of a label; undefined where there is none. */
export function labelOf(
  value: unknown,
  labels: readonly string[],
  fail: Fail,
): number | undefined {
  if (value === undefined) return undefined;
  const text = typeof value === "number" ? String(value) : value;
  const found = labels.indexOf(text as string);
  if (found < 0) fail(`label is ${shown(value)}, it must be one of ${labelList(labels)}`);
  return found;
}

/** Fields that only the named tasks have: they tell files of the same form apart. */
const TELLING: Readonly<Record<string, string>> = {
  label_desc: "tnews",
  keywords: "tnews",
  label_des: "iflytek",
  genre: "ocnli",
  prem_id: "ocnli",
  target: "cluewsc",
  abst: "csl",
  keyword: "csl",
  query: "qbqtc",
  title: "qbqtc",
  candidates: "chid",
};

/** Refuses what another task's files have, and this task's never: fields that are alike would be learnt all the same. */
export function refuseOthers(object: Fields, task: string, fail: Fail): void {
  const other = Object.keys(TELLING).find((name) =>
    Object.hasOwn(object, name) && TELLING[name] !== task
  );
  if (other !== undefined) fail(`it has "${other}", as files of ${TELLING[other]} have`);
}
