/**
 * Memory that the ranks of a host have in common: the first makes it, the others find it by what it tells them, and it ends with the
 * last process that has it mapped. It never has a name that could be left behind.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { DistError } from "../../error.ts";
import type { Operation } from "../../group/operation.ts";
import { type Layout, NONCE } from "./layout.ts";
import type { Libc, Mapping } from "./libc.ts";

/** Words that the first rank tells: its process and the memory's number there; then the nonce. */
const WORDS = 2, TOLD = 4 * WORDS + NONCE;

/** Memory that this rank sees. */
export interface Segment {
  readonly mapping: Mapping;
  /** Says that this rank has come. */
  arrive(): void;
  /** Are all here? */
  areAll(): boolean;
  /** Once all are here, or none will come: nobody else may find it. */
  seal(): void;
}

/**
 * The memory of the ranks `members` of a group, the first of which makes it.
 *
 * @throws DistError "engine"
 */
export async function shareSegment(
  libc: Libc,
  layout: Layout,
  op: Operation,
  members: readonly number[],
): Promise<Segment> {
  const [first] = members, told = new Uint8Array(TOLD), words = new Int32Array(told.buffer, 0, 2);
  const isFirst = op.rank === first;
  let file: number | undefined, mapping: Mapping;
  try {
    if (isFirst) {
      file = libc.create(layout.bytes);
      mapping = libc.map(file, layout.bytes);
      words.set([Deno.pid, file]);
      told.set(randomBytes(NONCE), 4 * WORDS);
      new Uint8Array(mapping.bytes, 0, NONCE).set(told.subarray(4 * WORDS));
      await Promise.all(members.filter((r) => r !== first).map((r) => op.to(r).send(told)));
    } else {
      await op.from(first!).receive(told);
      file = libc.openOf(words[0]!, words[1]!);
      mapping = libc.map(file, layout.bytes);
      const found = new Uint8Array(mapping.bytes, 0, NONCE);
      if (Buffer.compare(found, told.subarray(4 * WORDS)) !== 0) {
        libc.unmap(mapping);
        const text = `Cannot share memory with rank ${first}: process ${words[0]} is another one`;
        throw new DistError(text, "engine", { rank: first });
      }
    }
  } catch (error) {
    if (file !== undefined) libc.close(file);
    throw error;
  }
  if (!isFirst) libc.close(file);
  const counts = new Int32Array(mapping.bytes), own = file;
  return {
    mapping,
    arrive: () => void Atomics.add(counts, layout.arrived, 1),
    areAll: () => Atomics.load(counts, layout.arrived) === members.length,
    seal: () => isFirst && libc.close(own),
  };
}
