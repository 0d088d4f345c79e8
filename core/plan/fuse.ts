/**
 * Fusion: items join the kernels of their producers, as many as fit, and no path may leave a kernel and come back. So softmax,
 * layerNorm and gelu become one kernel each with nothing written about them.
 *
 * @module
 */
import type { Node } from "../graph/node.ts";
import { fits, type Group } from "./group.ts";
import type { Item } from "./items.ts";

/** What fusion must know besides the items. */
export interface FuseOptions {
  readonly results: readonly Node[];
  /** Most buffers of a kernel. */
  readonly bindings: number;
  /** Results that take the memory of an input: read and written, both are one buffer. */
  readonly donors: ReadonlyMap<Node, Node>;
}

/** Every item alone. */
export function ungrouped(items: readonly Item[]): Group[] {
  return items.map((it) => ({ items: [it], level: 0 }));
}

/** The groups, in the order of their first items. */
export function fuse(items: readonly Item[], options: FuseOptions): Group[] {
  const { results, bindings, donors } = options;
  const itemOf = new Map<Node, Item>(), position = new Map<Item, number>();
  const readers = new Map<Node, Item[]>(), followers = new Map<Item, Item[]>();
  const groupOf = new Map<Item, Group>(), isResult = new Set(results);
  items.forEach((it, i) => {
    itemOf.set(it.node, it);
    position.set(it, i);
    for (const n of new Set(it.operands.map((o) => o.base))) push(readers, n, it);
  });
  /** Items that must be done before: what is read, and what a barrier waits for. */
  const before = new Map<Item, Item[]>(items.map((it) => {
    const nodes = new Set([...it.operands.map((o) => o.base), ...it.after]);
    return [it, [...nodes].flatMap((n) => itemOf.get(n) ?? [])];
  }));
  for (const it of items) for (const p of before.get(it)!) push(followers, p, it);

  /** Is there a way from `it` or the groups, through other groups, into the groups again? */
  function cyclic(groups: ReadonlySet<Group>, it: Item): boolean {
    const lowest = Math.min(...[...groups].map((g) => g.level));
    const seen = new Set<Group>(), stack: Group[] = [];
    const visit = (p: Item): void => {
      const g = groupOf.get(p)!;
      // Nothing at this level or below comes after the groups.
      if (!groups.has(g) && g.level > lowest && !seen.has(g)) seen.add(g), stack.push(g);
    };
    before.get(it)!.forEach(visit);
    for (const g of groups) for (const m of g.items) before.get(m)!.forEach(visit);
    while (stack.length) {
      for (const m of stack.pop()!.items) {
        for (const p of before.get(m)!) {
          if (groups.has(groupOf.get(p)!)) return true;
          visit(p);
        }
      }
    }
    return false;
  }

  function bindingsOf(members: ReadonlyMap<Node, Item>): number {
    const reads = new Set<Node>();
    let count = 0;
    for (const it of members.values()) {
      for (const { base } of it.operands) {
        if (base.kind !== "iota" && !members.has(base)) reads.add(base);
      }
    }
    for (const [n] of members) {
      const written = isResult.has(n) ||
        (readers.get(n) ?? []).some((r) => !members.has(r.node));
      const donor = donors.get(n);
      if (written && !(donor && reads.has(donor))) count++;
    }
    return count + reads.size;
  }

  function joined(it: Item, groups: ReadonlySet<Group>): Item[] | null {
    const union = [...[...groups].flatMap((g) => g.items), it];
    const members = new Map(union.map((m) => [m.node, m]));
    if (!fits(union, members) || bindingsOf(members) > bindings || cyclic(groups, it)) return null;
    return union.sort((p, q) => position.get(p)! - position.get(q)!);
  }

  /** Sets the group of its items, and lifts what follows above it. */
  function assign(g: Group): void {
    for (const m of g.items) groupOf.set(m, g);
    const stack = [g];
    while (stack.length) {
      const x = stack.pop()!;
      for (const m of x.items) {
        for (const f of followers.get(m) ?? []) {
          const next = groupOf.get(f);
          if (next && next !== x && next.level <= x.level) {
            next.level = x.level + 1;
            stack.push(next);
          }
        }
      }
    }
  }

  for (const it of items) {
    const near = [...new Set(before.get(it)!.map((p) => groupOf.get(p)!))];
    const taken = new Set<Group>();
    let best: readonly Item[] = [it];
    if (it.kind === "map" || it.kind === "row") {
      const read = new Set(it.operands.map((o) => o.base));
      const candidates = near.filter((g) => g.items.some((m) => read.has(m.node)))
        .sort((p, q) => q.items.length - p.items.length || q.level - p.level);
      for (const g of candidates) {
        const next = joined(it, new Set([...taken, g]));
        if (next) taken.add(g), best = next;
      }
    }
    const level = Math.max(0, ...near.map((g) => taken.has(g) ? g.level : g.level + 1));
    assign({ items: best, level });
  }
  return [...new Set(items.map((it) => groupOf.get(it)!))];
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
