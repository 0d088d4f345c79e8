/**
 * Checks data that comes from outside, such as a configuration file, and says in one line what is wrong and where.
 *
 * @module
 */
import { InputError } from "./input_error.ts";
import { anyOf, suggestion } from "./nearest.ts";

/** Where a value stands: in which file or other source, and at which path in it ("" is the whole). */
export interface Place {
  readonly source: string;
  readonly path: string;
}

/** Gives the value with its type, or throws an InputError. */
export type Check<T> = (value: unknown, at: Place) => T;

function refuse(value: unknown, { source, path }: Place, demand: string): never {
  const text = JSON.stringify(value) ?? String(value);
  const shown = text.length > 60 ? text.slice(0, 57) + "..." : text;
  throw new InputError(`Cannot use ${source}: ${path || "it"} is ${shown}, it must be ${demand}`);
}

/** A whole number from `min` to `max`. */
export function whole(min: number, max: number = Number.MAX_SAFE_INTEGER): Check<number> {
  const range = max < Number.MAX_SAFE_INTEGER ? `from ${min} to ${max}` : `of at least ${min}`;
  return (value, at) =>
    Number.isInteger(value) && value as number >= min && value as number <= max
      ? value as number
      : refuse(value, at, `a whole number ${range}`);
}

/** A number in [min, max), or in [min, max] if `closed`. */
export function between(min: number, max: number, closed = false): Check<number> {
  return (value, at) =>
    typeof value === "number" && value >= min && (value < max || closed && value === max)
      ? value
      : refuse(value, at, `a number from ${min} to ${closed ? "" : "under "}${max}`);
}

/** A number above 0. */
export const positive: Check<number> = (value, at) =>
  typeof value === "number" && value > 0 && value < Infinity
    ? value
    : refuse(value, at, "a number above 0");

/** Text that is not empty. */
export const text: Check<string> = (value, at) =>
  typeof value === "string" && value !== "" ? value : refuse(value, at, "text");

/** true or false. */
export const flag: Check<boolean> = (value, at) =>
  typeof value === "boolean" ? value : refuse(value, at, "true or false");

/** What another check takes, or null. */
export function orNull<T>(check: Check<T>): Check<T | null> {
  return (value, at) => value === null ? null : check(value, at);
}

/** A list of what another check takes. */
export function listOf<T>(check: Check<T>): Check<readonly T[]> {
  return (value, at) =>
    Array.isArray(value)
      ? value.map((one, i) => check(one, { source: at.source, path: `${at.path}[${i}]` }))
      : refuse(value, at, "a list");
}

/** One of some names. */
export function oneOf<const N extends string>(names: readonly N[]): Check<N> {
  return (value, at) =>
    names.includes(value as N) ? value as N : refuse(value, at, anyOf(names.map((n) => `"${n}"`)));
}

/** A record with exactly these fields. */
export function record<T extends object>(
  fields: { readonly [K in keyof T]-?: Check<T[K]> },
): Check<T> {
  const names = Object.keys(fields);
  return (value, at) => {
    if (!isRecord(value)) return refuse(value, at, `an object with ${names.join(", ")}`);
    const under = (name: string): Place => ({
      source: at.source,
      path: at.path ? `${at.path}.${name}` : name,
    });
    for (const name of Object.keys(value)) {
      if (names.includes(name)) continue;
      throw new InputError(
        `Cannot use ${at.source}: ${under(name).path} is unknown; ${
          suggestion(name, names, `known are ${names.join(", ")}`)
        }`,
      );
    }
    const entries = names.map((name) => {
      if (value[name] !== undefined) {
        return [name, fields[name as keyof T](value[name], under(name))];
      }
      throw new InputError(`Cannot use ${at.source}: ${under(name).path} is missing`);
    });
    return Object.fromEntries(entries) as T;
  };
}

/** Is this an object with fields, as JSON has them? */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `base` with what `changes` says otherwise, field by field, at any depth. */
export function overridden(base: unknown, changes: unknown): unknown {
  if (changes === undefined) return base;
  if (!isRecord(base) || !isRecord(changes)) return changes;
  const names = new Set([...Object.keys(base), ...Object.keys(changes)]);
  return Object.fromEntries(
    Array.from(names, (name) => [name, overridden(base[name], changes[name])]),
  );
}
