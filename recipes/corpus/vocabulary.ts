/**
 * `vocab`: the vocabulary of a corpus.
 *
 * @module
 */
import { writeWhole } from "../run/write_whole.ts";
import { buildVocabulary } from "../text/build_vocabulary.ts";
import { textCounter } from "../text/count_text.ts";
import { formatVocabulary } from "../text/vocabulary.ts";
import { newFile } from "./new_file.ts";
import type { CorpusReport } from "./report.ts";
import { shardTexts, wholeText } from "./shards.ts";
import type { StageOptions } from "./stage.ts";

/** What `vocab` needs; its result is a file. */
export interface VocabularyOptions extends StageOptions {
  readonly in: string;
  /** Tokens at most. */
  readonly size: number;
}

/** Builds a vocabulary. Undefined if it was interrupted. */
export async function vocabulary(o: VocabularyOptions): Promise<CorpusReport | undefined> {
  const { shards } = await wholeText(o.in), counter = textCounter();
  await newFile(o.out);
  let read = 0;
  for (const { index } of shards) {
    if (o.interrupt.requested) return undefined;
    for (const text of await shardTexts(o.in, index)) {
      counter.add(text);
      read++;
    }
    o.view.show({ label: "count", done: index + 1, total: shards.length });
  }
  const built = buildVocabulary(counter.counts(), { size: o.size });
  await writeWhole(o.out, formatVocabulary(built));
  return { read, kept: read, rules: {}, tokens: built.tokens.length };
}
