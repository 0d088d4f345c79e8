/**
 * The data of all cells: packed once for each length, its questions masked once.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Batch, MaskTables } from "../data/batches.ts";
import { heldOutBatches } from "../data/batches.ts";
import { pack, type PackedSet } from "../data/pack.ts";
import { tokenParts, type TokenStore } from "../data/token_store.ts";
import { unigramLogProbs, unigramPerplexity } from "../data/unigram.ts";
import { HELD_OUT_MASK } from "../masking/mask_settings.ts";
import { draws } from "../masking/counter_random.ts";
import { type Ranked, rankingFigures } from "../click/metrics.ts";
import { type ClickData, clickData, type ClickSource } from "../pretrain/click_task.ts";
import type { ClickConfig, MaskConfig } from "../pretrain/config.ts";
import { documentsOf } from "../pretrain/documents_of.ts";
import { maskTables } from "../pretrain/mask_tables.ts";
import type { RunCorpus } from "../pretrain/run_corpus.ts";
import type { ClickQuestion, TextQuestion } from "./ablation.ts";

/** Held-out tokens of a question: as many at every length. */
const ASKED = 1 << 15;
/** Tokens of a batch of them. */
const AT_ONCE = 1 << 11;
/** Held-out impressions of a question, at most. */
const IMPRESSIONS = 400;
/** What draws chance's order of titles. */
const CHANCE = 977;

/** What cells learn from and are asked. Equal calls give the same object. */
export interface AblateData {
  readonly vocabulary: RunCorpus["vocabulary"];
  /** What is learnt from, as it is. */
  readonly text: Pick<RunCorpus, "vocabulary" | "train">;
  /** Equal keys, equal data. */
  readonly key: string;
  train(length: number): PackedSet;
  tables(mask: MaskConfig): Promise<MaskTables>;
  ask(question: TextQuestion): readonly Batch[];
  /** What the unigram model reaches. */
  unigram(question: TextQuestion): number;
  /** Impressions to learn from, and those of questions. */
  clicks(config: ClickConfig): Promise<ClickData>;
  /** What chance's order of titles reaches. */
  chance(question: ClickQuestion, config: ClickConfig): Promise<number>;
}

/** Gives for equal arguments what it gave before. */
function once<A, R>(f: (argument: A) => R): (argument: A) => R {
  const known = new Map<string, R>();
  return (argument) => {
    const key = JSON.stringify(argument);
    if (!known.has(key)) known.set(key, f(argument));
    return known.get(key)!;
  };
}

function hashOf(vocabulary: RunCorpus["vocabulary"], stores: readonly TokenStore[]): string {
  const hash = createHash("sha256").update(vocabulary.tokens.join("\n"));
  for (const store of stores) {
    for (const { ids, starts, weight } of tokenParts(store)) {
      hash.update(`\0${weight} ${ids.BYTES_PER_ELEMENT}\0`);
      hash.update(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength)).update(starts);
    }
  }
  return hash.digest("hex");
}

/** The data of a corpus. `note` is told what tables hold, and how many of their lines were wrong if these are skipped. */
export function ablateData(
  corpus: RunCorpus,
  skipBad: boolean,
  note: (line: string) => void = () => {},
): AblateData {
  const { vocabulary, train, heldOut } = corpus;
  const ask = once(({ length, mask = {} }: Omit<TextQuestion, "name">) =>
    heldOutBatches(pack(heldOut, vocabulary, length), vocabulary, rowsOf(AT_ONCE, length), {
      mask: { ...HELD_OUT_MASK, ...mask },
      limit: rowsOf(ASKED, length),
    })
  );
  const clicks = once(async (config: ClickSource) => {
    const texts = () => documentsOf(train, vocabulary);
    const { notes, heldOut, ...rest } = await clickData(config, vocabulary, texts, skipBad);
    for (const text of notes) note(text);
    return { ...rest, notes, heldOut: heldOut.slice(0, IMPRESSIONS) };
  });
  const logProbs = once((_: null) => unigramLogProbs(train, vocabulary));
  return {
    vocabulary,
    text: corpus,
    key: hashOf(vocabulary, [train, heldOut]),
    train: once((length: number) => pack(train, vocabulary, length)),
    tables: once(async (mask: MaskConfig) => {
      const { tables, notes } = await maskTables(mask, train, vocabulary, skipBad);
      for (const text of notes) note(text);
      return tables;
    }),
    ask: ({ name: _name, ...question }) => ask(question),
    clicks: (config) => clicks(sourceOf(config)),
    async chance({ figure }, config) {
      const { heldOut } = await clicks(sourceOf(config));
      const ranked = heldOut.map(({ docs }, n): Ranked => {
        const own = docs.slice(0, config.docs), { uniform } = draws(CHANCE, 0, 0, n);
        return {
          scores: own.map(uniform),
          labels: own.map(({ grade, click }) => grade ?? click),
        };
      });
      return rankingFigures(ranked)[figure];
    },
    unigram: ({ name: _name, ...question }) => unigramPerplexity(logProbs(null), ask(question)),
  };
}

/** What the reading of a log depends on: not on where exactly propensities are clipped. */
function sourceOf({ log, simulated, docs, clip, heldOut }: ClickConfig): ClickSource {
  return { log, simulated, docs, clip: clip > 1 ? 2 : 1, heldOut };
}

const rowsOf = (tokens: number, length: number): number => Math.max(1, Math.floor(tokens / length));
