/**
 * Which values of a row one pass leaves for a later one. A row kernel goes over its row once a phase and once to store; what is dear
 * to compute, as the exponentials of a softmax, stands in memory of the thread's own meanwhile. Not in the result: that may lie
 * over an input which is still to be read.
 *
 * @module
 */
import { type Expr, type ExprOp, topological } from "../../expr/expr.ts";
import { REDUCED, type RowKernel } from "../../plan/kernels.ts";
import { isCounter } from "./stage.ts";

/** Instructions that are dearer than a store and a load from the nearest cache. */
const WORTH = 6;
/** Bytes that a thread keeps at most: they should stay in a cache of its own. */
const MOST = 1 << 18;

/** Instructions of operators that take several. */
const costs: { readonly [Op in ExprOp]?: number } = { bitcast: 0, div: 4, sqrt: 4, rem: 12 };

/** The kept values, and the number of the pass that computes each. */
export type Kept = ReadonlyMap<Expr, number>;

/** Bytes of one kept row: whole vectors. */
export function keptBytes(inner: number): number {
  return 16 * Math.ceil(inner / 4);
}

/** What is kept between passes over a row that compute these (prepared) values. */
export function keptValues(k: RowKernel, passes: readonly (readonly Expr[])[]): Kept {
  const kept = new Map<Expr, number>(), first = new Map<Expr, number>();
  const weights = new Map<Expr, number>(), most = Math.floor(MOST / keptBytes(k.inner));
  /** Does the value change along the row? */
  const varying = new Set<Expr>();
  for (const e of topological(passes.flat())) {
    const own = e.op === "in" ? e.value < REDUCED && k.loads[e.value]!.strides.at(-1) !== 0 : false;
    if (own || e.args.some((a) => varying.has(a))) varying.add(e);
  }
  const cost = (e: Expr): number => {
    if (e.op !== "in") return costs[e.op] ?? 1;
    const o = k.loads[e.value]!;
    return isCounter(o) ? 3 : (o.base.dtype === "f16" ? 8 : 0) + (o.strides.at(-1) === 1 ? 0 : 5);
  };
  const weight = (e: Expr): number => {
    let w = weights.get(e);
    if (w === undefined) {
      w = topological([e]).reduce((sum, n) => sum + (varying.has(n) ? cost(n) : 0), 0);
      weights.set(e, w);
    }
    return w;
  };
  passes.forEach((roots, pass) => {
    const seen = new Set<Expr>();
    const visit = (e: Expr): void => {
      if (seen.has(e) || !varying.has(e)) return;
      seen.add(e);
      const before = first.get(e);
      if (before === undefined) first.set(e, pass);
      else if (kept.has(e)) return;
      else if (before < pass && kept.size < most && weight(e) >= WORTH) {
        kept.set(e, before);
        return;
      }
      e.args.forEach(visit);
    };
    roots.forEach(visit);
  });
  return kept;
}
