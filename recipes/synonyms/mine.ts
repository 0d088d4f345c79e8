/**
 * `data synonyms`: a table of synonyms from a corpus alone, so that nothing licensed is needed.
 *
 * Words that stand in the same places have vectors that point the same way (`trainVectors`). Those of as many characters that are near and
 * no antonyms become a line of the table, weighted with exp(cos / τ). Such words are often of a kind rather than synonyms (Monday and
 * Tuesday): for masking that is what is wanted, a likely word that is wrong. A curated table is better where there is one.
 *
 * @module
 */
import type { Device } from "../../core/mod.ts";
import { InputError } from "../cli/input_error.ts";
import { newFile } from "../corpus/new_file.ts";
import type { CorpusReport } from "../corpus/report.ts";
import { type ShardMeta, shardTexts, wholeText } from "../corpus/shards.ts";
import { spread } from "../corpus/spread.ts";
import type { StageOptions } from "../corpus/stage.ts";
import { type Antonyms, areAntonyms } from "../masking/antonyms.ts";
import { SegmentPool } from "../masking/segment_pool.ts";
import { eachOf } from "../run/each_of.ts";
import { writeWhole } from "../run/write_whole.ts";
import { effortOf } from "./effort.ts";
import { nearestWords } from "./nearest_words.ts";
import { trainVectors, VECTOR_SETTINGS } from "./train_vectors.ts";
import { wordCollector } from "./word_stream.ts";

/** What `synonyms` needs; its result is a file. */
export interface MineOptions extends StageOptions {
  readonly in: string;
  readonly device: Device;
  /** Steps of as many pairs as the settings say; left out, as many pairs as the corpus is worth. */
  readonly steps?: number | undefined;
  readonly antonyms: Antonyms;
}

/** Words of the table at most, and occurrences at least: rarer ones have poor vectors. */
const MOST = 30_000, LEAST = 8;
/** Synonyms of a word at most; less similar words are none. */
const SYNONYMS = 8, SIMILAR = 0.55;
/** Characters that are read: training sees fewer. */
const CHARACTERS = 50_000_000;
/** τ of exp(cos / τ). */
const TEMPERATURE = 0.1;

/** Mines a table. Undefined if it was interrupted. */
export async function mineSynonyms(o: MineOptions): Promise<CorpusReport | undefined> {
  const { shards } = await wholeText(o.in), collector = wordCollector();
  const parts = spread(shards, CHARACTERS);
  await newFile(o.out);
  let read = 0;
  {
    using pool = new SegmentPool({ newWords: true }, o.workers);
    // In the order of the shards, whichever is segmented first: words get their numbers in it.
    const segment = async ({ index }: ShardMeta) => {
      const texts = (await shardTexts(o.in, index)).map((text) => text.replaceAll("\n", " "));
      return { texts, starts: await pool.segment(texts.join("\n")) };
    };
    const found: (Awaited<ReturnType<typeof segment>> | undefined)[] = [];
    let next = 0;
    const take = async ([i, shard]: readonly [number, ShardMeta]): Promise<void> => {
      found[i] = await segment(shard);
      for (; found[next]; next++) {
        const { texts, starts } = found[next]!;
        let from = 0;
        for (const text of texts) {
          collector.add(text, starts.subarray(from, from + text.length));
          from += text.length + 1;
          read++;
        }
        found[next] = undefined;
        o.view.show({ label: "segment", done: next + 1, total: parts.length });
      }
    };
    if (!await eachOf(parts.entries(), o.workers + 1, take, () => o.interrupt.requested)) {
      return undefined;
    }
  }
  const words = collector.stream({ most: MOST, least: LEAST });
  if (words.words.length < 100) {
    throw new InputError(
      `Cannot mine synonyms from ${o.in}: ${words.words.length} words are there ${LEAST} times; give more text`,
    );
  }
  const { steps, batch } = o.steps === undefined
    ? effortOf(words, VECTOR_SETTINGS)
    : { ...VECTOR_SETTINGS, steps: o.steps };
  const settings = { ...VECTOR_SETTINGS, steps, batch };
  o.view.note(
    `${words.words.length} words are there ${LEAST} times or more; vectors of them learn in ${steps} steps of ${batch} pairs`,
  );
  const show = (done: number, loss: number): void =>
    o.view.show({ label: "vectors", done, total: steps, figures: [`loss ${loss.toFixed(3)}`] });
  const stop = (): boolean => o.interrupt.requested;
  const vectors = await trainVectors(words, o.device, settings, show, stop);
  if (!vectors) return undefined;
  const groups = [...Map.groupBy(words.words.keys(), (id) => words.words[id]!.length).values()];
  const total = words.words.length;
  const compared = (done: number): void => o.view.show({ label: "compare", done, total });
  const nearest = await nearestWords(
    vectors,
    settings.width,
    groups,
    { most: SYNONYMS, least: SIMILAR, progress: compared, stop },
    (a, b) => !areAntonyms(o.antonyms, words.words[a]!, words.words[b]!),
  );
  if (!nearest) return undefined;
  const lines = nearest.flatMap((found, id) => {
    if (found.length === 0) return [];
    const others = found.map(({ word, similarity }) =>
      `${words.words[word]} ${Math.exp((similarity - 1) / TEMPERATURE).toPrecision(4)}`
    );
    return [`${words.words[id]}\t${others.join("\t")}\n`];
  });
  await writeWhole(o.out, lines.join(""));
  return { read, kept: read, rules: {}, words: words.words.length, synonyms: lines.length };
}
