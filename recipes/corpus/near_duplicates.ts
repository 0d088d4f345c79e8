/**
 * Finds documents that are nearly equal: hashes of bands say who may be alike, the texts who is.
 *
 * Memory is 12 bytes a document and what `meet` takes: the hashes are on disk, and read one band after another.
 *
 * @module
 */
import { placeIn } from "../masking/place_in.ts";
import { readPart } from "../data/read_part.ts";
import { eachOf } from "../run/each_of.ts";
import { WorkerPool } from "../run/worker_pool.ts";
import type { BandAnswer, BandQuestion } from "./band_worker.ts";
import { groupsOf } from "./groups.ts";
import { hasInterim, writeInterim } from "./interim.ts";
import type { HashPart, Meet } from "./meeting.ts";
import { BANDS } from "./minhash.ts";
import type { SettleAnswer, SettleQuestion } from "./settle_worker.ts";
import { readDocuments, type ShardMeta, shardPath } from "./shards.ts";
import type { StageOptions } from "./stage.ts";

/** What is asked. */
export interface NearOptions extends StageOptions {
  readonly in: string;
  readonly threshold: number;
  readonly shortest: number;
}

/** A file of bands: where each document begins and where the last one ends, then band by band two words a document. */
const bandPath = (folder: string, shard: number): string => shardPath(folder, shard, "bands");

/** Words [from, to) of a file. */
function readWords(path: string, from: number, to: number): Uint32Array {
  return new Uint32Array(readPart(path, 4 * from, 4 * to).buffer);
}

/** Leaves the hashes of all bands in `o.out`, a file a shard; false if it was interrupted. */
async function makeBands(o: NearOptions, shards: readonly ShardMeta[]): Promise<boolean> {
  using pool = new WorkerPool<BandQuestion, BandAnswer>({
    url: new URL("./band_worker.ts", import.meta.url),
    work: "compare text",
    size: o.workers,
  });
  let done = 0;
  const make = async ({ index, documents }: ShardMeta): Promise<void> => {
    const path = bandPath(o.out, index);
    o.view.show({ label: "compare", done: ++done, total: shards.length });
    if (await hasInterim(path, 4 * (documents + 1 + 2 * BANDS * documents))) return;
    const jsonl = await readDocuments(o.in, index);
    const { places, bands } = await pool.ask({ jsonl, shortest: o.shortest }, [jsonl.buffer]);
    const all = new Uint32Array(places.length + bands.length);
    all.set(places);
    all.set(bands, places.length);
    await writeInterim(path, new Uint8Array(all.buffer));
  };
  return await eachOf(shards, pool.size + 1, make, () => o.interrupt.requested);
}

/** Documents that a worker is asked about at once. */
const ASKED = 1000;

/** Lists of about `ASKED` numbers or more. */
function* batchesOf(groups: Iterable<number[]>): Generator<readonly (readonly number[])[]> {
  let batch: number[][] = [], size = 0;
  for (const group of groups) {
    batch.push(group);
    size += group.length;
    if (size < ASKED) continue;
    yield batch;
    [batch, size] = [[], 0];
  }
  if (size > 0) yield batch;
}

/**
 * Calls `leave` for every document that one that stays is nearly equal to; `skips` says which are left out already. Documents are
 * numbered through all shards; `firsts` has the number of each shard's first. False if it was interrupted.
 */
export async function nearDuplicates(
  o: NearOptions,
  shards: readonly ShardMeta[],
  firsts: readonly number[],
  meet: Meet,
  skips: (document: number) => boolean,
  leave: (document: number) => void,
): Promise<boolean> {
  if (!await makeBands(o, shards)) return false;
  const count = shards.reduce((sum, { documents }) => sum + documents, 0), groups = groupsOf(count);
  for (let band = 0; band < BANDS; band++) {
    const parts = function* (): Generator<HashPart> {
      for (const [i, { index, documents: n }] of shards.entries()) {
        const at = n + 1 + 2 * n * band;
        yield { first: firsts[i]!, hashes: readWords(bandPath(o.out, index), at, at + 2 * n) };
      }
    };
    await meet(parts, skips, groups.join);
    o.view.show({ label: "match", done: band + 1, total: BANDS });
    if (o.interrupt.requested) return false;
  }
  const starts = shards.map(({ index, documents }) =>
    readWords(bandPath(o.out, index), 0, documents + 1)
  );
  const ends = shards.map(({ documents }, i) => firsts[i]! + documents);
  using pool = new WorkerPool<SettleQuestion, SettleAnswer>({
    url: new URL("./settle_worker.ts", import.meta.url),
    work: "compare documents",
    size: o.workers,
  });
  const settle = async (batch: readonly (readonly number[])[]): Promise<void> => {
    const documents = batch.flat(), places = new Uint32Array(3 * documents.length);
    documents.forEach((document, i) => {
      const shard = placeIn(ends, document), at = document - firsts[shard]!;
      places.set([shard, starts[shard]![at]!, starts[shard]![at + 1]!], 3 * i);
    });
    let end = 0;
    const groupEnds = batch.map(({ length }) => end += length);
    const question = { folder: o.in, places, ends: groupEnds, threshold: o.threshold };
    const gone = await pool.ask(question, [places.buffer]);
    documents.forEach((document, i) => gone[i] && leave(document));
    o.view.show({ label: "verify", done: documents.at(-1)! + 1, total: count });
  };
  return await eachOf(
    batchesOf(groups.groups()),
    pool.size + 1,
    settle,
    () => o.interrupt.requested,
  );
}

/** Removes what is not needed any more. */
export async function removeBands(folder: string, shards: readonly ShardMeta[]): Promise<void> {
  for (const { index } of shards) await Deno.remove(bandPath(folder, index)).catch(() => {});
}
