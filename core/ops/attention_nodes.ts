/**
 * Attention as nodes: the composite, and the custom node that names the kernel standing for it, forward and backward.
 *
 * Several results are one line of numbers, of which the parts are views: a node has one result, and a kernel one buffer.
 *
 * @module
 */
import * as X from "../expr/expr.ts";
import * as B from "../graph/build.ts";
import { type AttentionKernel, HIDDEN } from "../graph/fused_kernel.ts";
import { type CustomNode, makeNode, type Node, sizeOf, type Sizes } from "../graph/node.ts";
import { threefry, unit, USES } from "../random/threefry.ts";
import { pullback } from "../transform/pullback.ts";
import { stopped } from "./select.ts";

/** The arguments by name, in the order that a kernel has them. */
export interface AttentionArguments {
  readonly q: Node;
  readonly k: Node;
  readonly v: Node;
  readonly rows?: Node;
  readonly keep?: Node;
  /** [B, H, R]: the same for every example, but gradients are given apart. */
  readonly bias?: Node;
  readonly keyTerm?: Node;
  readonly queryTerm?: Node;
  readonly keys?: Node;
}
const order = ["q", "k", "v", "rows", "keep", "bias", "keyTerm", "queryTerm", "keys"] as const;
/** Arguments that have a gradient. */
const smooth = ["q", "k", "v", "bias", "keyTerm", "queryTerm"] as const;

function listed(args: AttentionArguments): Node[] {
  return order.flatMap((name) => args[name] ?? []);
}
/** Arguments in the place of others, in the same order. */
function named(like: AttentionArguments, nodes: readonly Node[]): AttentionArguments {
  const names = order.filter((name) => like[name]);
  return Object.fromEntries(
    names.map((name, i) => [name, nodes[i]!]),
  ) as unknown as AttentionArguments;
}

/** [T, T] i32: the row of query i and key j. */
function indexOf(rows: Node, T: number, R: number, ownCls: boolean): Node {
  const [i, j] = [B.coordinate([T, T], 0), B.coordinate([T, T], 1)];
  const offset = B.compute((a, b) => X.add(X.sub(b, a), T - 1), [i, j]);
  const row = B.gather(rows, offset);
  if (!ownCls) return row;
  return B.compute(
    (r, a, b) =>
      X.select(
        X.eq(a, 0),
        X.constant(R - 2, "i32"),
        X.select(X.eq(b, 0), X.constant(R - 1, "i32"), r),
      ),
    [row, i, j],
  );
}

/** Where a weight is kept: one draw for every element of [H, T, T], under the key of its example. */
function kept(keys: Node, rate: number, shape: Sizes): Node {
  const [count, ...rest] = shape as [number, ...number[]];
  const word = (at: number): Node =>
    B.reshape(B.slice(keys, [0, at], [count, 1]), [count, ...rest.map(() => 1)]);
  const places = B.cast(B.reshape(B.iota(sizeOf(rest)), [1, ...rest]), "u32");
  const use = B.constant(USES.bits, "u32");
  return B.compute(
    (a, b, place, purpose) => X.gt(1 - rate, unit(threefry(a, b, place, purpose)[0])),
    [word(0), word(1), places, use],
    "bool",
  );
}

/** Row-major elements of several nodes in one line. */
function packed(parts: readonly Node[]): Node {
  return B.concat(parts.map((n) => B.reshape(n, [sizeOf(n.shape)])), 0);
}
/** The parts again. */
export function unpacked(flat: Node, shapes: readonly Sizes[]): Node[] {
  let from = 0;
  return shapes.map((shape) => {
    const part = B.slice(flat, [from], [sizeOf(shape)]);
    from += sizeOf(shape);
    return B.reshape(part, shape);
  });
}

/** Shapes of what the forward pass packs: out, the logarithm of every softmax's denominator, sums. */
export function attentionShapes({ B, H, T, K, R, sums }: AttentionKernel): Sizes[] {
  return [[B, H, T, K], [B, H, T], ...(sums ? [[B, H, T, R]] : [])];
}

