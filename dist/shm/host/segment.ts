/**
 * Memory that the ranks of a host have in common: the first makes it, the others find it by what it tells them, and it ends with the
 * last process that has it mapped. It never has a name that could be left behind.
 *
 * @module
 */
import type { Operation } from "../../group/operation.ts";
import type { Layout } from "./layout.ts";
import type { Libc, Mapping } from "./libc.ts";
import { findMemory, offerMemory, TOLD } from "./told.ts";

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
  const [first, ...others] = members as [number, ...number[]];
  const segmentOf = (mapping: Mapping, seal: () => void): Segment => {
    const counts = new Int32Array(mapping.bytes);
    return {
      mapping,
      arrive: () => void Atomics.add(counts, layout.arrived, 1),
      areAll: () => Atomics.load(counts, layout.arrived) === members.length,
      seal,
    };
  };
  if (op.rank !== first) {
    const told = new Uint8Array(TOLD);
    await op.from(first).receive(told);
    return segmentOf(findMemory(libc, told, layout.bytes), () => {});
  }
  const { mapping, told, seal } = offerMemory(libc, layout.bytes);
  try {
    await Promise.all(others.map((r) => op.to(r).send(told)));
    return segmentOf(mapping, seal);
  } catch (error) {
    seal();
    libc.unmap(mapping);
    throw error;
  }
}
