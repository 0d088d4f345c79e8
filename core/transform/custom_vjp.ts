/**
 * A function with a gradient of its own: for stability, or because a fused backward pass is faster than the derived one.
 *
 * @module
 */
import { makeNode, sameShape, show } from "../graph/node.ts";
import { settleAll, tracing } from "../execute.ts";
import { type AnyTensor, nodeOf, wrap } from "../tensor.ts";
import { aliased, nodesOf, withNodes } from "./grad.ts";
import { replayed } from "./pullback.ts";

/** What `customVjp` takes. */
export interface CustomVjp<A extends readonly unknown[], R, X> {
  /** The result, and what the backward pass will want to know. */
  readonly forward: (...args: A) => readonly [result: R, residuals: X];
  /** The cotangents of all arguments. */
  readonly backward: (residuals: X, ct: R) => Readonly<A>;
}

/**
 * `forward` with `backward` as its gradient. The result is one tensor; tensors that the function closes over get no
 * gradient. Under `jvp` the forward function itself is differentiated; under `vmap` both are batched.
 *
 * @throws {TypeError} in the backward pass, if a cotangent has another shape than its argument.
 *
 * @example
 * ```ts
 * import { customVjp, grad, mul, neg, read, sum, tensor, type Tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const reversed = customVjp({
 *   forward: (x: Tensor<[2]>) => [mul(x, x), x] as const,
 *   backward: (x, ct) => [neg(mul(x, ct))] as const,
 * });
 * const g = grad((x: Tensor<[2]>) => sum(reversed(x)))(tensor([1, 2]));
 * assertEquals([...await read(g)], [-1, -2]);
 * ```
 */
export function customVjp<A extends readonly unknown[], R, X>(
  { forward, backward }: CustomVjp<A, R, X>,
): (...args: A) => R {
  return (...args) => {
    const inside = aliased(args), [result, residuals] = tracing(() => forward(...inside));
    const y = nodeOf(result as AnyTensor), boundary = nodesOf(inside);
    const node = makeNode({
      kind: "custom",
      shape: y.shape,
      dtype: y.dtype,
      inputs: [y, ...boundary],
      backward: (ct, at) => {
        // A copy of the node, in a checkpoint, has residuals of its own.
        const copies = new Map(boundary.map((b, i) => [b, at.inputs[i + 1]!]));
        const own = boundary.every((b, i) => b === at.inputs[i + 1])
          ? residuals
          : withNodes(residuals, replayed(nodesOf(residuals), copies.set(y, at.inputs[0]!)));
        const cts = nodesOf(backward(own, wrap(ct) as R));
        boundary.forEach((b, i) => {
          const given = cts[i];
          if (!given || !sameShape(given.shape, b.shape)) {
            throw new TypeError(
              `Cannot use cotangent ${given ? show(given.shape) : "none"} of argument ${i}: ` +
                `it must have the argument's shape ${show(b.shape)}`,
            );
          }
        });
        return cts;
      },
    });
    return wrap(settleAll([node])[0]!) as R;
  };
}
