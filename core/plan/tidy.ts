/**
 * The plainest form of an item: no operand that the expression lacks, no axis that could be merged.
 *
 * @module
 */
import { scalarOf } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import type { Expr } from "../expr/expr.ts";
import type { SpaceItem } from "./items.ts";
import { collapsed } from "./views.ts";

export function tidied<T extends SpaceItem>(item: T): T {
  const { expr, operands, space } = item, used = X.operandsOf([expr]);
  const kept = used.map((i) => operands[i]!), names: Expr[] = [];
  used.forEach((i, k) => names[i] = X.operand(k, scalarOf(operands[i]!.base.dtype)));
  const fixed = item.kind === "map" ? space.length : space.length - 1;
  const { sizes, strides } = collapsed(space, kept.map((o) => o.strides), fixed);
  return {
    ...item,
    space: sizes,
    operands: kept.map((o, i) => ({ ...o, strides: strides[i]! })),
    expr: used.every((i, k) => i === k) ? expr : X.substitute(expr, names),
  };
}
