/**
 * What is the same for a whole row is computed before the loops over its columns.
 *
 * @module
 */
import { type Expr, topological } from "../../expr/expr.ts";
import type { Code } from "./encoder.ts";
import type { Locals } from "./pointers.ts";
import { emit } from "./simd_expr.ts";

/** Computes what the (prepared) expressions need of `given` and constants alone; `given` is extended. */
export function hoist(exprs: readonly Expr[], given: Map<Expr, Code>, locals: Locals): Code {
  const constant = new Map<Expr, boolean>();
  const ready = topological(exprs).filter((e) => {
    const fixed = e.op === "in" ? given.has(e) : e.args.every((a) => constant.get(a));
    constant.set(e, fixed);
    return fixed && e.args.length > 0 && !given.has(e);
  });
  const { code, values } = emit(ready, new Map(given), locals);
  ready.forEach((e, i) => given.set(e, values[i]!));
  return code;
}
