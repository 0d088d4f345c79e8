/**
 * Recompute rather than store: a map is repeated inside its readers where that reads no more memory than its result would, and
 * moves there if it has one reader. What crosses from forward to backward is then products, reductions and little else. A residual
 * sum (two full-size reads) is not repeated, or the twelfth layer would read every layer below it.
 *
 * @module
 */
import { bytesOf, scalarOf } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import type { Expr } from "../expr/expr.ts";
import { type Node, sizeOf, type Sizes, stridesOf } from "../graph/node.ts";
import { alive, type Item, type MapItem, operandNumber, type SpaceItem } from "./items.ts";
import type { Operand } from "./kernels.ts";
import { tidied } from "./tidy.ts";
import { through } from "./views.ts";
import { KERNEL_WEIGHT, weightOf } from "./weight.ts";

/** Extra operations an element that repeating one map may cost in all its readers together. */
const REPEATED_WEIGHT = 128;
/** The same for a small map read by a large one, which repeats it for every element. */
const BROADCAST_WEIGHT = 6;
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

/** What `producer` reads for `item` in the place of operand `o`, or null if strides cannot say it. */
function readsThrough(item: SpaceItem, o: Operand, producer: MapItem): Operand[] | null {
  const out: Operand[] = [];
  for (const q of producer.operands) {
    const access = through(item.space, o, producer.space, q);
    if (!access) return null;
    out.push({ base: q.base, ...access });
  }
  return out;
}

/** `item` with the producer's expression in the place of its result; null where views are in the way. */
function inlined(item: SpaceItem, producer: MapItem): SpaceItem | null {
  const operands = item.operands.filter((o) => o.base !== producer.node);
  const exprs: Expr[] = [];
  for (const o of item.operands) {
    if (o.base !== producer.node) {
      exprs.push(X.operand(operands.indexOf(o), scalarOf(o.base.dtype)));
      continue;
    }
    const reads = readsThrough(item, o, producer);
    if (!reads) return null;
    const parts = reads.map((q) =>
      X.operand(operandNumber(operands, q.base, q), scalarOf(q.base.dtype))
    );
    exprs.push(X.substitute(producer.expr, parts));
  }
  return {
    ...item,
    operands,
    expr: X.substitute(item.expr, exprs),
    after: [...new Set([...item.after, ...producer.after])],
  };
}

/** `inlined`, after cutting axes if it does not go without. */
function inlinedAnyhow(item: SpaceItem, producer: MapItem): SpaceItem | null {
  const direct = inlined(item, producer);
  if (direct) return direct;
  let finer: SpaceItem | null = null;
  for (const [i, o] of item.operands.entries()) {
    if (o.base !== producer.node) continue;
    const base: SpaceItem = finer ?? item;
    finer = cut(base, base.operands[i]!, producer) ?? finer;
  }
  return finer && inlined(finer, producer);
}

/** Is it worth it: operations repeated, memory read, buffers touched? */
function pays(
  before: SpaceItem,
  after: SpaceItem,
  p: MapItem,
  readers: number,
  bindings: number,
): boolean {
  const size = sizeOf(before.space), ratio = size / sizeOf(p.space), weight = weightOf(p.expr);
  if (weightOf(after.expr) > KERNEL_WEIGHT) return false;
  const bases = new Set(after.operands.map((o) => o.base).filter((n) => n.kind !== "iota"));
  if (bases.size > bindings) return false;
  if (readers === 1 && ratio <= 1) return true;
  if (ratio > 1 ? weight > BROADCAST_WEIGHT : weight * (readers - 1) > REPEATED_WEIGHT) {
    return false;
  }
  const old = before.operands.filter((o) => o.base === p.node);
  const known = new Set(before.operands.map((o) => o.base));
  const bytes = (space: Sizes, os: readonly Operand[]): number =>
    os.reduce((sum, o) => sum + bytesRead(space, o), 0);
  const fresh = after.operands.filter((o) => !known.has(o.base));
  return bytes(after.space, fresh) <= READ_SLACK * bytes(before.space, old);
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
    let now = item;
    if (now.kind !== "alone") {
      // One buffer is left for the result.
      for (const n of new Set(item.operands.map((o) => o.base))) {
        const p = current.get(n);
        if (p?.kind !== "map" || stored.has(n)) continue;
        const next: SpaceItem | null = inlinedAnyhow(now, p);
        if (next && pays(now, next, p, readers.get(n)!, bindings - 1)) now = tidied(next);
      }
    }
    current.set(item.node, now);
  }
  return alive(items.map((item) => current.get(item.node)!), results);
}
