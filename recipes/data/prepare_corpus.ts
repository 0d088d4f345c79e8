/**
 * A corpus made ready for training: read, cleaned, segmented into words, a vocabulary built or taken, tokenized, split.
 *
 * Reading and cleaning run here while workers segment what is cleaned already: on two cores both are busy all the time.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { SegmentPool } from "../masking/segment_pool.ts";
import { buildVocabulary, type VocabularySettings } from "../text/build_vocabulary.ts";
import { textCounter } from "../text/count_text.ts";
import { tokenizer } from "../text/tokenize.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import { cleaner, type CleanReport } from "./clean_corpus.ts";
import type { CorpusSource } from "./corpus_source.ts";
import { heldOutLimit } from "./hold_out.ts";
import { pushDocument } from "./push_document.ts";
import { streamBuilder, type TokenStream } from "./token_stream.ts";

/** How a corpus is prepared. */
export interface PrepareSettings {
  /** A vocabulary to use; one is built from the corpus where it is left out. */
  readonly vocabulary?: Vocabulary;
  /** What a built vocabulary may grow to. */
  readonly build: Partial<VocabularySettings>;
  /** The share of the characters that is held out. */
  readonly heldOutShare: number;
  /** A corpus with fewer characters after cleaning is refused: it makes no batch and no held-out set. */
  readonly minCharacters: number;
}

/** A built vocabulary, 1 % held out, 20,000 characters at least. */
export const PREPARE_SETTINGS: PrepareSettings = {
  build: {},
  heldOutShare: 0.01,
  minCharacters: 20_000,
};

/** What preparing did. */
export interface PrepareReport {
  readonly corpus: string;
  readonly licence?: string;
  readonly clean: CleanReport;
  readonly vocabularySize: number;
  /** The share of [UNK] among the training tokens, [SEP] aside. */
  readonly unkShare: number;
  readonly trainDocuments: number;
  readonly heldOutDocuments: number;
  readonly trainTokens: number;
  readonly heldOutTokens: number;
  readonly seconds: number;
}

/** A corpus ready for training. */
export interface PreparedCorpus {
  readonly vocabulary: Vocabulary;
  readonly train: TokenStream;
  readonly heldOut: TokenStream;
  readonly report: PrepareReport;
}

/** Told now and then how many documents are read, and how many characters of the read ones are segmented. */
export type PrepareProgress = (stage: string, done: number, total?: number) => void;

/** Some documents, a line each, and when their words are known. */
interface Shard {
  readonly text: string;
  readonly hashes: readonly number[];
  readonly starts: Promise<Uint8Array>;
}

/** Documents that go to a worker at once. Units: characters. */
const SHARD = 1 << 17;

function refuseSmall(source: CorpusSource, clean: CleanReport, least: number): void {
  if (clean.characters >= least && clean.kept > 1) return;
  const { short, broken, foreign, duplicate } = clean.dropped;
  throw new InputError(
    `Cannot train on ${source.name}: ${clean.characters} characters in ${clean.kept} documents are left after ` +
      `cleaning (dropped: ${short} short, ${broken} broken, ${foreign} not Chinese, ${duplicate} duplicate); ` +
      `give at least ${least} characters in 2 documents`,
  );
}

/**
 * Reads, cleans, segments and tokenizes a corpus.
 *
 * @throws InputError where the corpus cannot be read or is too small.
 */
export async function prepareCorpus(
  source: CorpusSource,
  given: Partial<PrepareSettings> = {},
  progress: PrepareProgress = () => {},
): Promise<PreparedCorpus> {
  const settings: PrepareSettings = { ...PREPARE_SETTINGS, ...given };
  const began = performance.now();
  using pool = new SegmentPool({ newWords: source.newWords });
  const clean = cleaner();
  const counter = textCounter();
  const shards: Shard[] = [];
  const lengths: number[] = [];
  let segmented = 0;
  let texts: string[] = [];
  let hashes: number[] = [];
  let size = 0;
  const send = (): void => {
    const text = texts.join("\n");
    const starts = pool.segment(text);
    // A worker's failure is met below, where its result is awaited, not as an unhandled rejection before.
    starts.then(({ length }) => progress("segment", segmented += length), () => {});
    shards.push({ text, hashes, starts });
    texts = [];
    hashes = [];
    size = 0;
  };
  for await (const documents of source.documents()) {
    for (const document of documents) {
      const found = clean.clean(document);
      if (!found) continue;
      counter.add(found.text);
      texts.push(found.text);
      hashes.push(found.hash);
      lengths.push(found.text.length);
      size += found.text.length;
      if (size >= SHARD) send();
    }
    progress("read", clean.report().read);
    await new Promise((resolve) => setTimeout(resolve)); // lets the workers' answers in, so that they get more
  }
  const cleaned = clean.report();
  refuseSmall(source, cleaned, settings.minCharacters);
  if (texts.length > 0) send();

  const vocabulary = settings.vocabulary ?? buildVocabulary(counter.counts(), settings.build);
  const limit = heldOutLimit(
    shards.flatMap((shard) => shard.hashes),
    lengths,
    settings.heldOutShare,
  );
  const train = streamBuilder(vocabulary.tokens.length, vocabulary.sep);
  const heldOut = streamBuilder(vocabulary.tokens.length, vocabulary.sep);
  const tokens = tokenizer(vocabulary);
  let unknown = 0;
  for (let shard = shards.shift(); shard; shard = shards.shift()) {
    const starts = await shard.starts;
    let from = 0;
    for (const hash of shard.hashes) {
      const newline = shard.text.indexOf("\n", from);
      const to = newline < 0 ? shard.text.length : newline;
      const held = hash <= limit;
      const stream = held ? heldOut : train;
      const missed = pushDocument(stream, tokens, shard.text, starts, from, to);
      if (!held) unknown += missed;
      from = to + 1;
    }
  }
  const streams = { train: train.build(), heldOut: heldOut.build() };
  const report: PrepareReport = {
    corpus: source.name,
    ...(source.licence === undefined ? {} : { licence: source.licence }),
    clean: cleaned,
    vocabularySize: vocabulary.tokens.length,
    unkShare: unknown / (streams.train.ids.length - streams.train.documents),
    trainDocuments: streams.train.documents,
    heldOutDocuments: streams.heldOut.documents,
    trainTokens: streams.train.ids.length,
    heldOutTokens: streams.heldOut.ids.length,
    seconds: (performance.now() - began) / 1000,
  };
  return { vocabulary, ...streams, report };
}