/** out, log Σ exp, sums, packed: by plain ops, with T x T scores. */
export function attentionComposite(
  kernel: AttentionKernel,
  args: AttentionArguments,
  added: readonly Node[],
): Node {
  const { q, k, v, rows, keep, bias, keyTerm, queryTerm, keys } = args;
  const { B: count, H, T, R, scale, ownCls, dropout } = kernel, shape = [count, H, T, T];
  const index = rows && B.broadcastTo(indexOf(rows, T, R, ownCls), shape);
  let scores = B.product(q, B.transpose(k));
  if (keyTerm) scores = B.add(scores, B.gather(keyTerm, index!, 3));
  if (queryTerm) {
    scores = B.add(scores, B.transpose(B.gather(queryTerm, B.transpose(index!), 3)));
  }
  scores = B.compute((s) => X.mul(s, scale), [scores]);
  if (bias) scores = B.add(scores, B.gather(bias, index!, 2));
  if (keep) {
    const hidden = B.compute((x) => X.mul(X.sub(x, 1), HIDDEN), [keep]);
    scores = B.add(scores, B.broadcastTo(B.reshape(hidden, [count, 1, 1, T]), shape));
  }
  for (const term of added) scores = B.add(scores, B.broadcastTo(term, shape));
  const top = stopped(B.reduce("max", scores, [3]));
  const e = B.compute((s, m) => X.expDown(X.sub(s, m)), [scores, top]),
    total = B.reduce("sum", e, [3]);
  const lse = B.compute((s, m) => X.add(X.log(s), m), [total, top]);
  let weights = B.compute(X.div, [e, total]);
  if (keys) {
    weights = B.compute(
      (w, yes) => X.select(yes, X.mul(w, 1 / (1 - dropout)), 0),
      [weights, kept(keys, dropout, shape)],
    );
  }
  const sums = kernel.sums ? [B.scatter(index!, weights, R, 3)] : [];
  return packed([B.product(weights, v), lse, ...sums]);
}

/** Shapes of what the backward pass packs: the cotangents of the smooth arguments. */
function cotangentShapes(args: AttentionArguments): Sizes[] {
  return smooth.flatMap((name) => args[name] ? [args[name].shape] : []);
}

/** The cotangents, packed, by pulling those of the results back through the composite. */
function gradComposite(
  kernel: AttentionKernel,
  args: AttentionArguments,
  cts: readonly Node[],
): Node {
  const { B: count, H, T } = kernel, [out, ...sums] = cts as [Node, ...Node[]];
  const ct = packed([out, B.full([count, H, T], 0), ...sums]);
  const wanted = smooth.flatMap((name) => args[name] ?? []);
  const found = pullback([attentionComposite(kernel, args, [])], [ct], wanted);
  return packed(found.map((g, i) => g ?? B.full(wanted[i]!.shape, 0)));
}

/** A node that `kernel` computes from `args`, and `compose` from stand-ins for them. */
function byKernel(
  kernel: AttentionKernel,
  args: readonly Node[],
  compose: (inside: readonly Node[]) => Node,
  backward: CustomNode["backward"],
): Node {
  const inside = args.map((n) => B.alias(n)), y = compose(inside), { shape, dtype } = y;
  return makeNode({ kind: "custom", shape, dtype, inputs: [y, ...inside], kernel, backward });
}

/** An argument for the backward pass: where it was made of two bytes it is made again, and is not kept as four until then. */
function rewidened(x: Node, ct: Node): Node {
  const narrow = x.kind === "alias" ? B.narrowOf(x.inputs[0]!) : undefined;
  return narrow ? B.cast(B.alias(narrow, [ct]), "f32") : x;
}

/** out, log Σ exp and sums, packed, by one kernel where there is one. */
export function attentionNode(kernel: AttentionKernel, args: AttentionArguments): Node {
  const given = listed(args);
  const backward = (ct: Node, n: CustomNode): (Node | null)[] => {
    const inside = n.inputs.slice(1).map((x) => rewidened(x, ct));
    const [out, , sums] = unpacked(ct, attentionShapes(kernel));
    const cts = sums ? [out!, sums] : [out!], known = named(args, inside);
    const flat = gradNode({ ...kernel, op: "attentionGrad" }, known, n, cts);
    const parts = unpacked(flat, cotangentShapes(known)).values();
    return order.filter((name) => args[name])
      .map((name) => smooth.some((s) => s === name) ? parts.next().value! : null);
  };
  const compose = (inside: readonly Node[]): Node =>
    attentionComposite(kernel, named(args, inside), []);
  return byKernel(kernel, given, compose, backward);
}

/** The cotangents of the smooth arguments, packed; the forward result spares the kernel the softmax's sums. */
function gradNode(
  kernel: AttentionKernel,
  args: AttentionArguments,
  forward: Node,
  cts: readonly Node[],
): Node {
  const given = [...listed(args), forward, ...cts], count = listed(args).length;
  const compose = (inside: readonly Node[]): Node =>
    gradComposite(kernel, named(args, inside), inside.slice(count + 1));
  // A second derivative is that of the composite.
  const backward = (ct: Node, n: CustomNode): (Node | null)[] =>
    pullback([n.inputs[0]!], [ct], n.inputs.slice(1));
  return byKernel(kernel, given, compose, backward);
}
