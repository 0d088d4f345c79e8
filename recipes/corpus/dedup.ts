/**
 * `dedup`: leaves out documents that were there before, word for word or nearly.
 *
 * Of equal documents the first stays; of documents that share most of their pieces the longest. A document is left out only beside one
 * that stays and that it was compared with in full.
 *
 * Memory is about 15 bytes a document: hashes are on disk, and read one part after another.
 *
 * @module
 */
import { eachOf } from "../run/each_of.ts";
import { WorkerPool } from "../run/worker_pool.ts";
import type { BandAnswer, BandQuestion } from "./band_worker.ts";
import { groupsOf } from "./groups.ts";
import { keepDocuments } from "./keep_documents.ts";
import { type HashPart, meet } from "./meet.ts";
import { BANDS, comparable, jaccard, pieces } from "./minhash.ts";
import { readDocument } from "./places.ts";
import type { CorpusReport } from "./report.ts";
import { sumCounts } from "./rule_counts.ts";
import { closeStage, openForStage, type ShardMeta, shardPath, wholeCorpus } from "./shards.ts";
import { stageKey, type StageOptions } from "./stage.ts";

/** What `dedup` needs. */
export interface DedupOptions extends StageOptions {
  readonly in: string;
  /** Documents that share at least so much are near duplicates; 1: equal ones alone. */
  readonly threshold: number;
  /** Shorter ones are compared word for word alone. Units: UTF-16 of letters, digits and Chinese characters. */
  readonly shortest: number;
}

const FORMAT = 1;

/** Where the documents of all shards are in one row of numbers. */
interface Numbering {
  readonly shards: readonly ShardMeta[];
  /** The number of each shard's first document. */
  readonly firsts: readonly number[];
  readonly count: number;
}

function numbered(shards: readonly ShardMeta[]): Numbering {
  let count = 0;
  const firsts = shards.map(({ documents }) => (count += documents) - documents);
  return { shards, firsts, count };
}

async function words(path: string): Promise<Uint32Array> {
  return new Uint32Array((await Deno.readFile(path)).buffer);
}

/** Removes duplicates. Undefined if it was interrupted. */
export async function dedup(o: DedupOptions): Promise<CorpusReport | undefined> {
  const { info, shards } = await wholeCorpus<ShardMeta>(o.in), all = numbered(shards);
  const key = stageKey(FORMAT, info.key, o.threshold, o.shortest);
  await openForStage(o.out, "dedup", key);
  /** 1: equal to an earlier one, 2: nearly equal to a longer one. */
  const gone = new Uint8Array(all.count);
  const exact = (): AsyncIterable<HashPart> =>
    partsOf(all, (i) => words(shardPath(o.in, i, "hash64")));
  await meet(all.count, exact, () => false, (document) => gone[document] = 1);
  if (o.threshold < 1) {
    if (!await makeBands(o, all)) return undefined;
    await nearDuplicates(o, all, gone);
  }
  const rules = [undefined, "equal", "nearly equal"];
  const kept = await keepDocuments(o, shards, (shard, i) => rules[gone[all.firsts[shard]! + i]!]);
  if (!kept) return undefined;
  const report: CorpusReport = {
    read: all.count,
    kept: kept.reduce((sum, { documents }) => sum + documents, 0),
    rules: sumCounts(kept.map(({ rules }) => rules)),
  };
  await closeStage(o.out, { stage: "dedup", key, shards: shards.length, report });
  for (const { index } of shards) {
    await Deno.remove(shardPath(o.out, index, "bands")).catch(() => {});
  }
  return report;
}

async function* partsOf(
  { shards, firsts }: Numbering,
  hashes: (shard: number) => Promise<Uint32Array>,
): AsyncGenerator<HashPart> {
  for (const { index } of shards) yield { first: firsts[index]!, hashes: await hashes(index) };
}

