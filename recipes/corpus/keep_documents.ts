/**
 * Copies shards without some of their documents: how stages that leave documents out end.
 *
 * @module
 */
import { ruleCounter, type RuleCounts } from "./rule_counts.ts";
import { type ShardMeta, shardMeta, shardPath, writeShard } from "./shards.ts";
import type { StageOptions } from "./stage.ts";

/** A shard after a stage that leaves documents out. */
export interface KeptShard extends ShardMeta {
  readonly read: number;
  readonly rules: RuleCounts;
}

const NEWLINE = 10;

/**
 * Writes shard after shard to `o.out` without the documents that `why` names a rule for. Gives what the shards say of themselves;
 * undefined if it was interrupted. Shards that are there are not written again.
 */
export async function keepDocuments(
  o: StageOptions & { readonly in: string },
  shards: readonly ShardMeta[],
  why: (shard: number, document: number) => string | undefined,
): Promise<readonly KeptShard[] | undefined> {
  const done: KeptShard[] = [];
  for (const { index, documents, source, weight } of shards) {
    if (o.interrupt.requested) return undefined;
    o.view.show({ label: "write", done: index + 1, total: shards.length });
    const before = await shardMeta<KeptShard>(o.out, index);
    if (before) {
      done.push(before);
      continue;
    }
    const bytes = await Deno.readFile(shardPath(o.in, index, "jsonl"));
    const hashes = new Uint32Array((await Deno.readFile(shardPath(o.in, index, "hash64"))).buffer);
    const out = new Uint8Array(bytes.length), left: number[] = [], counter = ruleCounter();
    const decoder = new TextDecoder();
    let at = 0, from = 0, characters = 0;
    for (let i = 0; i < documents; i++) {
      const to = bytes.indexOf(NEWLINE, from) + 1, line = bytes.subarray(from, to);
      const text: string = JSON.parse(decoder.decode(line)).text, rule = why(index, i);
      if (rule !== undefined) counter.note(rule, text);
      else {
        out.set(line, at);
        at += line.length;
        left.push(hashes[2 * i]!, hashes[2 * i + 1]!);
        characters += text.length;
      }
      from = to;
    }
    const meta: KeptShard = {
      index,
      source,
      weight,
      read: documents,
      documents: left.length / 2,
      characters,
      rules: counter.counts(),
    };
    await writeShard(o.out, meta, {
      jsonl: out.subarray(0, at),
      hash64: new Uint8Array(Uint32Array.from(left).buffer),
    });
    done.push(meta);
  }
  return done;
}
