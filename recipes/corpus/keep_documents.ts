/**
 * Copies shards without some of their documents: how stages that leave documents out end.
 *
 * @module
 */
import { bytesOf } from "../data/bytes_of.ts";
import { eachOf } from "../run/each_of.ts";
import { WorkerPool } from "../run/worker_pool.ts";
import type { KeepAnswer, KeepQuestion } from "./keep_worker.ts";
import type { CorpusReport } from "./report.ts";
import { type RuleCounts, sumCounts } from "./rule_counts.ts";
import { readDocuments, readHashes, type ShardMeta, shardMeta, writeShard } from "./shards.ts";
import type { StageOptions } from "./stage.ts";

/** A shard after a stage that leaves documents out. */
interface KeptShard extends ShardMeta {
  readonly read: number;
  readonly rules: RuleCounts;
}

/**
 * Writes shard after shard to `o.out` without the documents that `why` names a rule for, and reports; undefined if it was interrupted.
 * Shards that are there are not written again.
 */
export async function keepDocuments(
  o: StageOptions & { readonly in: string },
  shards: readonly ShardMeta[],
  why: (shard: number, document: number) => string | undefined,
): Promise<CorpusReport | undefined> {
  using pool = new WorkerPool<KeepQuestion, KeepAnswer>({
    url: new URL("./keep_worker.ts", import.meta.url),
    work: "copy documents",
    size: o.workers,
  });
  const kept: KeptShard[] = [];
  let done = 0;
  const write = async ({ index, documents, source, weight }: ShardMeta): Promise<void> => {
    o.view.show({ label: "write", done: ++done, total: shards.length });
    const before = await shardMeta<KeptShard>(o.out, index);
    if (before) return void (kept[index] = before);
    const jsonl = await readDocuments(o.in, index);
    const hashes = await readHashes(o.in, index), names: string[] = [];
    const numberOf = (rule: string): number => names.indexOf(rule) + 1 || names.push(rule);
    const reasons = Uint32Array.from({ length: documents }, (_, i) => {
      const rule = why(index, i);
      return rule === undefined ? 0 : numberOf(rule);
    });
    const question = { jsonl, hashes, why: reasons, rules: names };
    const left = await pool.ask(question, [jsonl.buffer, hashes.buffer, reasons.buffer]);
    const meta: KeptShard = {
      index,
      source,
      weight,
      read: documents,
      documents: left.hashes.length / 2,
      characters: left.characters,
      rules: left.rules,
    };
    await writeShard(o.out, meta, { jsonl: left.jsonl, hash64: bytesOf(left.hashes) });
    kept[index] = meta;
  };
  if (!await eachOf(shards, pool.size + 1, write, () => o.interrupt.requested)) return undefined;
  return {
    read: kept.reduce((sum, { read }) => sum + read, 0),
    kept: kept.reduce((sum, { documents }) => sum + documents, 0),
    rules: sumCounts(kept.map(({ rules }) => rules)),
  };
}
