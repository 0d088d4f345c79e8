/**
 * What the JSON of a request must be: each shape is a check and the JSON Schema that says the same, made together, so that what
 * `/openapi.json` promises is what is held.
 *
 * @module
 */
import { suggestion } from "../cli/nearest.ts";
import { isRecord } from "../cli/schema.ts";
import { HttpError } from "./http_error.ts";

/** A JSON Schema, as OpenAPI 3.1 takes it. */
export type Schema = Readonly<Record<string, unknown>>;

/** A check of a value that stands at a path ("" is the whole body), and its schema. */
export interface Shape<T> {
  readonly check: (value: unknown, path: string) => T;
  readonly schema: Schema;
}

/** The type that a shape gives. */
export type ValueOf<S> = S extends Shape<infer T> ? T : never;

function refuse(value: unknown, path: string, demand: string): never {
  const text = JSON.stringify(value) ?? "missing";
  const shown = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  throw new HttpError(400, `${path || "the body"} is ${shown}, it must be ${demand}`);
}

/** Text that is not empty and holds whole characters: no half of a pair of UTF-16. */
export const text: Shape<string> = {
  check: (value, path) =>
    typeof value === "string" && value !== "" && value.isWellFormed()
      ? value
      : refuse(value, path, "text that is not empty, of whole characters"),
  schema: { type: "string", minLength: 1, pattern: "^\\P{Cs}*$" },
};

/** true or false. */
export const flag: Shape<boolean> = {
  check: (value, path) => typeof value === "boolean" ? value : refuse(value, path, "true or false"),
  schema: { type: "boolean" },
};

/** A whole number. */
export function whole(min: number, max: number): Shape<number> {
  return {
    check: (value, path) =>
      Number.isInteger(value) && value as number >= min && value as number <= max
        ? value as number
        : refuse(value, path, `a whole number from ${min} to ${max}`),
    schema: { type: "integer", minimum: min, maximum: max },
  };
}

/** One of some words. */
export function oneOf<const N extends string>(...names: readonly N[]): Shape<N> {
  return {
    check: (value, path) =>
      names.includes(value as N) ? value as N : refuse(value, path, names.join(" or ")),
    schema: { type: "string", enum: names },
  };
}

/** A list of something. */
export function list<T>(item: Shape<T>, min: number, max: number): Shape<readonly T[]> {
  return {
    check(value, path) {
      if (!Array.isArray(value)) return refuse(value, path, "a list");
      if (value.length < min || value.length > max) {
        throw new HttpError(
          400,
          `${path} has ${value.length} items, it must have ${min} to ${max}`,
        );
      }
      return value.map((one, i) => item.check(one, `${path}[${i}]`));
    },
    schema: { type: "array", items: item.schema, minItems: min, maxItems: max },
  };
}

/** Two of something. */
export function pairOf<T>(item: Shape<T>): Shape<readonly [T, T]> {
  const { check, schema } = list(item, 2, 2);
  return { check: (value, path) => check(value, path) as readonly [T, T], schema };
}

/** A list, or what else is not one. */
export function listOr<A, B>(many: Shape<A>, one: Shape<B>): Shape<A | B> {
  return {
    check: (value, path) => Array.isArray(value) ? many.check(value, path) : one.check(value, path),
    schema: { anyOf: [many.schema, one.schema] },
  };
}

/** Fields of an object: those that must be there, and those that may. */
export function object<R extends object, O extends object = Record<never, never>>(
  required: { readonly [K in keyof R]: Shape<R[K]> },
  optional: { readonly [K in keyof O]: Shape<O[K]> } = {} as never,
): Shape<R & { readonly [K in keyof O]?: O[K] }> {
  const fields: Readonly<Record<string, Shape<unknown>>> = { ...required, ...optional };
  const names = Object.keys(fields), needed = Object.keys(required);
  return {
    check(value, path) {
      if (!isRecord(value)) return refuse(value, path, `an object with ${needed.join(" and ")}`);
      const under = (name: string): string => path === "" ? name : `${path}.${name}`;
      for (const name of Object.keys(value)) {
        if (names.includes(name)) continue;
        const advice = suggestion(name, names, `known are ${names.join(", ")}`);
        throw new HttpError(400, `${JSON.stringify(under(name))} is unknown; ${advice}`);
      }
      const missing = needed.find((name) => !Object.hasOwn(value, name));
      if (missing !== undefined) throw new HttpError(400, `${under(missing)} is missing`);
      return Object.fromEntries(
        Object.keys(value).map((name) => [name, fields[name]!.check(value[name], under(name))]),
      ) as never;
    },
    schema: {
      type: "object",
      properties: Object.fromEntries(names.map((name) => [name, fields[name]!.schema])),
      required: needed,
      additionalProperties: false,
    },
  };
}
