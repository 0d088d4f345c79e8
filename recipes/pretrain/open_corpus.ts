/**
 * Opens what a command is told to learn from, for `pretrain` and `ablate` alike.
 *
 * @module
 */
import { join } from "@std/path";
import type { ProgressView } from "../cli/progress.ts";
import { fileCorpus } from "../data/corpus_source.ts";
import { defaultCorpus } from "../data/default_corpus.ts";
import { cachedCorpus } from "../data/prepared_cache.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import { openPacked, type RunCorpus } from "./run_corpus.ts";

/** Where prepared corpora are kept: deleting it costs nothing but time. */
const CACHE = join(".cache", "corpora");

/** What there is to learn from. */
export interface CorpusChoice {
  /** A folder that was packed before; null where the corpus is text. */
  readonly packed: string | null;
  /** A file or a folder of text; null for the default one. */
  readonly corpus: string | null;
  /** How many tokens a vocabulary that is built from the text may have. */
  readonly size: number;
  /** The vocabulary to use instead. */
  readonly vocabulary?: Vocabulary;
}

/**
 * Opens a packed corpus, or prepares one from text unless that was done before.
 *
 * @throws InputError where there is none.
 */
export async function openCorpus(
  { packed, corpus, size, vocabulary }: CorpusChoice,
  view: ProgressView,
): Promise<RunCorpus> {
  if (packed !== null) return await openPacked(packed);
  const source = corpus === null ? defaultCorpus() : await fileCorpus(corpus);
  const settings = { build: { size }, ...vocabulary && { vocabulary } };
  // Documents are read and characters segmented at the same time: one line shows the first.
  return await cachedCorpus(
    source,
    CACHE,
    settings,
    (stage, done) =>
      stage === "read" && view.show({ label: "prepare", done, figures: ["documents"] }),
  );
}
