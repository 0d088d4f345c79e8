/**
 * Reads tables of synonyms.
 *
 * A line is a group as in the Cilin, `Aa01A01= 人 士 人物`, whose words are synonyms if the code ends in "=" ("#" is "related" and "@"
 * "alone": both are passed over), or a word with its synonyms and their weights, `高兴\t开心 0.8\t愉快 0.5`.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { readText } from "../data/read_text.ts";
import type { Tokenizer } from "../text/tokenize.ts";
import { type Antonyms, areAntonyms } from "./antonyms.ts";
import { type SynonymEntry, type Synonyms, synonymTable } from "./synonyms.ts";

/** How a table is read. */
export interface SynonymOptions {
  readonly tokens: Tokenizer;
  /** Pairs that mean the opposite: never synonyms, whatever the table says. */
  readonly antonyms: Antonyms;
  /** How often a word of these tokens is in the corpus: a group's words are drawn as count^0.75; alike without it. */
  readonly count?: (word: readonly number[]) => number;
  /** Wrong lines are counted and passed over, not refused. */
  readonly skipBad: boolean;
}

/** A table, the lines that were wrong, and the pairs of right lines that nothing can be done with, by reason. */
export interface ReadSynonyms {
  readonly synonyms: Synonyms;
  readonly skipped: number;
  readonly unused: {
    /** They mean the opposite. */
    readonly antonyms: number;
    /** The vocabulary does not know all of one of them. */
    readonly unknown: number;
    /** One has more tokens than the other: labels stand where words stood. A group of the Cilin has words of any length. */
    readonly unequal: number;
  };
}

/** A word and its synonyms as text. */
interface Line {
  readonly word: string;
  readonly others: readonly { readonly word: string; readonly weight?: number }[];
}

const GROUP = /^[A-Za-z]{2}\d{2}[A-Za-z]\d{2}([=#@])\s*(.*)$/;

/** The entries of a line, or what is wrong with it. */
function linesOf(line: string): readonly Line[] | string {
  const group = GROUP.exec(line);
  if (group) {
    if (group[1] !== "=") return [];
    const words = group[2]!.trim().split(/\s+/);
    const twice = words.find((word, i) => words.indexOf(word) < i);
    if (twice) return `${twice} is in its group twice: it would be its own synonym`;
    return words.map((word) => ({
      word,
      others: words.filter((w) => w !== word).map((w) => ({ word: w })),
    }));
  }
  const [word, ...others] = line.split("\t");
  if (!word || others.length === 0) {
    return "it is no group (Aa01A01= 人 士) and no word with weighted synonyms (高兴<TAB>开心 0.8)";
  }
  const found: { word: string; weight: number }[] = [];
  for (const other of others) {
    const [name, weight] = other.trim().split(/\s+/), number = Number(weight);
    if (!name || !(number > 0 && number < Infinity)) {
      return `"${other}" is no synonym and weight, as in 开心 0.8`;
    }
    if (name === word) return `${word} is its own synonym`;
    if (found.some(({ word }) => word === name)) return `${name} is there twice`;
    if (name.length !== word.length) {
      return `${name} has ${name.length} characters, ${word} has ${word.length}: one cannot stand for the other`;
    }
    found.push({ word: name, weight: number });
  }
  return [{ word, others: found }];
}

/**
 * Reads a table for a vocabulary.
 *
 * @throws InputError at a line that is wrong: neither form, a word that is its own synonym, a weighted one of another length or one that has
 * a line already.
 */
export async function readSynonyms(path: string, o: SynonymOptions): Promise<ReadSynonyms> {
  let text = "", skipped = 0;
  for await (const piece of readText(path)) text += piece;
  const entries: SynonymEntry[] = [], unused = { antonyms: 0, unknown: 0, unequal: 0 };
  /** Lines of words with weights, from 1. */
  const weighted = new Map<string, number>();
  /** Undefined where the vocabulary does not know all of the word: [UNK] stands for many words. */
  const ids = (word: string): readonly number[] | undefined => {
    const found = o.tokens.encode(word).ids;
    return found.includes(o.tokens.vocabulary.unk) ? undefined : found;
  };
  text.split("\n").forEach((raw, i) => {
    const line = raw.trim();
    if (line === "") return;
    const read = linesOf(line), [first] = typeof read === "string" ? [] : read;
    const before = first?.others[0]?.weight === undefined ? undefined : weighted.get(first.word);
    const found = before === undefined ? read : `${first!.word} has its synonyms in line ${before}`;
    if (typeof found === "string") {
      if (!o.skipBad) {
        throw new InputError(
          `Cannot read ${path}: line ${
            i + 1
          }: ${found}; mend it, or leave such lines out with --skip-bad`,
        );
      }
      skipped++;
      return;
    }
    if (first?.others[0]?.weight !== undefined) weighted.set(first.word, i + 1);
    for (const { word, others } of found) {
      const known = ids(word);
      const usable = others.flatMap(({ word: other, weight }) => {
        const tokens = ids(other);
        const why = areAntonyms(o.antonyms, word, other)
          ? "antonyms"
          : !known || !tokens
          ? "unknown"
          : known.length !== tokens.length
          ? "unequal"
          : undefined;
        if (why) unused[why]++;
        if (why || !tokens) return [];
        return [{ word: tokens, weight: weight ?? (o.count ? o.count(tokens) ** 0.75 : 1) }];
      });
      if (known) entries.push({ word: known, others: usable });
    }
  });
  return { synonyms: synonymTable(merged(entries)), skipped, unused };
}

/** Words that stand in several groups have all of their synonyms. */
function merged(entries: readonly SynonymEntry[]): readonly SynonymEntry[] {
  const byWord = Map.groupBy(entries, ({ word }) => word.join(" "));
  return [...byWord.values()].map((same) => ({
    word: same[0]!.word,
    others: [...Map.groupBy(same.flatMap(({ others }) => others), ({ word }) => word.join(" "))]
      .map(([, [first]]) => first!),
  }));
}
