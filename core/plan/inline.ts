/**
 * Recompute rather than store: a map is repeated inside its readers where that reads no more memory than its result would, and
 * moves there if it has one reader. What crosses from forward to backward is then products, reductions and little else. A residual
 * sum (two full-size reads) is not repeated, or the twelfth layer would read every layer below it.
 *
 * @module
 */
import { bytesOf } from "../dtype.ts";
import { type Node, sameShape, sizeOf, type Sizes, stridesOf } from "../graph/node.ts";
import { backwards, inlined, type Reads } from "./inlined.ts";
import { alive, type Item, type MapItem, type SpaceItem } from "./items.ts";
import type { Operand } from "./kernels.ts";
import { isPacked, through } from "./views.ts";
import { KERNEL_WEIGHT, outweighs } from "./weight.ts";

/** Extra operations an element that repeating one map may cost in all its readers together. */
const REPEATED_WEIGHT = 128;
/** The same for a small map read by a large one, which repeats it for every element. */
const BROADCAST_WEIGHT = 6;
/** The same for a map that one reader reads at several places, as a step of a sorting network does. */
const PLACES_WEIGHT = 20;
/** How much more memory a reader may read so that a map is not written. */
const READ_SLACK = 1.5;

/** Bytes that an operand really reads. */
function bytesRead(space: Sizes, o: Operand): number {
  if (o.base.kind === "iota") return 0;
  return space.reduce((n, s, i) => o.strides[i] === 0 ? n : n * s, bytesOf(o.base.dtype));
}

/**
 * The axes of `item`, cut where the axes of `producer` end below operand `o`; the last axis of a reduction stays whole. Null
 * if nothing is to be cut.
 */
function cut(item: SpaceItem, o: Operand, producer: MapItem): SpaceItem | null {
  const ends = stridesOf(producer.space).slice(0, -1);
  const parts = item.space.map((n, i) => {
    const s = Math.abs(o.strides[i]!), sizes: number[] = [];
    let rest = n;
    if (s === 0 || (item.kind !== "map" && i === item.space.length - 1)) return [n];
    for (const end of ends) {
      const inner = end / s;
      if (Number.isInteger(inner) && inner > 1 && inner < rest && rest % inner === 0) {
        sizes.push(rest / inner);
        rest = inner;
      }
    }
    return [...sizes, rest];
  });
  if (parts.every((p) => p.length === 1)) return null;
  const finer = (strides: readonly number[]): number[] =>
    strides.flatMap((s, i) => stridesOf(parts[i]!).map((step) => s * step));
  return {
    ...item,
    space: parts.flat(),
    operands: item.operands.map((p) => ({ ...p, strides: finer(p.strides) })),
  };
}

/** What the producer would read at its reader's elements, or null if strides cannot say it. */
function readsThrough(item: SpaceItem, producer: MapItem): Reads | null {
  const out: (readonly Operand[] | null)[] = [];
  for (const o of item.operands) {
    const reads = o.base === producer.node ? readsAt(item, o, producer) : undefined;
    if (reads === null) return null;
    out.push(reads ?? null);
  }
  return out;
}

/** What the producer would read where one operand of its reader reads it. */
function readsAt(item: SpaceItem, o: Operand, producer: MapItem): readonly Operand[] | null {
  if (sameShape(item.space, producer.space) && isPacked(item.space, o)) return producer.operands;
  const out: Operand[] = [];
  for (const q of producer.operands) {
    const access = through(item.space, o, producer.space, q);
    if (!access) return null;
    out.push({ base: q.base, ...access });
  }
  return out;
}

/** The item, its axes cut if need be, with what the producer would read there. */
function reachable(item: SpaceItem, p: MapItem): { item: SpaceItem; reads: Reads } | null {
  const reads = readsThrough(item, p);
  if (reads) return { item, reads };
  let finer = item;
  item.operands.forEach((o, i) => {
    if (o.base === p.node) finer = cut(finer, finer.operands[i]!, p) ?? finer;
  });
  const cutReads = finer === item ? null : readsThrough(finer, p);
  return cutReads && { item: finer, reads: cutReads };
}

/** Would repeating the producer cost too many operations? `readers` counts the items that read its result. */
function tooHeavy(item: SpaceItem, p: MapItem, readers: number): boolean {
  const ratio = sizeOf(item.space) / sizeOf(p.space);
  const places = item.operands.filter((o) => o.base === p.node).length;
  if (outweighs(KERNEL_WEIGHT, p.expr, places, item.expr)) return true;
  if (ratio > 1) return outweighs(BROADCAST_WEIGHT, p.expr);
  return outweighs(REPEATED_WEIGHT, p.expr, readers - 1) ||
    outweighs(PLACES_WEIGHT, p.expr, places - 1);
}

/** Would the item touch too many buffers, or, if it is not the only reader, read much more memory than before? */
function readsTooMuch(
  item: SpaceItem,
  p: MapItem,
  reads: Reads,
  alone: boolean,
  bindings: number,
): boolean {
  const kept = new Set(item.operands.map((o) => o.base).filter((n) => n !== p.node));
  const fresh = reads.flatMap((r) => r ?? []).filter((q) => !kept.has(q.base));
  if (alone && kept.size + fresh.length <= bindings) return false;
  const bases = new Set([...kept, ...fresh.map((q) => q.base)].filter((n) => n.kind !== "iota"));
  if (bases.size > bindings) return true;
  if (alone) return false;
  const bytes = (os: readonly Operand[]): number =>
    os.reduce((sum, o) => sum + bytesRead(item.space, o), 0);
  return bytes(fresh) > READ_SLACK * bytes(item.operands.filter((o) => o.base === p.node));
}

/** `items` with maps repeated in their readers, and without those that nobody reads any more. */
export function inlineMaps(
  items: readonly Item[],
  results: readonly Node[],
  bindings: number,
): Item[] {
  // What a lone kernel or the caller reads is stored anyway: reading it costs no more than repeating it.
  const stored = new Set<Node>(results), readers = new Map<Node, number>();
  for (const item of items) {
    for (const n of new Set(item.operands.map((o) => o.base))) {
      if (item.kind === "alone") stored.add(n);
      readers.set(n, (readers.get(n) ?? 0) + 1);
    }
  }
  const current = new Map<Node, Item>();
  for (const item of items) {
    let now = backwards(item);
    if (now.kind !== "alone") {
      // One buffer is left for the result.
      for (const n of new Set(item.operands.map((o) => o.base))) {
        const p = current.get(n);
        if (p?.kind !== "map" || stored.has(n)) continue;
        const count = readers.get(n)!;
        if (tooHeavy(now, p, count)) continue;
        const reach = reachable(now, p);
        if (!reach) continue;
        const alone = count === 1 && sizeOf(now.space) <= sizeOf(p.space);
        if (readsTooMuch(reach.item, p, reach.reads, alone, bindings - 1)) continue;
        now = inlined(reach.item, p, reach.reads);
      }
    }
    current.set(item.node, now);
  }
  return alive(items.map((item) => current.get(item.node)!), results).map(backwards);
}
