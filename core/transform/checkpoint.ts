/**
 * Recomputation: less memory for more work. What lies between the arguments and the results of a checkpointed function
 * is not kept for the backward pass; it is computed again when its cotangent arrives.
 *
 * @module
 */
import { makeNode } from "../graph/node.ts";
import { settleAll, tracing } from "../execute.ts";
import { aliased, nodesOf, withNodes } from "./grad.ts";

/**
 * The same function, whose insides are recomputed in the backward pass. Values and gradients stay the same to the bit:
 * random numbers come from keys, so masks are the same the second time, and cotangents add up in the same order. (Compiled, a product that
 * a sum takes up at once is rounded together with it on some devices; where a plan puts the two apart, in one of both, the last bit may
 * differ.) A function of several results recomputes once for each.
 *
 * @example
 * ```ts
 * import { checkpoint, exp, grad, read, sum, tensor, type Tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const f = checkpoint((x: Tensor<[2]>) => sum(exp(exp(x))));
 * const plain = grad((x: Tensor<[2]>) => sum(exp(exp(x))));
 * const x = tensor([0, 0.5]);
 * assertEquals(await read(grad(f)(x)), await read(plain(x)));
 * ```
 */
export function checkpoint<A extends readonly unknown[], R>(
  f: (...args: A) => R,
): (...args: A) => R {
  return (...args) => {
    const inside = aliased(args), result = tracing(() => f(...inside)), boundary = nodesOf(inside);
    const outputs = nodesOf(result).map((y) =>
      makeNode({ kind: "remat", shape: y.shape, dtype: y.dtype, inputs: [y, ...boundary] })
    );
    return withNodes(result, settleAll(outputs));
  };
}
