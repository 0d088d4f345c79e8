/**
 * What a stage learns from and is measured on.
 *
 * @module
 */
import { heldOutBatches } from "../data/batches.ts";
import { pack } from "../data/pack.ts";
import { unigramLogProbs, unigramPerplexity } from "../data/unigram.ts";
import { HELD_OUT_MASK } from "../masking/mask_settings.ts";
import type { RunCorpus } from "./run_corpus.ts";
import type { Stage } from "./stages.ts";
import type { TrainData } from "./train.ts";

/** The data of a stage, and what the unigram model reaches on the very tokens that the model is asked for, where it is asked for any. */
export interface StageData extends TrainData {
  readonly unigramPpl: number | undefined;
}

/** Packs a corpus for a stage; `known` is the same in all of them. */
export function stageData(
  corpus: RunCorpus,
  { config }: Stage,
  known: Pick<TrainData, "tables" | "clickData">,
): StageData {
  const { vocabulary } = corpus, { data: { length, microBatch } } = config;
  const data: TrainData = {
    vocabulary,
    ...known,
    train: pack(corpus.train, vocabulary, length),
    heldOut: pack(corpus.heldOut, vocabulary, length),
  };
  if (config.evalEvery === 0) return { ...data, unigramPpl: undefined };
  const batches = heldOutBatches(data.heldOut, vocabulary, microBatch, {
    mask: HELD_OUT_MASK,
    limit: config.evalSequences,
  });
  const unigramPpl = unigramPerplexity(unigramLogProbs(corpus.train, vocabulary), batches);
  return { ...data, unigramPpl };
}
