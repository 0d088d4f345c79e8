/**
 * Fusion: items join the kernels of their producers, as many as fit, and no path may leave a kernel and come back. So softmax,
 * layerNorm and gelu become one kernel each with nothing written about them.
 *
 * @module
 */
import { type Node, sizeOf } from "../graph/node.ts";
import { type Cluster, cyclic, gather, type Unit, unitsOf } from "./cluster.ts";
import { fits } from "./fits.ts";
import type { Item } from "./items.ts";
import type { Operand } from "./kernels.ts";
import { readAlike } from "./space.ts";
import { isPacked } from "./views.ts";

/** What fusion must know besides the items. */
export interface FuseOptions {
  readonly results: ReadonlySet<Node>;
  /** Most buffers of a kernel. */
  readonly bindings: number;
  /** Results that are written over an input: read and written, both are one buffer. */
  readonly donors: ReadonlyMap<Node, Node>;
}

/** Items that share a kernel, producers first. */
export type Group = readonly Item[];

/** Buffers that a kernel of these units reads or writes. */
function bindingsOf(units: readonly Unit[], members: ReadonlySet<Node>, o: FuseOptions): number {
  const reads = new Set<Node>();
  let writes = 0;
  for (const { item } of units) {
    for (const { base } of item.operands) {
      if (base.kind !== "iota" && !members.has(base)) reads.add(base);
    }
  }
  for (const { item: { node }, readers } of units) {
    const donor = o.donors.get(node);
    if (donor && reads.has(donor)) continue;
    if (o.results.has(node) || readers.some((r) => !members.has(r.item.node))) writes++;
  }
  return reads.size + writes;
}

/** Results that could be written over their input, but for a unit that reads another element of it, or the row's. */
function spoiled(units: readonly Unit[], { donors }: FuseOptions): number {
  const size = Math.max(...units.map(({ item }) => item.kind === "alone" ? 0 : sizeOf(item.space)));
  return units.filter(({ item: { node } }) => {
    const donor = donors.get(node);
    return donor &&
      units.some(({ item }) =>
        item.kind !== "alone" &&
        item.operands.some((o) =>
          o.base === donor && !(sizeOf(item.space) === size && isPacked(item.space, o))
        )
      );
  }).length;
}

/** The units of the clusters and one more, if they can be one kernel. */
function joined(unit: Unit, clusters: ReadonlySet<Cluster>, o: FuseOptions): Unit[] | null {
  const units = [...clusters].flatMap((c) => c.units).concat(unit);
  const members = new Set(units.map((u) => u.item.node));
  const parts = [...clusters].map((c) => c.units).concat([[unit]]);
  const possible = fits(units.map((u) => u.item), members) &&
    bindingsOf(units, members, o) <= o.bindings &&
    spoiled(units, o) <= parts.reduce((sum, p) => sum + spoiled(p, o), 0) &&
    !cyclic(units, clusters);
  return possible ? units.sort((p, q) => p.place - q.place) : null;
}

/** Levels that kernels which only share what they read may be apart: the earlier one waits for the later. */
const NEAR_LEVELS = 2;
/** Readers of one buffer that are looked at. */
const NEAR_READERS = 4;

/**
 * Kernels of the last few readers of what the unit reads in full, or is to be written over: together they read it once. A unit
 * that waits for nothing may join a late kernel, an early kernel does not wait for a late unit.
 */
function siblings(
  unit: Unit,
  readers: ReadonlyMap<Node, readonly Unit[]>,
  o: FuseOptions,
): Cluster[] {
  const { item, before } = unit, out: Cluster[] = [];
  if (item.kind === "alone") return out;
  const level = Math.max(0, ...before.map((p) => p.cluster!.level + 1)), size = sizeOf(item.space);
  for (const operand of item.operands) {
    if (sizeOf(operand.base.shape) !== size) continue;
    for (const r of readers.get(operand.base)?.slice(-NEAR_READERS) ?? []) {
      const c = r.cluster!, near = before.length === 0 || c.level <= level + NEAR_LEVELS;
      const alike = (q: Operand): boolean =>
        r.item.kind !== "alone" && readAlike(item, operand, r.item, q);
      if (near && c.level >= level - NEAR_LEVELS && r.item.operands.some(alike)) out.push(c);
    }
  }
  const donor = o.donors.get(item.node), last = donor && readers.get(donor)?.at(-1);
  if (last && item.operands.length === 0) out.push(last.cluster!);
  return out;
}

/** Joins as many kernels as it can: those of its producers, the largest first, then those that read what it reads. */
function join(
  unit: Unit,
  readers: ReadonlyMap<Node, readonly Unit[]>,
  o: FuseOptions,
): readonly Unit[] {
  let best: readonly Unit[] = [unit];
  if (unit.item.kind === "alone" || unit.item.kind === "column") return best;
  const taken = new Set<Cluster>();
  const producers = [...new Set(unit.producers.map((p) => p.cluster!))]
    .sort((p, q) => q.units.length - p.units.length || q.level - p.level);
  for (const c of new Set([...producers, ...siblings(unit, readers, o)])) {
    const next = joined(unit, new Set([...taken, c]), o);
    if (!next) continue;
    taken.add(c);
    best = next;
  }
  return best;
}

/** The groups, in the order of their first items. */
export function fuse(items: readonly Item[], options: FuseOptions): Group[] {
  const units = unitsOf(items), readers = new Map<Node, Unit[]>();
  for (const unit of units) {
    gather(join(unit, readers, options));
    for (const n of new Set(unit.item.operands.map((o) => o.base))) {
      if (readers.has(n)) readers.get(n)!.push(unit);
      else readers.set(n, [unit]);
    }
  }
  return [...new Set(units.map((u) => u.cluster!))].map((c) => c.units.map((u) => u.item));
}
