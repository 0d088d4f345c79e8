/**
 * What an elementwise op is: a row of data. The value on every backend, the gradient, vmap and the law all follow from
 * its expression; the public function beside the row adds the types and the documentation.
 *
 * Special values, unless an op says otherwise: NaN stays NaN, infinities and -0 follow IEEE 754, results beyond the
 * largest number are infinite, denormal numbers are kept, empty tensors give empty tensors. `cpu` and `reference` hold to
 * that. WGSL may take NaN and infinities for absent and denormal numbers for 0: on `webgpu` only tests of bits, moves and
 * choices are exact there.
 *
 * @module
 */
import { type DType, isFloat } from "../dtype.ts";
import type { Expr } from "../expr/expr.ts";
import { settle } from "../execute.ts";
import { compute, constant } from "../graph/build.ts";
import type { Node } from "../graph/node.ts";
import { broadcastShape, unwrap } from "../shape/mod.ts";
import { type AnyTensor, nodeOf, type Tensor, wrap } from "../tensor.ts";
import type { Draw, Drawn, Law, Trial } from "./law.ts";

/** What a row says of its op beside the expression. */
export interface RowOptions {
  /** Where operands are drawn from by the laws: one domain, or one each. */
  readonly domain?: readonly [number, number] | readonly (readonly [number, number])[];
  /** dtypes of the operands that the laws draw; by default f32, and now and then f16 or bf16. */
  readonly dtypes?: readonly DType[];
  /** Which special values the laws mix in: all (the default), none, or these. */
  readonly special?: Drawn["special"];
  /** Moves or tests bits, so that special values are exact on `webgpu` too. */
  readonly exact?: boolean;
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

const mostlyF32: readonly DType[] = ["f32", "f32", "f32", "f16", "bf16"];

/** Operands of one shape, or with axes dropped or set to 1 so that they broadcast. */
function trial(op: Row, draw: Draw): Trial {
  const { domain = [-3, 3], dtypes = mostlyF32, smooth = true, special = true } = op;
  const dtype = draw.oneOf(dtypes), shape = draw.shape(0, 4);
  const inputs = Array.from({ length: op.arity }, (_, i): Drawn => {
    const range = typeof domain[0] === "number" ? domain : domain[i]!;
    const narrowed = shape.map((n) => draw.int(0, 4) === 0 ? 1 : n);
    const from = draw.int(0, 3) === 0 ? draw.int(0, shape.length) : 0;
    const own = i === 0 ? shape : narrowed.slice(from);
    return { shape: own, dtype, domain: range as readonly [number, number], special };
  });
  return {
    inputs,
    call: (x, ...others) => elementwise(op, x!, ...others),
    smooth: smooth && isFloat(dtype),
    exact: op.exact ?? false,
    ...op.tolerance === undefined ? {} : { tolerance: op.tolerance },
  };
}

/** The second operand of an elementwise op: a tensor that broadcasts, or a number, which takes the first one's dtype. */
export type Operand<S, D> = Tensor<S, NoInfer<D>> | number;

/** The node of an operand; a number is a constant of `dtype`. */
export function operandNode(op: string, x: AnyTensor | number, dtype: DType): Node {
  if (typeof x !== "number") return nodeOf(x);
  if (!isFloat(dtype) && !Number.isInteger(x)) {
    throw new TypeError(`Cannot ${op} ${dtype} with ${x}: the number must be whole`);
  }
  return constant(x, dtype);
}

/**
 * The op of a row on tensors that broadcast, or numbers, which take the dtype of the first tensor. What may be an
 * unresolved `Arg` of a signature comes as `unknown`: the compiler has checked it there.
 *
 * @throws {TypeError} if shapes do not broadcast, dtypes differ, or a number is not whole among integers.
 */
export function elementwise(op: Row, x: AnyTensor, ...others: readonly unknown[]): AnyTensor {
  const nodes = [x, ...others as readonly (AnyTensor | number)[]]
    .map((y) => operandNode(op.law, y, x.dtype as DType));
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
