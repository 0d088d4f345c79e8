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
  const { expr, operands } = item, used = X.operandsOf([expr]);
  if (used.length === operands.length) return merged(item);
  const names: Expr[] = [];
  used.forEach((i, k) => names[i] = X.operand(k, scalarOf(operands[i]!.base.dtype)));
  return merged({
    ...item,
    operands: used.map((i) => operands[i]!),
    expr: used.every((i, k) => i === k) ? expr : X.substitute(expr, names),
  });
}

/** The item over as few axes as walk the same elements; the last one of a reduction stays. */
export function merged<T extends SpaceItem>(item: T): T {
  const { space, operands } = item, fixed = item.kind === "map" ? space.length : space.length - 1;
  const { sizes, strides } = collapsed(space, operands.map((o) => o.strides), fixed);
  if (sizes.length === space.length) return item;
  return {
    ...item,
    space: sizes,
    operands: operands.map((o, i) => ({ ...o, strides: strides[i]! })),
  };
}
