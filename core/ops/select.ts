/** Choosing between tensors, and cutting gradients. */
import { type DType, isFloat } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import { settle } from "../execute.ts";
import { compute } from "../graph/build.ts";
import type { Node } from "../graph/node.ts";
import { type Arg, type Ok, type Shape, unwrap, type Where, whereShape } from "../shape/mod.ts";
import { nodeOf, type Tensor, wrap } from "../tensor.ts";
import { type Operand, operandNode } from "./elementwise.ts";
import type { Drawn, Law } from "./law.ts";

export const whereLaw: Law = {
  law: "where",
  draw: (d) => {
    const shape = d.shape(0, 3), dtype = d.oneOf(["f32", "f32", "f16", "i32", "bool"] as const);
    const narrowed = (): number[] => shape.map((n) => d.int(0, 3) === 0 ? 1 : n);
    const of = (type: DType): Drawn => {
      return { shape: narrowed(), dtype: type, domain: [-3, 3], special: true };
    };
    const condition: Drawn = { ...of("bool"), domain: [0, 1] };
    return {
      inputs: [{ ...condition, shape }, of(dtype), of(dtype)],
      call: (c, a, b) => where(c!, a!, b!),
      smooth: dtype === "f32",
      exact: true,
    };
  },
};

export const stopGradientLaw: Law = {
  law: "stopGradient",
  draw: (d) => ({
    inputs: [{ shape: d.shape(0, 3), dtype: "f32", domain: [-3, 3], special: true }],
    call: (x) => stopGradient(x!),
    smooth: false,
    exact: true,
  }),
};

/** The node `x` without its slope: its bits. */
export function stopped(x: Node): Node {
  return isFloat(x.dtype) ? compute((e) => X.bitcast(X.bitcast(e, "u32"), "f32"), [x], x.dtype) : x;
}

/**
 * a where the condition holds, else b.
 *
 * Shapes: [...C], [...A], [...B] -> their broadcast. What is not chosen never matters, NaN included. Its gradient is 0; but
 * 0 times the infinite derivative of what came before is NaN, so guard the argument of a function, not its result alone.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { greater, read, tensor, where } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([1, -2, 3]);
 * assertEquals([...await read(where(greater(x, 0), x, 0))], [1, 0, 3]);
 * ```
 */
export function where<
  C extends Shape,
  A extends Shape,
  D extends DType,
  B extends Shape = A,
>(
  condition: Tensor<C, "bool">,
  a: Tensor<A, D>,
  b: Arg<Where<C, A, B>, Operand<B, D>>,
): Tensor<Ok<Where<C, A, B>>, D> {
  const dtype = a.dtype as DType, other = operandNode("where", b as Operand<B, D>, dtype);
  unwrap(
    whereShape(condition.shape as readonly number[], a.shape as readonly number[], other.shape),
  );
  if (other.dtype !== dtype) {
    throw new TypeError(`Cannot where ${dtype} with ${other.dtype}: dtypes must be equal`);
  }
  return wrap(settle(compute(X.select, [nodeOf(condition), nodeOf(a), other], dtype)));
}

/**
 * The same values, through which no gradient passes, backward or forward.
 *
 * Shapes: [...S] -> [...S].
 *
 * @example
 * ```ts
 * import { grad, mul, read, stopGradient, sum, tensor, type Tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const slope = grad((x: Tensor<[2]>) => sum(mul(x, stopGradient(x))));
 * assertEquals([...await read(slope(tensor([3, 4])))], [3, 4]);
 * ```
 */
export function stopGradient<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return wrap(settle(stopped(nodeOf(x))));
}
