/**
 * A click log as tokens: what batches are made of.
 *
 * @module
 */
import { SegmentPool } from "../masking/segment_pool.ts";
import type { Tokenizer } from "../text/tokenize.ts";
import type { Impression, Shown } from "./impression.ts";

/** Tokens of a text, and 1 where a word begins. */
export interface TokenText {
  readonly ids: readonly number[];
  readonly starts: readonly number[];
}

/** A title that was shown, as tokens. */
export interface TokenShown extends Omit<Shown, "title"> {
  readonly title: TokenText;
}

/** One answer to a query, as tokens. */
export interface TokenImpression {
  readonly query: TokenText;
  readonly docs: readonly TokenShown[];
  /** Is every title as likely looked at, whatever the log's ranks are? */
  readonly unbiased?: boolean;
}

/** Tokenizes and segments a log; every text is done once, however often it was shown. */
export async function tokenizedLog(
  log: readonly Impression[],
  { tokenize }: Tokenizer,
): Promise<readonly TokenImpression[]> {
  const texts = [...new Set(log.flatMap(({ query, docs }) => [query, ...docs.map((d) => d.title)]))]
    .map((text) => text.replaceAll("\n", " "));
  using pool = new SegmentPool({ newWords: true });
  const words = await pool.segment(texts.join("\n")), known = new Map<string, TokenText>();
  let from = 0;
  for (const text of texts) {
    const ids: number[] = [], starts: number[] = [];
    let last = -1;
    tokenize(text, (id, start) => {
      ids.push(id);
      starts.push(start !== last && (last < 0 || words[from + start] === 1) ? 1 : 0);
      last = start;
    });
    known.set(text, { ids, starts });
    from += text.length + 1;
  }
  const of = (text: string): TokenText => known.get(text.replaceAll("\n", " "))!;
  return log.map(({ query, docs }) => ({
    query: of(query),
    docs: docs.map((doc) => ({ ...doc, title: of(doc.title) })),
  }));
}

/** Is a query held out? By what it says, so that no query is on both sides: a share of all of them. */
export function isHeldOut({ query }: TokenImpression, share: number): boolean {
  let hash = 0x811c9dc5;
  for (const id of query.ids) hash = Math.imul(hash ^ id, 0x01000193);
  hash = Math.imul(hash ^ hash >>> 15, 0x85ebca6b);
  return (hash ^ hash >>> 13) >>> 0 < share * 2 ** 32;
}