/** The hashes of all bands, a file a shard; false if it was interrupted. */
async function makeBands(o: DedupOptions, { shards }: Numbering): Promise<boolean> {
  using pool = new WorkerPool<BandQuestion, BandAnswer>({
    url: new URL("./band_worker.ts", import.meta.url),
    work: "compare text",
    size: o.workers,
  });
  let done = 0;
  const make = async ({ index }: ShardMeta): Promise<void> => {
    const path = shardPath(o.out, index, "bands");
    o.view.show({ label: "compare", done: ++done, total: shards.length });
    if (await Deno.stat(path).catch(() => undefined)) return;
    const jsonl = await Deno.readFile(shardPath(o.in, index, "jsonl"));
    const found = await pool.ask({ jsonl, shortest: o.shortest }, [jsonl.buffer]);
    const { places, lengths, bands } = found,
      all = new Uint32Array(
        places.length + lengths.length + bands.length,
      );
    all.set(places);
    all.set(lengths, places.length);
    all.set(bands, places.length + lengths.length);
    await Deno.writeFile(`${path}.part`, new Uint8Array(all.buffer));
    await Deno.rename(`${path}.part`, path);
  };
  return await eachOf(shards, pool.size + 1, make, () => o.interrupt.requested);
}

/** A part of a shard's file of bands. */
async function readWords(path: string, from: number, count: number): Promise<Uint32Array> {
  using file = await Deno.open(path);
  await file.seek(4 * from, Deno.SeekMode.Start);
  const bytes = new Uint8Array(4 * count);
  for (let at = 0; at < bytes.length;) at += await file.read(bytes.subarray(at)) ?? bytes.length;
  return new Uint32Array(bytes.buffer);
}

/** A document is compared with so many that stay, at most: thousands that meet without being alike would take forever. */
const COMPARED = 16;

async function nearDuplicates(o: DedupOptions, all: Numbering, gone: Uint8Array): Promise<void> {
  const { shards, firsts, count } = all, groups = groupsOf(count);
  const file = (shard: number): string => shardPath(o.out, shard, "bands");
  for (let band = 0; band < BANDS; band++) {
    const parts = (): AsyncIterable<HashPart> =>
      partsOf(all, (i) => {
        const n = shards[i]!.documents;
        return readWords(file(i), 2 * n + 1 + 2 * n * band, 2 * n);
      });
    await meet(count, parts, (d) => gone[d] !== 0, groups.join);
    o.view.show({ label: "match", done: band + 1, total: BANDS });
  }
  const found = groups.groups();
  let done = 0;
  for (const group of found) {
    await settle(group);
    if (++done % 100 === 0) o.view.show({ label: "verify", done, total: found.length });
  }

  function shardOf(document: number): number {
    let low = 0, high = shards.length - 1;
    while (low < high) {
      const middle = low + high + 1 >> 1;
      if (firsts[middle]! <= document) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The pieces of a document. */
  async function piecesOf(document: number): Promise<{ pieces: Set<number>; length: number }> {
    const shard = shardOf(document), at = document - firsts[shard]!;
    const [from, to] = await readWords(file(shard), at, 2) as unknown as [number, number];
    const text = await readDocument(o.in, shard, from, to);
    return { pieces: pieces(comparable(text)), length: text.length };
  }

  /** Keeps the longest, leaves out what is like it, and so on with the rest. */
  async function settle(group: readonly number[]): Promise<void> {
    const known = await Promise.all(
      group.map(async (document) => ({ document, ...await piecesOf(document) })),
    );
    known.sort((a, b) => b.length - a.length || a.document - b.document);
    let rest = known;
    for (let round = 0; round < COMPARED && rest.length > 1; round++) {
      const [kept, ...others] = rest;
      rest = others.filter(({ document, pieces }) => {
        const isLike = jaccard(kept!.pieces, pieces) >= o.threshold;
        if (isLike) gone[document] = 2;
        return !isLike;
      });
    }
  }
}
