/** Composites and a training step, made of nodes by hand: what the planner is judged by. */
import type { Graph } from "../../core/device/device.ts";
import * as X from "../../core/expr/expr.ts";
import * as build from "../../core/graph/build.ts";
import { makeNode, type Node, sizeOf, type Sizes } from "../../core/graph/node.ts";
import { pullback } from "../../core/transform/pullback.ts";

export function input(...shape: number[]): Node {
  return makeNode({ kind: "input", shape, dtype: "f32", inputs: [] });
}
export function ids(...shape: number[]): Node {
  return makeNode({ kind: "input", shape, dtype: "i32", inputs: [] });
}
const { compute, add, mul } = build;

export function sumLast(x: Node): Node {
  return build.reduce("sum", x, [x.shape.length - 1]);
}
export function softmax(x: Node): Node {
  const most = build.reduce("max", x, [x.shape.length - 1]);
  const e = compute((a, m) => X.exp(X.sub(a, m)), [x, most]);
  return compute(X.div, [e, sumLast(e)]);
}
export function layerNorm(x: Node, gain: Node, bias: Node): Node {
  const n = x.shape.at(-1)!;
  const mean = compute((s) => X.mul(s, 1 / n), [sumLast(x)]);
  const centred = compute(X.sub, [x, mean]);
  const variance = compute((s) => X.mul(s, 1 / n), [sumLast(mul(centred, centred))]);
  const scaled = compute((c, v) => X.div(c, X.sqrt(X.add(v, 1e-5))), [centred, variance]);
  return add(mul(scaled, gain), bias);
}
export function gelu(x: Node): Node {
  const half = compute((a) => X.mul(a, 0.5), [x]);
  const cdf = compute((a) => X.add(X.erf(X.mul(a, Math.SQRT1_2)), 1), [x]);
  return mul(half, cdf);
}
/** x [B, T, C] by w [C, N]. */
export function linear(x: Node, w: Node, b: Node): Node {
  const rows = build.reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]);
  return add(build.reshape(build.product(rows, w), [...x.shape.slice(0, -1), w.shape[1]!]), b);
}
export function sumAll(x: Node): Node {
  return build.reshape(build.reduce("sum", x, [...x.shape.keys()]), []);
}

export interface Model {
  readonly B: number;
  readonly T: number;
  readonly C: number;
  readonly V: number;
  readonly heads: number;
  readonly layers: number;
}

/** A Pre-LN block. */
export function block(x: Node, p: readonly Node[], heads: number): Node {
  const [B, T, C] = x.shape as [number, number, number], D = C / heads;
  const split = (y: Node): Node => build.permute(build.reshape(y, [B, T, heads, D]), [0, 2, 1, 3]);
  const h = layerNorm(x, p[0]!, p[1]!);
  const [q, k, v] = [2, 4, 6].map((i) => split(linear(h, p[i]!, p[i + 1]!))) as [Node, Node, Node];
  const scores = compute((s) => X.mul(s, D ** -0.5), [build.product(q, build.transpose(k))]);
  const mixed = build.product(softmax(scores), v);
  const joined = build.reshape(build.permute(mixed, [0, 2, 1, 3]), [B, T, C]);
  const y = add(x, linear(joined, p[8]!, p[9]!));
  const inside = gelu(linear(layerNorm(y, p[10]!, p[11]!), p[12]!, p[13]!));
  return add(y, linear(inside, p[14]!, p[15]!));
}

function blockShapes(C: number): Sizes[] {
  const square: Sizes[] = [[C, C], [C]];
  return [[C], [C], ...square, ...square, ...square, ...square, [C], [C], [C, 4 * C], [4 * C], [
    4 * C,
    C,
  ], [C]];
}

/** Parameters of a model, as inputs: embedding, blocks. */
export function parameters({ C, V, layers }: Model): { embedding: Node; blocks: Node[][] } {
  return {
    embedding: input(V, C),
    blocks: Array.from({ length: layers }, () => blockShapes(C).map((s) => input(...s))),
  };
}

/** Mean cross-entropy of predicting `labels` with tied embeddings; `wrap` stands around every block. */
export function loss(
  m: Model,
  p: { embedding: Node; blocks: Node[][] },
  tokens: Node,
  labels: Node,
  wrap: (f: (x: Node, ps: readonly Node[]) => Node, x: Node, ps: readonly Node[]) => Node = (
    f,
    x,
    ps,
  ) => f(x, ps),
): Node {
  let x = build.gather(p.embedding, tokens);
  for (const ps of p.blocks) x = wrap((y, qs) => block(y, qs, m.heads), x, ps);
  const rows = build.reshape(x, [m.B * m.T, m.C]);
  const logits = build.product(rows, build.transpose(p.embedding));
  const most = build.reduce("max", logits, [1]);
  const total = sumLast(compute((a, b) => X.exp(X.sub(a, b)), [logits, most]));
  const log = compute((a, s, b) => X.sub(X.sub(a, b), X.log(s)), [logits, total, most]);
  const at = compute((i, j) => X.cast(X.eq(i, j), "f32"), [
    build.coordinate(logits.shape, 1),
    build.reshape(labels, [m.B * m.T, 1]),
  ]);
  return compute((s) => X.mul(s, -1 / (m.B * m.T)), [sumAll(mul(log, at))]);
}

/** One LAMB step over all parameters, state donated: the whole of a training program. */
export function trainingStep(m: Model, wrap?: Parameters<typeof loss>[4]): Graph {
  const p = parameters(m), flat = [p.embedding, ...p.blocks.flat()];
  const tokens = ids(m.B, m.T), labels = ids(m.B, m.T), step = input();
  const value = loss(m, p, tokens, labels, wrap);
  const grads = pullback([value], [build.constant(1)], flat).map((g) => g!);
  const norm = compute(X.sqrt, [grads.map((g) => sumAll(mul(g, g))).reduce(add)]);
  const clip = compute((n) => X.min(X.div(1, X.add(n, 1e-6)), 1), [norm]);
  const moments: Node[] = [], after: Node[] = [], params: Node[] = [];
  flat.forEach((w, i) => {
    const m1 = input(...w.shape), m2 = input(...w.shape), g = mul(grads[i]!, clip);
    const n1 = compute((a, b) => X.add(X.mul(a, 0.9), X.mul(b, 0.1)), [m1, g]);
    const n2 = compute((a, b) => X.add(X.mul(a, 0.999), X.mul(X.mul(b, b), 0.001)), [m2, g]);
    const update = compute(
      (a, b, x) => X.add(X.div(X.mul(a, 10), X.add(X.sqrt(X.mul(b, 1000)), 1e-6)), X.mul(x, 0.01)),
      [n1, n2, w],
    );
    const [a, b] = [w, update].map((x) => compute(X.sqrt, [sumAll(mul(x, x))])) as [Node, Node];
    const ratio = compute((a, b, s) => X.mul(X.div(a, b), X.mul(s, 1e-3)), [a, b, step]);
    params.push(compute((x, r, u) => X.sub(x, X.mul(r, u)), [w, ratio, update]));
    moments.push(m1, m2);
    after.push(n1, n2);
  });
  const state = [...flat, ...moments];
  return {
    inputs: [...state, tokens, labels, step],
    outputs: [...params, ...after, value],
    donations: new Map(state.map((_, i) => [i, i])),
  };
}
