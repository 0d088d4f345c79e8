/**
 * Normalisations that ONNX has an operator for, found in our composites: one operator is faster than the eight that it stands for.
 * What is not found is exported as it is composed, with the same result.
 *
 * @module
 */
import * as X from "../../core/expr/expr.ts";
import type { Expr } from "../../core/expr/expr.ts";
import type { ReduceNode } from "../../core/graph/node.ts";
import type { Joint } from "./joint.ts";

/** LayerNorm over the axes from `axis` on. */
export interface FoundNorm {
  readonly x: Joint;
  readonly gain: Joint;
  readonly bias: Joint;
  readonly axis: number;
  readonly epsilon: number;
}

/** Softmax over one axis. */
export interface FoundSoftmax {
  readonly x: Joint;
  readonly axis: number;
}

const [a, b, c] = [0, 1, 2].map((i) => X.operand(i)) as [Expr, Expr, Expr];
const GREATEST = X.operand(0);
const pattern = {
  add: X.add(X.mul(a, b), c),
  mul: X.mul(a, b),
  square: X.mul(a, a),
  sub: X.sub(a, b),
  div: X.div(a, b),
  rsqrt: X.div(1, X.sqrt(X.add(a, b))),
  expDown: X.expDown(X.sub(a, b)),
  stopped: X.bitcast(X.bitcast(a, "u32"), "f32"),
  guarded: X.select(X.eq(GREATEST, -Infinity), 0, GREATEST),
} as const;

/** The inputs of a map of this expression, as they are before they are repeated. */
function matched(j: Joint | undefined, expr: Expr): readonly Joint[] | undefined {
  const n = j?.at[0];
  return n?.kind === "map" && n.expr === expr ? j!.inputs.map(unrepeated) : undefined;
}

function unrepeated(j: Joint): Joint {
  return j.at[0]!.kind === "expand" ? unrepeated(j.inputs[0]!) : j;
}

function reduction(
  j: Joint | undefined,
  combines: readonly ReduceNode["combine"][],
): { readonly x: Joint; readonly axes: readonly number[] } | undefined {
  const n = j?.at[0];
  if (n?.kind !== "reduce" || !combines.includes(n.combine)) return undefined;
  return { x: j!.inputs[0]!, axes: n.axes };
}

/** The mean of x over axes. Their number is a constant, or a size: it need not be looked at, as a mean has no other. */
function mean(
  j: Joint | undefined,
): { readonly x: Joint; readonly axes: readonly number[] } | undefined {
  const [sum, count] = matched(j, pattern.div) ?? [];
  const found = reduction(sum, ["sum"]), number = count && constantOf(count);
  if (!found || number === undefined) return undefined;
  const sizes = found.axes.map((axis) => found.x.at[0]!.shape[axis]!);
  return number === sizes.reduce((p, n) => p * n, 1) ? found : undefined;
}

function constantOf(j: Joint): number | undefined {
  const n = j.at[0]!;
  if (n.kind === "const") return n.number;
  return n.kind === "reshape" || n.kind === "expand" ? constantOf(j.inputs[0]!) : undefined;
}

/** gain · (x - mean x) / √(variance x + epsilon) + bias, the value of a `custom` node of x, gain and bias. */
export function foundNorm(j: Joint): FoundNorm | undefined {
  const n = j.at[0]!;
  if (n.kind !== "custom" || n.kernel || j.inputs.length !== 4) return undefined;
  const [composite, x, gain, bias] = j.inputs as [Joint, Joint, Joint, Joint];
  const [y] = matched(composite, pattern.add) ?? [];
  const [centred, root] = matched(y, pattern.mul) ?? [];
  const [from, middle] = matched(centred, pattern.sub) ?? [];
  const [spread, small] = matched(root, pattern.rsqrt) ?? [];
  const first = mean(middle), second = mean(spread), epsilon = small && constantOf(small);
  if (from !== x || first?.x !== x || !second || epsilon === undefined) return undefined;
  const [base, other = base] = matched(second.x, pattern.square) ??
    matched(second.x, pattern.mul) ?? [];
  if (base !== centred || other !== centred) return undefined;
  const axis = first.axes[0]!, rank = n.shape.length;
  const isTail = first.axes.length === rank - axis && gain.at[0]!.shape.length === rank - axis;
  if (!isTail || String(first.axes) !== String(second.axes)) return undefined;
  return { x, gain, bias, axis, epsilon };
}

/** exp(x - greatest) / Σ exp(x - greatest), whether or not a row of -∞ is looked after. */
export function foundSoftmax(j: Joint): FoundSoftmax | undefined {
  const [e, total] = matched(j, pattern.div) ?? [], sum = reduction(total, ["sum"]);
  if (!sum || sum.x !== e || sum.axes.length !== 1) return undefined;
  const [x, shift] = matched(e, pattern.expDown) ?? [];
  const greatest = matched(shift, pattern.guarded)?.[0] ?? shift;
  const top = reduction(matched(greatest, pattern.stopped)?.[0], ["peak", "max"]);
  if (!top || top.x !== x || String(top.axes) !== String(sum.axes)) return undefined;
  return { x: x!, axis: sum.axes[0]! };
}
