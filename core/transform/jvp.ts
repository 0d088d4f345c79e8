/**
 * Forward mode: the value of a function and its directional derivative.
 *
 * @module
 */
import { full } from "../graph/build.ts";
import { type Node, sameShape, show, sorted } from "../graph/node.ts";
import { settleAll, tracing } from "../execute.ts";
import { ruleOf } from "../primitives/rules.ts";
import { aliased, nodesOf, withNodes } from "./grad.ts";

/** The tangents of `outputs` when `roots` have `tangents`; null where none arrives. */
export function pushforward(
  outputs: readonly Node[],
  roots: readonly Node[],
  tangents: readonly Node[],
): (Node | null)[] {
  const known = new Map<Node, Node | null>(roots.map((n, i) => [n, tangents[i]!]));
  for (const n of sorted(outputs, (m) => known.has(m))) {
    if (known.has(n)) continue;
    const parts = n.inputs.map((i) => known.get(i) ?? null);
    const any = parts.some((p) => p !== null);
    known.set(n, !any ? null : n.kind === "custom" ? parts[0]! : tangentOf(n, parts));
  }
  return outputs.map((n) => known.get(n) ?? null);
}

function tangentOf(n: Node, parts: readonly (Node | null)[]): Node | null {
  if (n.kind === "input" || n.kind === "data" || n.kind === "const" || n.kind === "iota") {
    return null;
  }
  return n.kind === "custom" ? parts[0]! : ruleOf(n).jvp(n, parts);
}

/**
 * `[f(...primals), derivative of f at primals in the direction of tangents]`. Tangents of integers are ignored.
 *
 * @throws {TypeError} if a tangent has another shape than its primal.
 *
 * @example
 * ```ts
 * import { exp, jvp, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const [y, dy] = jvp((x) => exp(x), [tensor([0, 0])], [tensor([1, 2])]);
 * assertEquals([...await read(y)], [1, 1]);
 * assertEquals([...await read(dy)], [1, 2]);
 * ```
 */
export function jvp<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  primals: A,
  tangents: A,
): readonly [R, R] {
  const roots = aliased(primals), result = tracing(() => f(...roots));
  const outputs = nodesOf(result), at = nodesOf(roots), directions = nodesOf(tangents);
  directions.forEach((t, i) => {
    if (!sameShape(t.shape, at[i]!.shape)) {
      throw new TypeError(
        `Cannot push ${show(t.shape)} forward at ${show(at[i]!.shape)}: shapes must be equal`,
      );
    }
  });
  const pushed = pushforward(outputs, at, directions)
    .map((t, i) => t ?? full(outputs[i]!.shape, 0, outputs[i]!.dtype));
  const all = settleAll([...outputs, ...pushed]);
  return [
    withNodes(result, all.slice(0, outputs.length)),
    withNodes(result, all.slice(outputs.length)),
  ];
}
