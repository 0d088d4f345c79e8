/**
 * Fields of a line of JSON, checked.
 *
 * @module
 */
import { isRecord } from "../cli/schema.ts";

/** Refuses a line. */
export type Fail = (why: string) => never;

/** The object in a line. */
export function jsonObject(line: string, fail: Fail): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    fail("it is no JSON");
  }
  return isRecord(value) ? value : fail("it is no object");
}

/** A text that must be there and say something. */
export function field(object: Readonly<Record<string, unknown>>, name: string, fail: Fail): string {
  const value = object[name];
  if (value === undefined) fail(`it has no "${name}"`);
  if (typeof value !== "string") fail(`"${name}" is ${JSON.stringify(value)}, it must be text`);
  const text = value as string;
  if (text.trim() === "") fail(`"${name}" is empty`);
  if (!text.isWellFormed()) fail(`"${name}" holds half a character (a lone surrogate)`);
  return text;
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
  if (found < 0) fail(`label is ${JSON.stringify(value)}, it must be one of ${labels.join(", ")}`);
  return found;
}
