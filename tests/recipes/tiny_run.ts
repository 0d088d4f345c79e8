/**
 * Pretraining in this process, without a command line and without a segmenter: a configuration, characters as tokens, and
 * a device.
 *
 * @module
 */
import type { Device } from "../../core/mod.ts";
import { pack } from "../../recipes/data/pack.ts";
import { streamBuilder, type TokenStream } from "../../recipes/data/token_stream.ts";
import { configurations, type PretrainConfig } from "../../recipes/pretrain/config.ts";
import type { RunCorpus } from "../../recipes/pretrain/run_corpus.ts";
import {
  initialState,
  train,
  type TrainData,
  type Trained,
  type TrainHooks,
} from "../../recipes/pretrain/train.ts";
import { SPECIAL_TOKENS, type Vocabulary, vocabularyOf } from "../../recipes/text/vocabulary.ts";
import { smallCorpus } from "./small_corpus.ts";
import { quietHooks } from "./quiet_hooks.ts";

/** A configuration of one layer. */
export const tinyRun: PretrainConfig = {
  ...configurations["motian-tiny"]!,
  model: { ...configurations["motian-tiny"]!.model, layers: 1, width: 16, hidden: 32 },
  data: {
    length: 24,
    batch: 8,
    microBatch: 4,
    recompute: false,
    vocabularySize: 1000,
  },
  evalSequences: 8,
  logEvery: 10,
};

/** The documents of the small corpus; every second character begins a word. */
export function tinyCorpus(): RunCorpus {
  const train = smallCorpus(400), heldOut = smallCorpus(40, 2);
  const characters = [...new Set([...train, ...heldOut].join(""))].sort();
  const vocabulary: Vocabulary = vocabularyOf([...SPECIAL_TOKENS, ...characters]);
  const idOf = new Map(vocabulary.tokens.map((token, id) => [token, id]));
  const streamOf = (documents: readonly string[]): TokenStream => {
    const stream = streamBuilder(vocabulary.tokens.length, vocabulary.sep);
    for (const document of documents) {
      [...document].forEach((character, i) => stream.push(idOf.get(character)!, i % 2 === 0));
      stream.close();
    }
    return stream.build();
  };
  const streams = { train: streamOf(train), heldOut: streamOf(heldOut) };
  const report = { corpus: "small", trainTokens: streams.train.ids.length, unkShare: 0 };
  return { vocabulary, ...streams, report };
}

/** The same as sequences of T tokens. */
export function tinyData(T: number): TrainData {
  const { vocabulary, train, heldOut } = tinyCorpus();
  return {
    vocabulary,
    train: pack(train, vocabulary, T),
    heldOut: pack(heldOut, vocabulary, T),
  };
}

/** Trains from the beginning. */
export async function trainTiny(
  config: PretrainConfig,
  device: Device,
  hooks: Partial<TrainHooks>,
  extra: Pick<TrainData, "clickData"> = {},
): Promise<Trained> {
  const data = { ...tinyData(config.data.length), ...extra };
  const start = await initialState(config, data.vocabulary.tokens.length, device);
  return await train(config, start, data, device, {
    ...quietHooks,
    ...hooks,
  });
}
