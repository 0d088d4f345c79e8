/**
 * `clean`: raw files to a corpus of clean documents.
 *
 * A block of the input becomes a shard, by itself: any number of workers gives the same shards, and what is there when a run is killed
 * need not be made again.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { short } from "../cli/format.ts";
import { eachOf } from "../run/each_of.ts";
import { WorkerPool } from "../run/worker_pool.ts";
import { breadthOf } from "./breadth.ts";
import { type Block, blocksOf, linesBefore } from "./blocks.ts";
import type { CleanBlock } from "./clean_block.ts";
import type { CorpusReport, SourceReport } from "./report.ts";
import { type RuleCounts, sumCounts } from "./rule_counts.ts";
import { type ShardMeta, shardMeta, shardMetas, writeShard } from "./shards.ts";
import { type Source, sourceFiles } from "./sources.ts";
import { stageKey, type StageOptions } from "./stage.ts";
import { closeStage, openForStage } from "./stage_folder.ts";

/** A shard of `clean`. */
export interface CleanShard extends ShardMeta {
  /** Documents, characters and bytes before cleaning. */
  readonly read: number;
  readonly bytes: number;
  readonly rules: RuleCounts;
  readonly bad: number;
}

/** What `clean` needs. */
export interface CleanOptions extends StageOptions {
  readonly sources: readonly Source[];
  /** Lines that are no documents are counted and left out, not refused. */
  readonly skipBad: boolean;
  /** Units: bytes of a block. */
  readonly block?: number;
}

/** To be raised with every change after which the same input gives other documents. */
const FORMAT = 1;

/** Cleans sources. Undefined if it was interrupted. */
export async function clean(o: CleanOptions): Promise<CorpusReport | undefined> {
  const files = await sourceFiles(o.sources);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const weights = new Map(o.sources.map(({ name, weight }) => [name, weight]));
  const key = stageKey(FORMAT, o.block ?? 0, o.skipBad, o.sources, files);
  const before = await openForStage(o.out, "clean", key, o.sources.map(({ path }) => path));
  if (before) return before;
  using pool = new WorkerPool<Block, CleanBlock>({
    url: new URL("./clean_worker.ts", import.meta.url),
    work: "clean text",
    size: o.workers,
  });
  let count = 0, done = 0;
  const make = async (block: Block): Promise<void> => {
    const { length } = block.bytes, before = await shardMeta<CleanShard>(o.out, block.index);
    count = Math.max(count, block.index + 1);
    done += length;
    o.view.show({
      label: "clean",
      done: Math.floor(100 * block.taken / total),
      total: 100,
      figures: [`${short(done)}B`],
    });
    if (before) return;
    const { hashes, jsonl, bad, ...figures } = await pool.ask(block, [block.bytes.buffer]);
    if (bad.length > 0 && !o.skipBad) {
      const line = await linesBefore(block.path, block.at) + bad[0]!.line + 1;
      throw new InputError(
        `Cannot read ${block.path}: line ${line}: ${
          bad[0]!.why
        }; or leave such lines out with --skip-bad`,
      );
    }
    const meta: CleanShard = {
      index: block.index,
      source: block.source,
      weight: weights.get(block.source)!,
      documents: hashes.length / 2,
      bytes: length,
      bad: bad.length,
      ...figures,
    };
    await writeShard(o.out, meta, { jsonl, hash64: new Uint8Array(hashes.buffer) });
  };
  const blocks = blocksOf(files, o.block), stop = (): boolean => o.interrupt.requested;
  if (!await eachOf(blocks, pool.size + 1, make, stop)) return undefined;
  const shards = await shardMetas<CleanShard>(o.out, count);
  const sources: SourceReport[] = [];
  for (const source of o.sources) sources.push(await sourceReport(source, shards, o.out));
  const report: CorpusReport = {
    read: sources.reduce((sum, { read }) => sum + read, 0),
    kept: sources.reduce((sum, { kept }) => sum + kept, 0),
    rules: sumCounts(sources.map(({ rules }) => rules)),
    sources,
  };
  return await closeStage(o.out, { stage: "clean", key, shards: count, report });
}

async function sourceReport(
  { name, weight }: Source,
  all: readonly CleanShard[],
  folder: string,
): Promise<SourceReport> {
  const shards = all.filter(({ source }) => source === name);
  const sum = (f: (s: CleanShard) => number): number => shards.reduce((n, s) => n + f(s), 0);
  return {
    source: name,
    weight,
    bytes: sum((s) => s.bytes),
    read: sum((s) => s.read),
    kept: sum((s) => s.documents),
    characters: sum((s) => s.characters),
    bad: sum((s) => s.bad),
    breadth: await breadthOf(folder, shards),
    rules: sumCounts(shards.map(({ rules }) => rules)),
  };
}
