/**
 * Items and the kernels that they are gathered in, as a graph: whether gathering some of them would make two kernels
 * wait for each other.
 *
 * @module
 */
import type { Node } from "../graph/node.ts";
import type { Item } from "./items.ts";

/** An item and its neighbours. */
export interface Unit {
  readonly item: Item;
  readonly place: number;
  /** What is read. */
  readonly producers: readonly Unit[];
  /** What must be done before: what is read, and what a barrier waits for. */
  readonly before: readonly Unit[];
  readonly readers: Unit[];
  /** What this must be before. */
  readonly next: Unit[];
  cluster: Cluster | null;
}

/** The units of one kernel. */
export interface Cluster {
  readonly units: readonly Unit[];
  /** Producers of a kernel have lower levels than it. */
  level: number;
  /** Number of the last search that came by. */
  search: number;
}

/** Kernels that a search visits at most: what would join over so long a way is hardly ever free of a cycle. */
const LONGEST_SEARCH = 1024;
let searches = 0;

/** The items as units; every item's producers stand before it. */
export function unitsOf(items: readonly Item[]): Unit[] {
  const made = new Map<Node, Unit>();
  return items.map((item, place) => {
    const of = (nodes: readonly Node[]): Unit[] =>
      [...new Set(nodes)].flatMap((n) => made.get(n) ?? []);
    const producers = of(item.operands.map((o) => o.base)), others = of(item.after);
    const before = others.length ? [...new Set([...producers, ...others])] : producers;
    const unit: Unit = { item, place, producers, before, readers: [], next: [], cluster: null };
    for (const p of producers) p.readers.push(unit);
    for (const p of before) p.next.push(unit);
    made.set(item.node, unit);
    return unit;
  });
}

/** Would one kernel of these units wait for itself? A search that is too long counts as yes. */
export function cyclic(units: readonly Unit[], clusters: ReadonlySet<Cluster>): boolean {
  const search = ++searches, stack: Cluster[] = [];
  let lowest = Infinity, visited = 0;
  for (const c of clusters) lowest = Math.min(lowest, c.level);
  const visit = (u: Unit): void => {
    const c = u.cluster!;
    // Nothing at the lowest level or below comes after any of the clusters.
    if (c.level <= lowest || c.search === search || clusters.has(c)) return;
    c.search = search;
    stack.push(c);
  };
  for (const u of units) u.before.forEach(visit);
  while (stack.length) {
    if (++visited > LONGEST_SEARCH) return true;
    for (const u of stack.pop()!.units) {
      for (const p of u.before) {
        if (clusters.has(p.cluster!)) return true;
        visit(p);
      }
    }
  }
  return false;
}

/** Makes the units one kernel, and lifts what comes after it. */
export function gather(units: readonly Unit[]): void {
  const cluster: Cluster = { units, level: 0, search: 0 };
  for (const u of units) u.cluster = cluster;
  for (const u of units) {
    for (const p of u.before) {
      if (p.cluster !== cluster) cluster.level = Math.max(cluster.level, p.cluster!.level + 1);
    }
  }
  const stack = [cluster];
  while (stack.length) {
    const c = stack.pop()!;
    for (const u of c.units) {
      for (const { cluster: next } of u.next) {
        if (!next || next === c || next.level > c.level) continue;
        next.level = c.level + 1;
        stack.push(next);
      }
    }
  }
}
