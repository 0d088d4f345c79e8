/**
 * `@std/cli` over `node:util`: std's names and signatures, as far as they are used.
 *
 * @module
 */
import { parseArgs as parseTokens } from "node:util";

/** What {@linkcode parseArgs} is told about the options. */
export interface ParseOptions<
  B extends string = string,
  S extends string = string,
  C extends string = string,
> {
  /** Options without a value. */
  readonly boolean?: readonly B[];
  /** Options with a value, kept as text. */
  readonly string?: readonly S[];
  /** Options that may come more than once, as a list. */
  readonly collect?: readonly C[];
  /** Booleans that `--no-NAME` turns off. */
  readonly negatable?: readonly string[];
  /** Other names of an option. */
  readonly alias?: { readonly [name: string]: string | readonly string[] };
  /** Values of options that are not given. */
  readonly default?: { readonly [name: string]: unknown };
  /** Called with each argument that is not declared; `false` leaves it out of the result. */
  readonly unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** What {@linkcode parseArgs} found. */
export type Args<
  B extends string = string,
  S extends string = string,
  C extends string = string,
> =
  & { readonly [K in Exclude<B, C>]: boolean }
  & { readonly [K in Exclude<S, C>]?: string }
  & { readonly [K in Extract<S, C>]: readonly string[] }
  & { readonly _: readonly string[] };

/** Splits a command line into options and positional arguments (kept as text). */
export function parseArgs<
  const B extends string = never,
  const S extends string = never,
  const C extends string = never,
>(args: readonly string[], options: ParseOptions<B, S, C> = {}): Args<B, S, C> {
  const declared = declare(options);
  const { tokens } = parseTokens({
    args: [...args],
    options: declared.tokens,
    strict: false,
    allowPositionals: true,
    allowNegative: (options.negatable?.length ?? 0) > 0,
    tokens: true,
  });
  const collected = new Set<string>(options.collect ?? []);
  const found: Record<string, unknown> = { _: [] };
  for (const name of options.boolean ?? []) found[name] = false;
  for (const name of collected) found[name] = [];
  Object.assign(found, options.default);
  const given = new Set<string>();
  const positional = found._ as string[];
  for (const token of tokens) {
    if (token.kind === "positional") {
      if (options.unknown?.(token.value) !== false || args.includes("--")) {
        positional.push(token.value);
      }
    }
    if (token.kind !== "option") continue;
    const name = declared.canonical.get(token.name) ?? token.name;
    const negative = token.rawName.startsWith("--no-") && !token.name.startsWith("no-");
    const refused = negative && !options.negatable?.includes(name);
    const text = declared.strings.has(name);
    const value = text ? token.value ?? "" : negative ? false : token.value ?? true;
    if (refused || !declared.known.has(name)) {
      if (options.unknown?.(token.rawName, name, value) === false) continue;
    }
    const before = given.has(name) ? found[name] as unknown[] : [];
    found[name] = collected.has(name) ? [...before, value] : value;
    given.add(name);
  }
  return found as Args<B, S, C>;
}

function declare(options: ParseOptions) {
  const strings = new Set(options.string), booleans = new Set(options.boolean);
  const canonical = new Map<string, string>();
  const short = new Map<string, string>();
  for (const [name, others] of Object.entries(options.alias ?? {})) {
    for (const other of typeof others === "string" ? [others] : others) {
      canonical.set(other, name);
      if (other.length === 1) short.set(name, other);
    }
  }
  const known = new Set([...strings, ...booleans]);
  const tokens: Record<string, { type: "string" | "boolean"; short?: string }> = {};
  for (const name of [...known, ...canonical.keys()]) {
    if (name.length === 1 && canonical.has(name)) continue;
    const type = strings.has(canonical.get(name) ?? name) ? "string" : "boolean";
    const letter = short.get(name);
    tokens[name] = letter ? { type, short: letter } : { type };
  }
  return { strings, known, canonical, tokens };
}
