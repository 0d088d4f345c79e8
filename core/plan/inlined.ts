/**
 * A map's expression inside its reader. A sum of a thousand norms is a thousand maps, each read by the next: so that its cost grows
 * with its length and not with the square, an expression that moves into its reader must stay the same object. While maps are inlined,
 * operands are therefore numbered from the last one backwards, and those of the producer come last: they keep their numbers.
 *
 * @module
 */
import { scalarOf } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import type { Expr } from "../expr/expr.ts";
import { type Item, type MapItem, operandNumber, type SpaceItem } from "./items.ts";
import type { Operand } from "./kernels.ts";
import { merged, tidied } from "./tidy.ts";

/** What a producer reads for every operand of an item that reads its result; nothing for the others. */
export type Reads = readonly (readonly Operand[] | null)[];

interface Turned {
  readonly count: number;
  readonly expr: Expr;
}
const turned = new WeakMap<Expr, Turned>();

/** The item with its operands numbered the other way round. */
export function backwards<T extends Item>(item: T): T {
  if (item.kind === "alone" || item.operands.length < 2) return item;
  const { expr } = item, count = item.operands.length, known = turned.get(expr);
  if (known?.count === count) return { ...item, expr: known.expr };
  const other = X.renumber(expr, (i) => count - 1 - i);
  turned.set(expr, { count, expr: other });
  turned.set(other, { count, expr });
  return { ...item, expr: other };
}

/** The producer's expression in the place of its result. Both items count backwards. */
export function inlined(item: SpaceItem, producer: MapItem, reads: Reads): SpaceItem {
  const operands = item.operands.filter((_, i) => !reads[i]);
  const places = reads.map((read) => {
    // Where the producer is read as it stands, its operands differ from each other already.
    const among = read === producer.operands ? operands.length : Infinity;
    return read?.map((q) => operandNumber(operands, q.base, q, among));
  });
  const numberOf = (place: number): number => operands.length - 1 - place;
  /** Which operands the parts mention. */
  const parts = new Map<Expr, readonly number[]>();
  let next = 0;
  const exprs = item.operands.map((o, i) => {
    const at = places[i];
    if (!at) return X.operand(numberOf(next++), scalarOf(o.base.dtype));
    const first = operands.length - at.length;
    const part = at.every((place, k) => place === first + k)
      ? producer.expr
      : X.renumber(producer.expr, (number) => numberOf(at[at.length - 1 - number]!));
    parts.set(part, at);
    return part;
  });
  const expr = X.substitute(item.expr, exprs.reverse());
  const after = producer.after.length
    ? [...new Set([...item.after, ...producer.after])]
    : item.after;
  const now = { ...item, operands, expr, after };
  return mentioned(expr, parts, operands.length) ? merged(now) : backwards(tidied(backwards(now)));
}

/** Are all of so many operands left in the expression? A choice between equals has vanished. */
function mentioned(e: Expr, parts: ReadonlyMap<Expr, readonly number[]>, count: number): boolean {
  const found = new Uint8Array(count), seen = new Set<Expr>();
  const visit = (x: Expr): void => {
    if (seen.has(x)) return;
    seen.add(x);
    const places = parts.get(x);
    if (places) { for (const p of places) found[p] = 1; }
    else if (x.op === "in") found[count - 1 - x.value] = 1;
    else x.args.forEach(visit);
  };
  visit(e);
  return !found.includes(0);
}
