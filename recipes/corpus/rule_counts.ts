/**
 * What rules left out: how much, and the first few examples.
 *
 * @module
 */

/** What one rule did. Units: characters are UTF-16 units of what it left out. */
export interface RuleCount {
  readonly dropped: number;
  readonly characters: number;
  readonly examples: readonly string[];
}

/** What all rules did, by name. */
export type RuleCounts = Readonly<Record<string, RuleCount>>;

/** Examples of a rule, and the length that they are cut at. */
const EXAMPLES = 5, LENGTH = 100;

/** Counts what it is told of. */
export function ruleCounter(): {
  readonly note: (rule: string, text: string) => void;
  readonly counts: () => RuleCounts;
} {
  const found = new Map<string, { dropped: number; characters: number; examples: string[] }>();
  return {
    note(rule, text) {
      let count = found.get(rule);
      if (!count) found.set(rule, count = { dropped: 0, characters: 0, examples: [] });
      count.dropped++;
      count.characters += text.length;
      if (count.examples.length < EXAMPLES && text !== "") {
        count.examples.push(text.slice(0, LENGTH).toWellFormed());
      }
    },
    counts: () => Object.fromEntries(found),
  };
}

/** Counts of several parts, in their order, as those of the whole. */
export function sumCounts(parts: readonly RuleCounts[]): RuleCounts {
  const names = [...new Set(parts.flatMap((part) => Object.keys(part)))];
  return Object.fromEntries(names.map((name) => {
    const of = parts.flatMap((part) => part[name] ?? []);
    const sum = (f: (c: RuleCount) => number): number => of.reduce((all, c) => all + f(c), 0);
    return [name, {
      dropped: sum((c) => c.dropped),
      characters: sum((c) => c.characters),
      examples: of.flatMap((c) => c.examples).slice(0, EXAMPLES),
    }];
  }));
}
