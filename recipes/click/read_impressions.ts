/**
 * Reads click logs.
 *
 * A line of a `.jsonl` or `.json` file is an impression, `{"query": …, "docs": [{"title", "rank", "click", "dwell"?, "grade"?}]}`, or a
 * pair, `{"query", "title", "clicked"}`; a line of a `.tsv` file is a pair, `query TAB title TAB clicked`. Pairs of one query that follow
 * one another are one impression, ranked as they come.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { isRecord } from "../cli/schema.ts";
import { readText } from "../data/read_text.ts";
import type { Impression, Shown } from "./impression.ts";

/** How a log is read. */
export interface ReadOptions {
  /** Wrong lines are counted and passed over, not refused. */
  readonly skipBad: boolean;
  /** Impressions of one query at most: few queries make up most of a log. */
  readonly perQuery: number;
}

/** A log, and what of it was left out. */
export interface ClickLog {
  readonly impressions: readonly Impression[];
  readonly skipped: Readonly<Record<string, number>>;
}

/** 64 impressions a query, nothing wrong. */
const READ_OPTIONS: ReadOptions = { skipBad: false, perQuery: 64 };

/** Ranks further down are mistakes: estimates are kept for every rank up to the largest. */
const DEEPEST = 1000;
/** The best grade that judges give, as in TREC's and LETOR's data. */
const BEST = 4;

/** Why a line is refused. */
class Wrong extends RangeError {}

const isText = (value: unknown): value is string =>
  typeof value === "string" && value.trim() !== "";

const isWhole = (value: unknown, from: number, to: number): value is number =>
  Number.isInteger(value) && value as number >= from && value as number <= to;

function shown(value: unknown, place: number): Shown {
  const { title, rank, click, dwell, grade } = isRecord(value) ? value : {};
  const which = `document ${place}`;
  if (!isText(title)) throw new Wrong(`${which} has no title`);
  if (!isWhole(rank, 1, DEEPEST)) {
    throw new Wrong(
      `${which} has rank ${
        JSON.stringify(rank)
      }, it must be a whole number from 1 to ${DEEPEST}, where it was shown`,
    );
  }
  if (click !== 0 && click !== 1) {
    throw new Wrong(`${which} has click ${JSON.stringify(click)}, it must be 0 or 1`);
  }
  if (dwell !== undefined && !(typeof dwell === "number" && dwell >= 0 && dwell < Infinity)) {
    throw new Wrong(`${which} has dwell ${JSON.stringify(dwell)}, it must be a number from 0`);
  }
  if (grade !== undefined && !isWhole(grade, 0, BEST)) {
    throw new Wrong(
      `${which} has grade ${JSON.stringify(grade)}, it must be a whole number from 0 to ${BEST}`,
    );
  }
  return {
    title,
    rank,
    click,
    ...dwell !== undefined && { dwell },
    ...grade !== undefined && { grade },
  };
}

function impression(query: string, docs: readonly unknown[]): Impression {
  if (docs.length === 0) throw new Wrong("nothing was shown");
  const all = docs.map((doc, i) => shown(doc, i + 1)).sort((a, b) => a.rank - b.rank);
  const titles = new Set<string>(), ranks = new Set<number>();
  for (const { title, rank } of all) {
    if (titles.has(title)) throw new Wrong(`"${title}" is in it twice`);
    if (ranks.has(rank)) throw new Wrong(`two documents have rank ${rank}`);
    titles.add(title);
    ranks.add(rank);
  }
  return { query, docs: all };
}

/** A pair as a log has it. */
interface Pair {
  readonly query: string;
  readonly title: string;
  readonly click: 0 | 1;
}

function pair(query: unknown, title: unknown, clicked: unknown): Pair {
  if (!isText(query)) throw new Wrong("it has no query");
  if (!isText(title)) throw new Wrong("it has no title");
  if (clicked !== 0 && clicked !== 1) {
    throw new Wrong(`clicked is ${JSON.stringify(clicked)}, it must be 0 or 1`);
  }
  return { query, title, click: clicked };
}

/** What a line holds. */
function parse(line: string, isTable: boolean): Impression | Pair {
  if (isTable) {
    const [query, title, clicked, ...more] = line.split("\t");
    if (more.length > 0 || clicked === undefined) {
      throw new Wrong("it must be query, title and clicked with tabs between them");
    }
    const click = clicked.trim();
    return pair(query, title, click === "0" || click === "1" ? Number(click) : click);
  }
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Wrong("it is no JSON");
  }
  if (!isRecord(value)) throw new Wrong("it is no object");
  if (value.docs === undefined) return pair(value.query, value.title, value.clicked);
  if (!isText(value.query)) throw new Wrong("it has no query");
  if (!Array.isArray(value.docs)) throw new Wrong("docs is no list");
  return impression(value.query, value.docs);
}

/**
 * Reads a log.
 *
 * @throws InputError at the first line that is wrong.
 */
export async function readImpressions(
  path: string,
  given: Partial<ReadOptions> = {},
): Promise<ClickLog> {
  const { skipBad, perQuery } = { ...READ_OPTIONS, ...given };
  const found: Impression[] = [], skipped: Record<string, number> = {};
  const counts = new Map<string, number>();
  let open: Pair[] = [];
  const skip = (why: string): void => void (skipped[why] = (skipped[why] ?? 0) + 1);
  const push = (one: Impression): void => {
    const count = counts.get(one.query) ?? 0;
    counts.set(one.query, count + 1);
    if (count < perQuery) found.push(one);
    else skip(`more than ${perQuery} impressions of one query`);
  };
  const close = (): void => {
    const [first] = open;
    if (first) push(impression(first.query, open.map((p, i) => ({ ...p, rank: i + 1 }))));
    open = [];
  };
  const take = (line: string): void => {
    const one = parse(line, path.endsWith(".tsv"));
    if ("docs" in one) {
      close();
      return push(one);
    }
    if (open[0] && open[0].query !== one.query) close();
    if (open.some(({ title }) => title === one.title)) {
      throw new Wrong(`"${one.title}" was shown for this query already`);
    }
    open.push(one);
  };
  let rest = "", number = 0;
  const each = (line: string): void => {
    number++;
    if (line.trim() === "") return;
    try {
      take(line);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      if (!skipBad) {
        throw new InputError(
          `Cannot read ${path}: line ${number}: ${error.message}; mend it, or leave such lines out with --skip-bad`,
        );
      }
      skip(error.message.replace(/"[^"]*"|\d+/g, "…"));
    }
  };
  for await (const piece of readText(path)) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    lines.forEach(each);
  }
  if (rest !== "") each(rest);
  close();
  if (found.length === 0) throw new InputError(`Cannot read ${path}: no impression is in it`);
  return { impressions: found, skipped };
}
