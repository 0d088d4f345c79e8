/**
 * `filter`: leaves out documents that are least like text that is known to be good.
 *
 * A character n-gram model of the good text gives each document a perplexity; thirds of the characters are called head, middle and
 * tail, as in CCNet (arXiv 1911.00359, section 3.3).
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { eachOf } from "../run/each_of.ts";
import { WorkerPool } from "../run/worker_pool.ts";
import type { FilterAnswer, FilterQuestion } from "./filter_worker.ts";
import { hasInterim, writeInterim } from "./interim.ts";
import { keepDocuments } from "./keep_documents.ts";
import { ngramCounter, type NgramModel } from "./ngram_model.ts";
import { quantiles } from "./quantiles.ts";
import type { CorpusReport } from "./report.ts";
import { readDocuments, type ShardMeta, shardPath, shardTexts, wholeText } from "./shards.ts";
import { spread } from "./spread.ts";
import { stageKey, type StageOptions } from "./stage.ts";
import { closeStage, openForStage } from "./stage_folder.ts";

/** The thirds, from the most to the least like the good text. */
export const thirds = ["head", "middle", "tail"] as const;
/** One of them. */
export type Third = typeof thirds[number];

/** What `filter` needs. */
export interface FilterOptions extends StageOptions {
  readonly in: string;
  /** A corpus of good text. */
  readonly good: string;
  readonly keep: readonly Third[];
}

/** To be raised with every change after which the same input gives other documents. */
const FORMAT = 1;

/** Characters that the model is made from: more changes little, and takes 50 bytes each. */
const GOOD_CHARACTERS = 8_000_000;

async function modelOf(folder: string, shards: readonly ShardMeta[]): Promise<NgramModel> {
  const counter = ngramCounter();
  let characters = 0;
  for (const { index } of spread(shards, GOOD_CHARACTERS)) {
    for (const text of await shardTexts(folder, index)) {
      counter.add(text);
      characters += text.length;
    }
  }
  if (characters === 0) throw new InputError(`Cannot learn from ${folder}: no text is in it`);
  return counter.model();
}

/** Leaves the other thirds out. Undefined if it was interrupted. */
export async function filter(o: FilterOptions): Promise<CorpusReport | undefined> {
  const { info, shards } = await wholeText(o.in), good = await wholeText(o.good);
  const key = stageKey(FORMAT, info.key, good.info.key, o.keep);
  const before = await openForStage(o.out, "filter", key, [o.in, o.good]);
  if (before) return before;
  const model = await modelOf(o.good, good.shards);
  const path = (shard: number): string => shardPath(o.out, shard, "perplexity");
  {
    using pool = new WorkerPool<FilterQuestion, FilterAnswer>({
      url: new URL("./filter_worker.ts", import.meta.url),
      work: "filter text",
      size: o.workers,
    });
    let done = 0;
    const make = async ({ index, documents }: ShardMeta): Promise<void> => {
      o.view.show({ label: "filter", done: ++done, total: shards.length });
      if (await hasInterim(path(index), 8 * documents)) return;
      const jsonl = await readDocuments(o.in, index);
      const found = await pool.ask({ jsonl, model }, [jsonl.buffer]);
      await writeInterim(path(index), new Uint8Array(found.buffer));
    };
    if (!await eachOf(shards, pool.size + 1, make, () => o.interrupt.requested)) return undefined;
  }
  const marks = quantiles(), all: Float32Array[] = [];
  for (const { index, documents } of shards) {
    const found = new Float32Array((await Deno.readFile(path(index))).buffer);
    const perplexities = all[index] = found.slice(0, documents);
    perplexities.forEach((perplexity, i) => marks.add(perplexity, found[documents + i]!));
  }
  const bounds = [marks.at(1 / 3), marks.at(2 / 3)] as const;
  const thirdOf = (perplexity: number): Third =>
    thirds[perplexity <= bounds[0] ? 0 : perplexity <= bounds[1] ? 1 : 2];
  const kept = await keepDocuments(o, shards, (shard, document) => {
    const third = thirdOf(all[shard]![document]!);
    return o.keep.includes(third) ? undefined : third;
  });
  if (!kept) return undefined;
  for (const { index } of shards) await Deno.remove(path(index)).catch(() => {});
  const report = { ...kept, bounds };
  return await closeStage(o.out, { stage: "filter", key, shards: shards.length, report });
}
