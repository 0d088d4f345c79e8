/**
 * What expressions cost: repeating cheap ones beats memory, repeating random bits does not.
 *
 * @module
 */
import { type Expr, type ExprOp, topological } from "../expr/expr.ts";

/** Operations that a target needs for one; all others are 1. Polynomials of about that length. */
const costs: { readonly [Op in ExprOp]?: number } = {
  in: 0,
  const: 0,
  bitcast: 0,
  div: 4,
  rem: 8,
  sqrt: 4,
  exp: 10,
  expDown: 8,
  log: 12,
  tanh: 14,
  erf: 16,
  sin: 16,
  cos: 16,
  roundF16: 16,
  roundBf16: 8,
};
const known = new WeakMap<Expr, number>(), unshared = new WeakMap<Expr, number>();

/** Operations for one element, shared parts once. */
export function weightOf(e: Expr): number {
  const found = known.get(e);
  if (found !== undefined) return found;
  const weight = topological([e]).reduce((sum, n) => sum + (costs[n.op] ?? 1), 0);
  known.set(e, weight);
  return weight;
}

/** Operations for one element if nothing were shared: at least the weight, and found without looking at the arguments again. */
function unsharedWeight(e: Expr): number {
  const found = unshared.get(e);
  if (found !== undefined) return found;
  let weight = costs[e.op] ?? 1;
  for (const a of e.args) weight += unsharedWeight(a);
  unshared.set(e, weight);
  return weight;
}

/** Is `times` the weight of `e`, with that of `other`, more than `limit`? Counts only where it is near. */
export function outweighs(limit: number, e: Expr, times = 1, other?: Expr): boolean {
  const of = (weight: (e: Expr) => number): number =>
    times * weight(e) + (other ? weight(other) : 0);
  return of(unsharedWeight) > limit && of(weightOf) > limit;
}

/** Most operations in one kernel: beyond it code is slow to make and registers spill. */
export const KERNEL_WEIGHT = 600;
