/**
 * Gradients. `grad(f)` is a function of the same arguments; its result has the type of the parameters.
 *
 * Arguments get a new identity first (an alias), so that a function may close over the very tensor that it is
 * differentiated by, and gradients nest.
 *
 * @module
 */
import { cast, constant, full } from "../graph/build.ts";
import { isFloat } from "../dtype.ts";
import { alias } from "../graph/build.ts";
import { type Node, sameShape, show } from "../graph/node.ts";
import { settleAll, tracing } from "../execute.ts";
import { type AnyTensor, isTensor, nodeOf, type Tensor, wrap } from "../tensor.ts";
import { leaves, mapTree, type Tree } from "../tree.ts";
import { pullback } from "./pullback.ts";

/** The tensors of a tree, under new identities. Other leaves stay. */
export function aliased<T>(tree: T): T {
  return mapTree(tree as Tree<unknown>, (x) => isTensor(x) ? wrap(alias(nodeOf(x))) : x) as T;
}

/** The nodes of a tree's tensors, in the fixed order. */
export function nodesOf(tree: unknown): Node[] {
  return leaves(tree as Tree<unknown>).filter(isTensor).map(nodeOf);
}

/** The tree with its tensors replaced by those of `nodes`, in the fixed order. */
export function withNodes<T>(tree: T, nodes: readonly Node[]): T {
  let i = 0;
  return mapTree(tree as Tree<unknown>, (x) => isTensor(x) ? wrap(nodes[i++]!) : x) as T;
}

function zerosLike(n: Node): Node {
  return full(n.shape, 0, n.dtype);
}

/**
 * A value and what turns its cotangent into the cotangents of the arguments.
 *
 * `const [y, back] = vjp(f, x, w); const [dx, dw] = back(dy);`
 *
 * Integer arguments get zeros.
 *
 * @example
 * ```ts
 * import { mul, read, tensor, vjp } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const [y, back] = vjp((x) => mul(x, x), tensor([1, 2, 3]));
 * const [dx] = back(tensor([1, 1, 10]));
 * assertEquals([...await read(y)], [1, 4, 9]);
 * assertEquals([...await read(dx)], [2, 4, 60]);
 * ```
 */
export function vjp<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...args: A
): readonly [R, (ct: R) => A] {
  const primals = aliased(args), result = tracing(() => f(...primals));
  const outputs = nodesOf(result), wanted = nodesOf(primals);
  const back = (ct: R): A => {
    const cts = nodesOf(ct);
    cts.forEach((c, i) => {
      if (!sameShape(c.shape, outputs[i]!.shape)) {
        throw new TypeError(
          `Cannot pull back ${show(c.shape)} through ${
            show(outputs[i]!.shape)
          }: shapes must be equal`,
        );
      }
    });
    const grads = tracing(() => pullback(outputs, cts, wanted))
      .map((g, i) => g ?? zerosLike(wanted[i]!));
    return withNodes(args, settleAll(grads));
  };
  return [withNodes(result, settleAll(outputs)), back];
}

/** The value of a loss and its gradient by the first argument. */
export interface ValueAndGrad<P> {
  /** The loss. */
  readonly value: Tensor<[]>;
  /** Its gradient. */
  readonly grads: P;
}

/**
 * The value of a scalar loss, and its gradient with the type of the parameters.
 *
 * @throws {TypeError} if the loss is not an f32 scalar.
 *
 * @example
 * ```ts
 * import { mul, read, sum, tensor, valueAndGrad } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const loss = valueAndGrad((p: { readonly w: ReturnType<typeof tensor<[1, 2]>> }) => sum(mul(p.w, p.w)));
 * const { value, grads } = loss({ w: tensor([1, 2]) });
 * assertEquals([...await read(value)], [5]);
 * assertEquals([...await read(grads.w)], [2, 4]);
 * ```
 */
export function valueAndGrad<P, A extends readonly unknown[]>(
  f: (params: P, ...rest: A) => Tensor<[]>,
): (params: P, ...rest: A) => ValueAndGrad<P> {
  const both = valueGradAux((params: P, ...rest: A) => [f(params, ...rest), null] as const);
  return (params, ...rest) => {
    const { value, grads } = both(params, ...rest);
    return { value, grads };
  };
}

/**
 * Like `valueAndGrad`, for a function that gives `[loss, aux]`: aux (metrics, say) is passed on without a gradient.
 *
 * @throws {TypeError} if the loss is not an f32 scalar.
 */
export function valueGradAux<P, X, A extends readonly unknown[]>(
  f: (params: P, ...rest: A) => readonly [loss: Tensor<[]>, aux: X],
): (params: P, ...rest: A) => ValueAndGrad<P> & { readonly aux: X } {
  return (params, ...rest) => {
    const primals = aliased(params), [loss, aux] = tracing(() => f(primals, ...rest));
    const top = nodeOf(loss as AnyTensor), wanted = nodesOf(primals);
    if (top.shape.length !== 0 || !isFloat(top.dtype)) {
      throw new TypeError(
        `Cannot differentiate ${top.dtype} ${show(top.shape)}: the loss must be an f32 scalar`,
      );
    }
    const seed = cast(constant(1), top.dtype);
    const grads = tracing(() => pullback([top], [seed], wanted))
      .map((g, i) => g ?? zerosLike(wanted[i]!));
    const extra = nodesOf(aux), all = settleAll([top, ...grads, ...extra]);
    return {
      value: wrap(all[0]!),
      grads: withNodes(params, all.slice(1, 1 + grads.length)),
      aux: withNodes(aux, all.slice(1 + grads.length)),
    };
  };
}

/** The gradient of a scalar loss by its first argument, with that argument's type. */
export function grad<P, A extends readonly unknown[]>(
  f: (params: P, ...rest: A) => Tensor<[]>,
): (params: P, ...rest: A) => P {
  const both = valueAndGrad(f);
  return (params, ...rest) => both(params, ...rest).grads;
}
