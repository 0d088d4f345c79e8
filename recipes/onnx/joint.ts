/**
 * Traces of one function at several sizes, laid over one another: the same node in every trace.
 *
 * @module
 */
import { type Node, sorted } from "../../core/graph/node.ts";
import type { Size } from "./lengths.ts";

/** A node in all traces. */
export interface Joint {
  /** One node a trace, all of one kind. */
  readonly at: readonly Node[];
  readonly inputs: readonly Joint[];
}

function fail(at: readonly (Node | undefined)[]): never {
  const kinds = [...new Set(at.map((n) => n ? `${n.kind} ${n.dtype}` : "nothing"))].join(" and ");
  throw new TypeError(
    `Cannot export a function whose steps depend on its sizes: where one has ${kinds}, they must be alike`,
  );
}

/**
 * Lays traces over one another, from their outputs: one list a trace.
 *
 * @throws {TypeError} if the traces are not alike in everything but numbers.
 */
export function joined(outputs: readonly (readonly Node[])[]): readonly Joint[] {
  const orders = outputs.map((own) => sorted(own)), made = new Map<Node, Joint>();
  const longest = Math.max(...orders.map((own) => own.length));
  for (let i = 0; i < longest; i++) {
    const at = orders.map((own) => own[i]!), first = at[0]!;
    const alike = first &&
      at.every((n) =>
        n?.kind === first.kind && n.dtype === first.dtype &&
        n.shape.length === first.shape.length &&
        n.inputs.length === first.inputs.length
      );
    if (!alike) fail(at);
    const inputs = first.inputs.map((n) => made.get(n)!);
    if (at.some((n, t) => n.inputs.some((m, k) => inputs[k]!.at[t] !== m))) fail(at);
    made.set(first, { at, inputs });
  }
  return outputs[0]!.map((n) => made.get(n)!);
}

/** The sizes of its axes. */
export function sizesOf({ at }: Joint): readonly Size[] {
  return at[0]!.shape.map((_, axis) => at.map((n) => n.shape[axis]!));
}

/** What stands behind nodes that only rename: a composite with a kernel of ours is its composite. */
export function settled(j: Joint, isWhole: (j: Joint) => boolean = () => false): Joint {
  let found = j;
  while (["alias", "remat", "custom"].includes(found.at[0]!.kind) && !isWhole(found)) {
    found = found.inputs[0]!;
  }
  return found;
}
