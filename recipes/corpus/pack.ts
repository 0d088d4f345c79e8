/**
 * `pack`: a corpus to tokens, in files that training reads where it wants them.
 *
 * A shard becomes four files: ids of the documents to train on and of those held out, and a byte for each, 1 where a word begins.
 * Sequences of any length are cut from them when training begins, see `data/pack.ts`.
 *
 * @module
 */
import { join } from "@std/path";
import { InputError } from "../cli/input_error.ts";
import { bytesOf } from "../data/bytes_of.ts";
import type { TokenFile, TokenFiles } from "../data/token_store.ts";
import { eachOf } from "../run/each_of.ts";
import { WorkerPool } from "../run/worker_pool.ts";
import { writeWhole } from "../run/write_whole.ts";
import { readVocabulary } from "../text/read_vocabulary.ts";
import { formatVocabulary, type Vocabulary } from "../text/vocabulary.ts";
import type { PackAnswer, PackedTokens, PackQuestion } from "./pack_worker.ts";
import type { CorpusReport } from "./report.ts";
import {
  readDocuments,
  readHashes,
  type ShardMeta,
  shardMeta,
  shardMetas,
  shardPath,
  wholeCorpus,
  wholeText,
  writeShard,
} from "./shards.ts";
import { stageKey, type StageOptions } from "./stage.ts";
import { closeStage, openForStage } from "./stage_folder.ts";

/** What `pack` needs. */
export interface PackOptions extends StageOptions {
  readonly in: string;
  readonly vocabulary: Vocabulary;
  /** The share of the documents that is held out. */
  readonly heldOut: number;
}

/** How much of a shard is what. */
interface TokenCounts {
  readonly tokens: number;
  readonly documents: number;
  readonly unknown: number;
}

/** A shard of tokens. */
interface PackedShard extends ShardMeta {
  /** Hash of the vocabulary: ids mean nothing under another. */
  readonly vocabulary: string;
  readonly train: TokenCounts;
  readonly heldOut: TokenCounts;
}

/** A packed corpus, ready for training. */
export interface PackedCorpus {
  readonly vocabulary: Vocabulary;
  readonly train: TokenFiles;
  readonly heldOut: TokenFiles;
  readonly unkShare: number;
}

const FORMAT = 1;
const VOCABULARY = "vocab.txt";

const countsOf = ({ ids, documents, unknown }: PackedTokens): TokenCounts => ({
  tokens: ids.length,
  documents,
  unknown,
});

/** Tokenizes a corpus. Undefined if it was interrupted. */
export async function pack(o: PackOptions): Promise<CorpusReport | undefined> {
  const { info, shards } = await wholeText(o.in);
  const key = stageKey(FORMAT, info.key, o.heldOut, o.vocabulary.tokens);
  const before = await openForStage(o.out, "pack", key, [o.in]);
  await writeWhole(join(o.out, VOCABULARY), formatVocabulary(o.vocabulary));
  if (before) return before;
  using pool = new WorkerPool<PackQuestion, PackAnswer>({
    url: new URL("./pack_worker.ts", import.meta.url),
    work: "tokenize text",
    size: o.workers,
  });
  const hash = stageKey(o.vocabulary.tokens);
  let done = 0;
  const make = async (shard: ShardMeta): Promise<void> => {
    const { index } = shard;
    o.view.show({ label: "pack", done: ++done, total: shards.length });
    if (await shardMeta(o.out, index)) return;
    const jsonl = await readDocuments(o.in, index);
    const hashes = await readHashes(o.in, index);
    // By what it says: a document stays where it is when the corpus around it changes.
    const held = Uint8Array.from(
      { length: shard.documents },
      (_, i) => hashes[2 * i]! < o.heldOut * 2 ** 32 ? 1 : 0,
    );
    const question = { jsonl, vocabulary: o.vocabulary, held };
    const { train, heldOut } = await pool.ask(question, [jsonl.buffer]);
    const meta: PackedShard = {
      ...shard,
      vocabulary: hash,
      train: countsOf(train),
      heldOut: countsOf(heldOut),
    };
    await writeShard(o.out, meta, {
      "train.ids": bytesOf(train.ids),
      "train.starts": train.starts,
      "heldOut.ids": bytesOf(heldOut.ids),
      "heldOut.starts": heldOut.starts,
    });
  };
  if (!await eachOf(shards, pool.size + 1, make, () => o.interrupt.requested)) return undefined;
  const packed = await shardMetas<PackedShard>(o.out, shards.length);
  const sum = (f: (shard: PackedShard) => number): number =>
    packed.reduce((all, shard) => all + f(shard), 0);
  const documents = sum((shard) => shard.documents);
  const report: CorpusReport = {
    read: documents,
    kept: documents,
    rules: {},
    packed: {
      train: sum(({ train }) => train.tokens),
      heldOut: sum(({ heldOut }) => heldOut.tokens),
      unknown: sum(({ train, heldOut }) => train.unknown + heldOut.unknown),
    },
  };
  return await closeStage(o.out, { stage: "pack", key, shards: shards.length, report });
}

/**
 * Opens a packed corpus.
 *
 * @throws InputError where it is none, has nothing to train on or to hold out, or its vocabulary is not the one that it was packed with.
 */
export async function packedCorpus(folder: string): Promise<PackedCorpus> {
  const { info, shards } = await wholeCorpus<PackedShard>(folder);
  if (info.stage !== "pack") {
    throw new InputError(`Cannot train on ${folder}: it is the result of "${info.stage}"; pack it`);
  }
  const vocabulary = await readVocabulary(join(folder, VOCABULARY));
  const hash = stageKey(vocabulary.tokens);
  const other = shards.find((shard) => shard.vocabulary !== hash);
  if (other) {
    throw new InputError(
      `Cannot train on ${folder}: shard ${other.index} was packed with another vocabulary than its ${VOCABULARY}; pack the corpus into a new folder`,
    );
  }
  const of = (name: "train" | "heldOut"): TokenFiles => ({
    vocabularySize: vocabulary.tokens.length,
    documents: shards.reduce((sum, shard) => sum + shard[name].documents, 0),
    files: shards.flatMap((shard): readonly TokenFile[] =>
      shard[name].tokens === 0 ? [] : [{
        ids: shardPath(folder, shard.index, `${name}.ids`),
        starts: shardPath(folder, shard.index, `${name}.starts`),
        tokens: shard[name].tokens,
        weight: name === "train" ? shard.weight : 1,
      }]
    ),
  });
  const [train, heldOut] = [of("train"), of("heldOut")];
  for (const [what, { documents }] of [["to train on", train], ["held out", heldOut]] as const) {
    if (documents > 0) continue;
    throw new InputError(`Cannot train on ${folder}: no document is ${what}; give it more text`);
  }
  const tokens = shards.reduce((sum, shard) => sum + shard.train.tokens, 0);
  const unknown = shards.reduce((sum, shard) => sum + shard.train.unknown, 0);
  return { vocabulary, train, heldOut, unkShare: unknown / (tokens - train.documents) };
}
