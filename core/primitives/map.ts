/** The rules of `map`: all of them follow from its expression. */
import { type Cells, cells } from "../backends/reference/cells.ts";
import { type DType, scalarOf } from "../dtype.ts";
import { derive } from "../expr/derive.ts";
import * as X from "../expr/expr.ts";
import { compile } from "../expr/javascript.ts";
import { add, map } from "../graph/build.ts";
import { type MapNode, type Node, sizeOf } from "../graph/node.ts";
import type { Rule } from "./rule.ts";

/** other * d(map) / d(input i) as one map of the inputs that it mentions; null if the input does not matter. */
function timesSlope(n: MapNode, other: Node, i: number, dtype: DType): Node | null {
  const slope = derive(n.expr, i);
  if (slope === null) return null;
  const all = [...n.inputs, other];
  const product = X.mul(X.operand(n.inputs.length, scalarOf(other.dtype)), slope);
  const used = X.operandsOf([product]);
  const renamed = X.substitute(
    product,
    all.map((m, k) => X.operand(Math.max(0, used.indexOf(k)), scalarOf(m.dtype))),
  );
  return map(renamed, used.map((k) => all[k]!), dtype);
}

export const mapRule: Rule<MapNode> = {
  evaluate: (n, xs) => {
    const f = compile(n.expr), out: Cells = cells(n.dtype, sizeOf(n.shape));
    const arguments_ = new Array<number>(xs.length);
    for (let i = 0; i < out.length; i++) {
      xs.forEach((x, k) => arguments_[k] = x[i]!);
      out[i] = f(arguments_);
    }
    return out;
  },
  vjp: (n, ct, i) => timesSlope(n, ct, i, n.inputs[i]!.dtype),
  jvp: (n, tangents) => {
    const parts = tangents.map((t, i) => t && timesSlope(n, t, i, n.dtype));
    const known = parts.filter((p) => p !== null);
    return known.length ? known.reduce(add) : null;
  },
  batch: (n, inputs) => map(n.expr, inputs, n.dtype),
};
