/**
 * Fusion: items join the kernels of their producers, as many as fit, and no path may leave a kernel and come back. So softmax,
 * layerNorm and gelu become one kernel each with nothing written about them.
 *
 * @module
 */
import type { Node } from "../graph/node.ts";
import { type Cluster, cyclic, gather, type Unit, unitsOf } from "./cluster.ts";
import { fits } from "./fits.ts";
import type { Item } from "./items.ts";

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

/** The units of the clusters and one more, if they can be one kernel. */
function joined(unit: Unit, clusters: ReadonlySet<Cluster>, o: FuseOptions): Unit[] | null {
  const units = [...clusters].flatMap((c) => c.units).concat(unit);
  const members = new Set(units.map((u) => u.item.node));
  const possible = fits(units.map((u) => u.item), members) &&
    bindingsOf(units, members, o) <= o.bindings && !cyclic(units, clusters);
  return possible ? units.sort((p, q) => p.place - q.place) : null;
}

/** Joins as many kernels of producers as it can, the largest first. */
function join(unit: Unit, o: FuseOptions): readonly Unit[] {
  let best: readonly Unit[] = [unit];
  if (unit.item.kind !== "map" && unit.item.kind !== "row") return best;
  const taken = new Set<Cluster>();
  const near = [...new Set(unit.producers.map((p) => p.cluster!))];
  for (const c of near.sort((p, q) => q.units.length - p.units.length || q.level - p.level)) {
    const next = joined(unit, new Set([...taken, c]), o);
    if (!next) continue;
    taken.add(c);
    best = next;
  }
  return best;
}

/** The groups, in the order of their first items. */
export function fuse(items: readonly Item[], options: FuseOptions): Group[] {
  const units = unitsOf(items);
  for (const unit of units) gather(join(unit, options));
  return [...new Set(units.map((u) => u.cluster!))].map((c) => c.units.map((u) => u.item));
}
