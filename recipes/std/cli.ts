/**
 * `@std/cli`: std's names and signatures, as far as they are used. `node:util` has a `parseArgs`
 * too, but a text option there takes the option after it as its value, and Deno's has no negation.
 *
 * @module
 */

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
  B extends string,
  S extends string,
  C extends string,
> =
  & { readonly [K in Exclude<B, C>]: boolean }
  & { readonly [K in Exclude<S, C>]?: string }
  & { readonly [K in Extract<S, C>]: readonly string[] }
  & { readonly _: readonly string[] };

/**
 * Splits a command line into options and positional arguments. Two differences from std:
 * positional arguments stay text, and options that are not declared are kept only if `unknown` allows it.
 */
export function parseArgs<
  const B extends string = never,
  const S extends string = never,
  const C extends string = never,
>(args: readonly string[], options: ParseOptions<B, S, C> = {}): Args<B, S, C> {
  const { boolean = [], string = [], collect = [], negatable = [], unknown } = options;
  const has = (names: readonly string[], name: string) => names.includes(name);
  const main = mainNames(options);
  const lists = new Map<string, unknown[]>(collect.map((name) => [name, []]));
  const found: Record<string, unknown> = {
    ...Object.fromEntries(boolean.map((name) => [name, false])),
    ...Object.fromEntries(lists),
    ...options.default,
  };
  const positional: string[] = [];
  const put = (name: string, value: unknown) => {
    const list = lists.get(name);
    list?.push(value);
    found[name] = list ?? value;
  };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") {
      positional.push(...args.slice(i + 1));
      break;
    }
    const [, written, inline] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
    if (written === undefined || isNumber(arg)) {
      if (unknown?.(arg) !== false) positional.push(arg);
      continue;
    }
    const name = main.get(written) ?? written;
    const base = main.get(name.slice(3)) ?? name.slice(3);
    if (name.startsWith("no-") && has(negatable, base) && inline === undefined) {
      put(base, false);
    } else if (has(string, name)) {
      const next = args[i + 1];
      const follows = inline === undefined && next !== undefined &&
        (!next.startsWith("-") || next === "-" || isNumber(next));
      put(name, inline ?? (follows ? next : ""));
      if (follows) i++;
    } else {
      const value = inline === undefined ? true : inline === "false" ? false : inline;
      const known = has(boolean, name);
      if (known || unknown?.(arg, name, value) !== false) {
        put(name, known ? value !== false : value);
      }
    }
  }
  return { ...found, _: positional } as unknown as Args<B, S, C>;
}

const isNumber = (arg: string): boolean => /^-?(\d|\.\d)/.test(arg) && Number.isFinite(Number(arg));

function mainNames(options: ParseOptions): Map<string, string> {
  return new Map(
    Object.entries(options.alias ?? {}).flatMap(([name, others]) =>
      [others].flat().map((other): [string, string] => [other, name])
    ),
  );
}
