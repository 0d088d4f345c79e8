/**
 * The options of a command, declared once: what is parsed, what is checked and what `--help` says come from one table.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { InputError } from "./input_error.ts";
import { anyOf, suggestion } from "./nearest.ts";

/** One option. `value` is the name of its value in the help; without a default an option not given is undefined. */
export type Option =
  | { readonly type: "flag"; readonly help: string }
  | {
    readonly type: "text";
    readonly value: string;
    readonly help: string;
    readonly default?: string;
  }
  | {
    /** May be given again and again; a list of texts, empty without. */
    readonly type: "list";
    readonly value: string;
    readonly help: string;
  }
  | {
    readonly type: "choice";
    readonly choices: readonly string[];
    readonly help: string;
    readonly default?: string;
  }
  | {
    /** `whole`: without a fraction. Both are from `min` (0 if left out) to `max`. */
    readonly type: "whole" | "number";
    readonly value: string;
    readonly help: string;
    readonly min?: number;
    readonly max?: number;
    readonly default?: number;
  };

/** A command and its options by name. */
export interface Command {
  /** As in `deno task NAME`. */
  readonly name: string;
  /** One sentence. */
  readonly about: string;
  readonly options: { readonly [name: string]: Option };
  /** Pairs of options that say opposite things, and why. */
  readonly conflicts?: readonly (readonly [one: string, other: string, why: string])[];
}

type ValueOf<O extends Option> = O extends { type: "flag" } ? boolean
  : O extends { type: "whole" | "number" } ? number
  : O extends { type: "choice"; choices: readonly (infer C)[] } ? C
  : O extends { type: "list" } ? readonly string[]
  : string;

/** What parsing gives: a value for each option, and `help`. */
export type OptionsOf<C extends Command> =
  & { readonly help: boolean }
  & {
    readonly [K in keyof C["options"]]: C["options"][K] extends
      { type: "flag" } | { type: "list" } | { default: unknown } ? ValueOf<C["options"][K]>
      : ValueOf<C["options"][K]> | undefined;
  };

const HELP: Option = { type: "flag", help: "shows this" };

function valueName(option: Option): string {
  if (option.type === "flag") return "";
  return option.type === "choice" ? option.choices.join("|") : option.value;
}

/** What an option's value must be, in words. */
function demand(option: Option): string {
  if (option.type === "choice") return `it must be ${anyOf(option.choices)}`;
  if (option.type === "whole" || option.type === "number") {
    const kind = option.type === "whole" ? "a whole number" : "a number";
    const { min = 0, max = Infinity } = option;
    return `it must be ${kind} ${max < Infinity ? `from ${min} to ${max}` : `of at least ${min}`}`;
  }
  return "it needs a value";
}

function valueOf(option: Option, text: string, refuse: (why: string) => never): unknown {
  if (option.type === "text" || option.type === "list") return text;
  if (option.type === "choice" && !option.choices.includes(text)) refuse(demand(option));
  if (option.type === "choice" || option.type === "flag") return text;
  const value = text.trim() === "" ? NaN : Number(text);
  const right = option.type === "whole" ? Number.isSafeInteger(value) : Number.isFinite(value);
  const { min = 0, max = Infinity } = option;
  return right && value >= min && value <= max ? value : refuse(demand(option));
}

/**
 * The options in a command line, checked.
 *
 * @throws InputError at an option that is not there, has no value or a wrong one, or contradicts another.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseOptions } from "./options.ts";
 *
 * const command = {
 *   name: "greet",
 *   about: "Greets.",
 *   options: {
 *     times: { type: "whole", value: "N", min: 1, default: 1, help: "how often" },
 *     loud: { type: "flag", help: "louder" },
 *   },
 * } as const;
 * assertEquals(parseOptions(["--times", "3"], command), { times: 3, loud: false, help: false });
 * ```
 */
export function parseOptions<const C extends Command>(
  words: readonly string[],
  command: C,
): OptionsOf<C> {
  const table: Readonly<Record<string, Option>> = { ...command.options, help: HELP };
  const names = Object.keys(table);
  const refuse = (what: string, why: string): never => {
    throw new InputError(`Cannot ${command.name} with ${what}: ${why}`);
  };
  const isFlag = (name: string): boolean => table[name]!.type === "flag";
  const found: Readonly<Record<string, unknown>> = parseArgs(words, {
    boolean: names.filter(isFlag),
    string: names.filter((name) => !isFlag(name)),
    collect: names.filter((name) => table[name]!.type === "list"),
    alias: { help: "h" },
    unknown: (word, name) =>
      name === undefined
        ? refuse(`"${word}"`, "it takes options only; see --help")
        : refuse(`--${name}`, `no such option; ${suggestion(name, names, "see --help", "--")}`),
  });
  const rest = (found as { readonly _: readonly string[] })._;
  if (rest.length > 0) refuse(`"${rest[0]}"`, "it takes options only; see --help");
  const isGiven = (value: unknown): boolean =>
    Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
  const given = names.filter((name) => isGiven(found[name]));
  const options = names.map((name): [string, unknown] => {
    const option = table[name]!, text = found[name];
    if (option.type === "flag") return [name, text];
    if (option.type === "list") {
      if ((text as readonly string[]).includes("")) {
        refuse(`--${name}`, `it needs a value; write --${name} ${valueName(option)}`);
      }
      return [name, text];
    }
    if (text === undefined) return [name, option.default];
    if (text === "") refuse(`--${name}`, `it needs a value; write --${name} ${valueName(option)}`);
    return [name, valueOf(option, String(text), (why) => refuse(`--${name} ${text}`, why))];
  });
  for (const [one, other, why] of command.conflicts ?? []) {
    if (!given.includes(one) || !given.includes(other)) continue;
    refuse(`--${one} and --${other}`, `${why}; leave one out`);
  }
  return Object.fromEntries(options) as OptionsOf<C>;
}

/** Units: characters. */
const WIDEST = 40;

/** What `--help` shows. */
export function helpText({ name, about, options }: Command): string {
  const rows = Object.entries<Option>({ ...options, help: HELP }).map(([name, option]) => ({
    left: `--${name} ${valueName(option)}`.trimEnd(),
    help: option.help +
      (option.type !== "flag" && option.type !== "list" && option.default !== undefined
        ? ` (${option.default})`
        : ""),
  }));
  const width = Math.max(...rows.map(({ left }) => left.length).filter((n) => n <= WIDEST));
  // A long list of choices has a line of its own, so that all others stay beside their words.
  const lines = rows.map(({ left, help }) =>
    left.length > width
      ? `  ${left}\n  ${" ".repeat(width)}  ${help}`
      : `  ${left.padEnd(width)}  ${help}`
  );
  return [about, "", `Usage: deno task ${name} [options]`, "", ...lines].join("\n");
}
