/**
 * What an elementwise op is: a row of data. The value on every backend, the gradient, vmap and the law all follow from
 * its expression; the public function beside the row adds the types and the documentation.
 *
 * @module
 */
import { type DType, isFloat } from "../dtype.ts";
import type { Expr } from "../expr/expr.ts";
import { settle } from "../execute.ts";
import { compute, constant } from "../graph/build.ts";
import { broadcastShape, unwrap } from "../shape/mod.ts";
import { type AnyTensor, nodeOf, wrap } from "../tensor.ts";
import type { Draw, Drawn, Law, Trial } from "./law.ts";

/** What a row says of its op beside the expression. */
export interface RowOptions {
  /** Where operands are drawn from by the laws: one domain, or one each. */
  readonly domain?: readonly [number, number] | readonly (readonly [number, number])[];
  /** dtypes of the operands that the laws draw; the first also checks gradients. Default ["f32"]. */
  readonly dtypes?: readonly DType[];
  /** The result's dtype; by default that of the first operand. */
  readonly result?: DType;
  /** No derivative worth comparing with finite differences (kinks, steps). */
  readonly smooth?: boolean;
  /** The largest relative error between backends, if above 1e-5. */
  readonly tolerance?: number;
}

/** An elementwise op. */
export interface Row extends Law, RowOptions {
  readonly arity: number;
  readonly expr: (...operands: Expr[]) => Expr;
}

/** The row of the op `name`; the expression takes one argument an operand. */
export function row(
  name: string,
  expr: (...operands: Expr[]) => Expr,
  options: RowOptions = {},
): Row {
  const self: Row = {
    law: name,
    arity: expr.length,
    expr,
    ...options,
    draw: (d) => trial(self, d),
  };
  return self;
}

/** Operands of one shape, or with axes dropped or set to 1 so that they broadcast. */
function trial(op: Row, draw: Draw): Trial {
  const { domain = [-3, 3], dtypes = ["f32"], smooth = true, tolerance } = op;
  const dtype = draw.oneOf(dtypes), shape = draw.shape(0, 4);
  const inputs = Array.from({ length: op.arity }, (_, i): Drawn => {
    const range = typeof domain[0] === "number" ? domain : domain[i]!;
    const narrowed = shape.map((n) => draw.int(0, 4) === 0 ? 1 : n);
    const from = draw.int(0, 3) === 0 ? draw.int(0, shape.length) : 0;
    const own = i === 0 ? shape : narrowed.slice(from);
    return { shape: own, dtype, domain: range as readonly [number, number], special: true };
  });
  return {
    inputs,
    call: (...xs) => elementwise(op, ...xs),
    smooth: smooth && isFloat(dtype),
    ...tolerance === undefined ? {} : { tolerance },
  };
}

/**
 * The op of a row on tensors that broadcast, or numbers, which take the dtype of the first tensor.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 */
export function elementwise(op: Row, ...xs: readonly (AnyTensor | number)[]): AnyTensor {
  const like = xs.find((x) => typeof x !== "number") as AnyTensor;
  const nodes = xs.map((x) => typeof x === "number" ? constant(x, like.dtype as DType) : nodeOf(x));
  let shape: readonly number[] = nodes[0]!.shape;
  for (const n of nodes.slice(1)) {
    if (n.dtype !== nodes[0]!.dtype) {
      throw new TypeError(
        `Cannot ${op.law} ${nodes[0]!.dtype} with ${n.dtype}: dtypes must be equal`,
      );
    }
    shape = unwrap(broadcastShape(op.law, shape, n.shape));
  }
  const out = compute(op.expr, nodes, op.result ?? nodes[0]!.dtype);
  return wrap(settle(out));
}
