/**
 * What a run learns from: a corpus that was prepared for it, or one that was packed before.
 *
 * @module
 */
import { packedCorpus } from "../corpus/pack.ts";
import { tokenCount, type TokenStore } from "../data/token_store.ts";
import type { Vocabulary } from "../text/vocabulary.ts";

/** Tokens to learn from and tokens that are held out, and what is said of them. */
export interface RunCorpus {
  readonly vocabulary: Vocabulary;
  readonly train: TokenStore;
  readonly heldOut: TokenStore;
  /** What the run's report shows of the corpus. */
  readonly report: {
    readonly corpus: string;
    readonly trainTokens: number;
    /** The share of [UNK] among the training tokens. */
    readonly unkShare: number;
  };
}

/**
 * A corpus that `deno task data pack` left.
 *
 * @throws InputError where there is none.
 */
export async function openPacked(folder: string): Promise<RunCorpus> {
  const { vocabulary, train, heldOut, unkShare } = await packedCorpus(folder);
  const report = {
    corpus: folder,
    trainTokens: tokenCount(train),
    heldOutTokens: tokenCount(heldOut),
    trainDocuments: train.documents,
    heldOutDocuments: heldOut.documents,
    unkShare,
  };
  return { vocabulary, train, heldOut, report };
}
